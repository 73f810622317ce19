//! Benchmarks of motenet: `cargo bench` runs what lies in `benches/`.
//!
//! - [`interleave`]: contenders measured in turn, so that a clock or a neighbour that changes meets all;
//! - [`products`]: the products of a dense layer at the shapes that the models have, as jobs to be timed;
//! - [`peak`]: what the machine can do at best, measured beside them;
//! - [`gpu`]: CPU against GPU, a program of its own;
//! - [`digits`]: the digits that training is timed on;
//! - `peers`, with the feature of that name: the same products by other crates.
//!
//! Times are of this machine at this moment; compare figures of one run only.

pub mod digits;
pub mod gpu;
pub mod interleave;
pub mod peak;
#[cfg(feature = "peers")]
pub mod peers;
pub mod products;
