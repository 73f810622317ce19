//! Every layer as its formula reads, in 64-bit integers: the independent twins.

#![allow(clippy::needless_range_loop, reason = "loops as the formulas read")]

use crate::{QDense, QDenseRelu, Requantize};

/// Twin of [`QDense::sums`], of weights `weight(i, o)`.
pub fn sums<const IN: usize, const OUT: usize>(
    weight: impl Fn(usize, usize) -> i8,
    bias: &[i32; OUT],
    x: &[u8; IN],
) -> [i64; OUT] {
    let mut y = [0; OUT];
    for o in 0..OUT {
        y[o] = i64::from(bias[o]);
        for i in 0..IN {
            y[o] += i64::from(x[i]) * i64::from(weight(i, o));
        }
    }
    y
}

/// Twin of the forward pass of a [`QDense`].
pub fn dense<const IN: usize, const OUT: usize>(
    layer: &QDense<IN, OUT>,
    x: &[u8; IN],
) -> [i64; OUT] {
    sums(|i, o| layer.weight(i, o), &layer.bias, x)
}

/// Twin of [`Requantize::apply`].
pub fn requantize(rule: Requantize, sum: i64) -> u8 {
    let (limit, multiplier, drop, shift) = rule.parts();
    let t = sum.clamp(0, i64::from(limit)) / (1i64 << drop);
    let y = (t * i64::from(multiplier) + (1i64 << shift) / 2) / (1i64 << shift);
    y.min(255) as u8
}

/// Twin of the forward pass of a [`QDenseRelu`].
pub fn dense_relu<const IN: usize, const OUT: usize>(
    layer: &QDenseRelu<IN, OUT>,
    x: &[u8; IN],
) -> [u8; OUT] {
    let sums = dense(&layer.dense, x);
    let mut y = [0; OUT];
    for o in 0..OUT {
        y[o] = requantize(layer.requantize[o], sums[o]);
    }
    y
}
