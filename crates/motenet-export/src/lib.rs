//! From a trained network to what others run.
//!
//! - [`quantize`](mod@quantize): calibrate on training samples, then turn weights and activations into integers;
//! - [`integer`]: an integer network as plain lists, whatever its type: what the writers read;
//! - [`c`]: an integer network as C99, a header and a source;
//! - [`rust`]: an integer network as a Rust file for `include!`;
//! - [`source`]: what both refuse to write, by name;
//! - [`safetensors`](mod@safetensors): the float weights for PyTorch;
//! - [`onnx`]: the float network for other runtimes;
//! - [`models`]: the named models that can be quantized.

pub mod c;
pub mod integer;
pub mod models;
pub mod onnx;
pub mod quantize;
pub mod rust;
pub mod safetensors;
pub mod source;

pub use integer::{IntegerLayer, IntegerModel, Integers};
