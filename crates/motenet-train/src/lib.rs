//! The trainer: epochs, threads, checkpoints, metrics.
//!
//! A run is a pure function of (model type, dataset, [`Settings`]): the number of threads and the CPU
//! change how long it takes and nothing else, and a run that is killed and resumed ends with the same
//! bits.

mod atomic;
mod by_columns;
mod by_samples;
mod checkpoint;
mod codes;
mod error;
mod lane;
pub mod pictures;
mod profile;
mod run_dir;
mod samples;
mod settings;
mod step;
mod team;
mod trainer;

pub use checkpoint::{Checkpoint, Header, LayerShape, weights_sha256};
pub use error::Error;
pub use profile::{Phase, Profile, peak_flops};
pub use run_dir::{EpochMetrics, RunDir};
pub use samples::Samples;
pub use settings::{Position, Settings};
pub use trainer::{Progress, Summary, Trainer};
