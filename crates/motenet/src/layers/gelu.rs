//! The Gaussian error linear unit (Hendrycks and Gimpel, 2016), in their form with `tanh`.
//!
//! ```text
//! y = x/2·(1 + t),   t = tanh u,   u = √(2/π)·(x + 0.044715·x³)
//! dy/dx = (1 + t)/2 + x/2·(1 − t²)·du/dx,   du/dx = √(2/π)·(1 + 3·0.044715·x²)
//! ```

use super::Pointwise;
use crate::kernels::{Isa, Scalar};
use crate::math;

/// `y = x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))`, PyTorch's `GELU(approximate="tanh")`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gelu<const N: usize>;

const SQRT_2_OVER_PI: f32 = 0.797_884_6;
const CUBIC: f32 = 0.044_715;

/// `tanh u`; where the cube of `x` overflows, it is ±1 as it should be.
#[inline(always)]
fn t<I: Isa>(x: f32) -> f32 {
    math::tanh::<I>(SQRT_2_OVER_PI * x * I::fma(CUBIC * x, x, 1.0))
}

impl<const N: usize> Scalar for Gelu<N> {
    /// `y = x/2·(1 + t)`
    #[inline(always)]
    fn value<I: Isa>(x: f32) -> f32 {
        let half = 0.5 * x;
        I::fma(half, t::<I>(x), half)
    }

    /// `dy/dx = (1 + t)/2 + x/2·(1 − t²)·du/dx`
    #[inline(always)]
    fn slope<I: Isa>(x: f32, _y: f32) -> f32 {
        let t = t::<I>(x);
        let x = x.clamp(-16.0, 16.0);
        let du = SQRT_2_OVER_PI * I::fma(3.0 * CUBIC * x, x, 1.0);
        I::fma(0.5 * x * I::fma(-t, t, 1.0), du, I::fma(0.5, t, 0.5))
    }
}

impl<const N: usize> Pointwise for Gelu<N> {
    type Tensor = [f32; N];
    const NAME: &'static str = "Gelu";
    /// √2, as for [`Relu`](super::Relu), which it resembles.
    const GAIN: f32 = core::f32::consts::SQRT_2;
}
