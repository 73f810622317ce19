//! Training of dense models on a GPU, through wgpu: Vulkan, Metal, DirectX 12 or OpenGL.
//!
//! [`GpuTrainer`] does what [`motenet_train::Trainer`] does, with the same order of samples, the same
//! batches, learning rates and formulas. What it is *not* is bit for bit the same: **the GPU is outside the
//! arithmetic contract.** Sums are taken in another order, drivers have an `exp` of their own, and two
//! devices differ from each other. Instead there are tolerances, which the tests hold: every kernel against
//! the CPU's, and a whole epoch (loss within 10⁻³ of the CPU's, relatively; accuracy within 0.2 points).
//!
//! - `device.rs`: the adapter, its buffers, and what it complains about;
//! - `plan.rs`: a model's type as a list of dense layers;
//! - `kernels.rs` and `kernels/*.wgsl`: the kernels, with the type's sizes as constants;
//! - `tiling.rs`: how a product's threads share it; `batch.rs`: what a kernel is told of a batch;
//! - `data.rs`: a dataset as it is uploaded;
//! - `trainer.rs`: epochs;
//! - `cuda.rs`, with the feature `cuda`: the same through cuBLAS, to compare with;
//! - [`rates`]: speeds, for the bench.
//!
//! **Invariants, stated as absences.** No weight crosses the bus while an epoch runs, unless a checkpoint is
//! asked for. No device error is a panic, and none is silent. No `unsafe` but in `cuda.rs`.

mod batch;
#[cfg(feature = "cuda")]
pub mod cuda;
mod data;
mod device;
mod error;
mod kernels;
mod plan;
pub mod rates;
mod tiling;
mod trainer;

#[cfg(test)]
mod tests;

pub use data::{Inputs, Resident, Targets};
pub use device::Gpu;
pub use error::Error;
pub use kernels::Product;
pub use plan::{Activation, DenseLayer, GpuLoss, Plan};
pub use tiling::Tiling;
pub use trainer::{Dataset, GpuTrainer, MOST_STEPS, Traffic};
