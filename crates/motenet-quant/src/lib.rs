//! Integer layers for inference: 8-bit weights and activations, 32-bit sums, no float anywhere.
//!
//! A quantized network is a type as well, and its layers implement [`Layer`](motenet::Layer) and nothing
//! else: it is trained in `f32` and quantized afterwards. It is plain data without a pointer, so it
//! lives in a `static`, which on a microcontroller is flash; what it needs in RAM is its workspace.
//!
//! ```
//! use motenet::{Acts, Layer, Pass, Seq, Simd};
//! use motenet_quant::{Footprint, QDense, QDenseRelu};
//! type Net = Seq![QDenseRelu<784, 64>, QDense<64, 10>];
//! assert_eq!(Net::FLASH_BYTES, (784 + 12) * 64 + (64 + 4) * 10);
//! assert_eq!(Net::RAM_BYTES, 784 + 64 + 4 * 10 + (4 * 64 + 1024));
//! ```
//!
//! # The arithmetic
//! Real numbers are integers times a scale. Inputs and hidden activations are `u8` with zero point 0: an
//! input is a pixel as it is, an activation is what a rectifier lets through, so neither is negative.
//! Weights are `i8`, symmetric, −127 to 127, with a scale for each output.
//!
//! ```text
//! sum[o] = bias[o] + Σ_i x[i]·w[i][o]        i32, exact
//! y[o]   = requantize(sum[o])                u8: rectified, scaled, rounded, saturated
//! ```
//!
//! The sums are exact, so their order does not matter, and an input that is zero can be skipped without
//! changing a bit: four fifths of a digit's pixels are. Nor does the level of [`Simd`](motenet::Simd) change
//! one. [`Requantize`] is the one place that rounds.
//!
//! [`naive`] has every layer once more, in `i64`, as the formula reads; the tests hold each against it.
#![no_std]

#[cfg(test)]
extern crate std;

mod argmax;
mod budget;
mod dense;
mod footprint;
mod kernels;
mod layout;
pub mod naive;
mod packing;
mod requantize;
#[cfg(any(feature = "selftest", test))]
pub mod selftest;
mod softmax;
#[cfg(test)]
mod tests;

pub use argmax::argmax;
pub use budget::Budget;
pub use dense::{QDense, QDenseRelu};
pub use footprint::Footprint;
pub use requantize::Requantize;
pub use softmax::Softmax;
