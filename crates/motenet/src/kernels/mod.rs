//! The loops: free functions on plain arrays, each compiled for every instruction set.
//!
//! - [`affine`], [`add_outer`], [`mul_transposed`]: the three products of a dense layer. They share one
//!   register-blocked tile (`tile`), because all three are "rows of chains"; without vectors they are the loops of `plain`.
//! - [`descend`]: a step of plain descent.
//! - [`mark`], [`affine_coded`], [`add_outer_coded`]: two of them for inputs that are kept as bytes, as pictures are.
//! - [`map`], [`map_back`]: an activation and its gradient, element by element.
//! - [`scale_bytes`]: pictures into numbers; [`sum_squares`]: the norm of a gradient.
//! - [`naive`]: each of them once more, as the formula reads. The tests hold every kernel at every
//!   [`Simd`] level against its naive twin, bit for bit.
//!
//! Kernels never see layers. They never panic, allocate or keep state. To add one: write a struct of
//! its arguments, implement [`Kernel`], give it a safe function and a naive twin. `unsafe` is allowed in
//! this folder: in `simd.rs` to enter a function compiled for a CPU feature, in `isa*.rs`,
//! `bytes.rs` and `armv7em.rs` for instructions.
#![allow(unsafe_code)]

mod affine;
#[cfg(all(not(feature = "std"), motenet_fma = "armv7em"))]
mod armv7em;
mod bytes;
mod descend;
mod inputs;
mod isa;
#[cfg(all(feature = "std", target_arch = "aarch64"))]
mod isa_aarch64;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod isa_x86;
mod mul_transposed;
pub mod naive;
mod outer;
mod plain;
mod pointwise;
mod simd;
mod sparse;
mod sum;
#[cfg(test)]
mod tests;
mod tile;

pub use affine::{affine, affine_coded};
pub use bytes::{prefetch, prefetch_mut, scale_bytes};
pub use descend::descend;
pub use inputs::{Coded, mark, words};
pub(crate) use inputs::{Codes, Inputs};
#[cfg(test)]
pub(crate) use isa::one_lane;
pub use isa::{Isa, Portable};
pub use mul_transposed::mul_transposed;
pub use outer::{add_outer, add_outer_coded, add_rows};
pub(crate) use outer::{add_outer_from, add_outer_part};
pub use pointwise::{Scalar, map, map_back};
#[cfg(target_arch = "x86_64")]
pub use simd::Bytes;
pub use simd::{Kernel, Simd};
pub use sum::sum_squares;
