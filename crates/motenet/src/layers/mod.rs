//! The layers, one file each: the mathematics on top, forward and backward side by side.
//!
//! [`Dense`] has parameters. The activations ([`Relu`], [`LeakyRelu`], [`Sigmoid`], [`Tanh`], [`Gelu`]) are
//! functions of one number and share [`pointwise`]'s loops; [`Softmax`], [`Dropout`] and [`Flatten`]
//! stand alone. A convolution will be a file here beside `dense.rs`.

mod dense;
mod dropout;
mod flatten;
mod gelu;
mod leaky_relu;
pub mod pointwise;
mod relu;
mod sigmoid;
pub(crate) mod softmax;
mod tanh;

pub use dense::{Bias, Dense, NoBias};
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use gelu::Gelu;
pub use leaky_relu::LeakyRelu;
pub use pointwise::Pointwise;
pub use relu::Relu;
pub use sigmoid::Sigmoid;
pub use softmax::Softmax;
pub use tanh::Tanh;
