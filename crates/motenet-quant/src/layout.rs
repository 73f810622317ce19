//! The integer layers are alive from all-zero bytes, so a network of any size is made in place.
#![allow(unsafe_code)]

use crate::{QDense, QDenseRelu, Requantize};
use motenet::Zero;

// SAFETY: integers only; zero bytes are zeros.
unsafe impl Zero for Requantize {}
// SAFETY: arrays of integers; any bytes are weights.
unsafe impl<const IN: usize, const OUT: usize> Zero for QDense<IN, OUT> {}
// SAFETY: a `QDense` and an array of `Requantize`, both zero-able.
unsafe impl<const IN: usize, const OUT: usize> Zero for QDenseRelu<IN, OUT> {}
