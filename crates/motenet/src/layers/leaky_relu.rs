//! The rectifier with a leak (Maas, Hannun and Ng, 2013).

use super::Pointwise;
use crate::kernels::{Isa, Scalar};

/// `y = x` for `x > 0`, `a·x` below, with the leak `a = PERMILLE / 1000` (0.01 by default).
///
/// The leak is part of the type because a layer holds parameters and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LeakyRelu<const N: usize, const PERMILLE: u32 = 10>;

impl<const N: usize, const PERMILLE: u32> LeakyRelu<N, PERMILLE> {
    /// The slope below zero.
    pub const LEAK: f32 = PERMILLE as f32 / 1000.0;
}

impl<const N: usize, const PERMILLE: u32> Scalar for LeakyRelu<N, PERMILLE> {
    /// `y = x` where `x > 0`, else `a·x`
    #[inline(always)]
    fn value<I: Isa>(x: f32) -> f32 {
        if x <= 0.0 { Self::LEAK * x } else { x }
    }

    /// `dy/dx = 1` where `x > 0`, else `a`
    #[inline(always)]
    fn slope<I: Isa>(x: f32, _y: f32) -> f32 {
        if x <= 0.0 { Self::LEAK } else { 1.0 }
    }
}

impl<const N: usize, const PERMILLE: u32> Pointwise for LeakyRelu<N, PERMILLE> {
    type Tensor = [f32; N];
    const NAME: &'static str = "LeakyRelu";
    /// `√(2 / (1 + a²))` (He et al., 2015), by Newton steps from √2: a constant needs no `sqrt`.
    const GAIN: f32 = {
        let square = 2.0 / (1.0 + Self::LEAK * Self::LEAK);
        let mut root = core::f32::consts::SQRT_2;
        let mut step = 0;
        while step < 6 {
            root = 0.5 * (root + square / root);
            step += 1;
        }
        root
    };
}
