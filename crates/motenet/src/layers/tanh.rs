//! The hyperbolic tangent.

use super::Pointwise;
use crate::kernels::{Isa, Scalar};
use crate::math;

/// `y = tanh x`.
///
/// # Accuracy
/// That of [`math::tanh`]; bit-exact across targets.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tanh<const N: usize>;

impl<const N: usize> Scalar for Tanh<N> {
    /// `y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)`
    #[inline(always)]
    fn value<I: Isa>(x: f32) -> f32 {
        math::tanh::<I>(x)
    }

    /// `dy/dx = 1 − y²`
    #[inline(always)]
    fn slope<I: Isa>(_x: f32, y: f32) -> f32 {
        I::fma(-y, y, 1.0)
    }
}

impl<const N: usize> Pointwise for Tanh<N> {
    type Tensor = [f32; N];
    const NAME: &'static str = "Tanh";
    /// 5/3, as PyTorch's `calculate_gain` has it.
    const GAIN: f32 = 5.0 / 3.0;
}
