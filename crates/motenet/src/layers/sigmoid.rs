//! The logistic function.

use super::Pointwise;
use crate::kernels::{Isa, Scalar};
use crate::math;

/// `y = 1 / (1 + e⁻ˣ)`.
///
/// # Accuracy
/// That of [`math::sigmoid`]; bit-exact across targets.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sigmoid<const N: usize>;

impl<const N: usize> Scalar for Sigmoid<N> {
    /// `y = 1 / (1 + e⁻ˣ)`
    #[inline(always)]
    fn value<I: Isa>(x: f32) -> f32 {
        math::sigmoid::<I>(x)
    }

    /// `dy/dx = e⁻ˣ / (1 + e⁻ˣ)² = y·(1 − y)`
    #[inline(always)]
    fn slope<I: Isa>(_x: f32, y: f32) -> f32 {
        y * (1.0 - y)
    }
}

impl<const N: usize> Pointwise for Sigmoid<N> {
    type Tensor = [f32; N];
    const NAME: &'static str = "Sigmoid";
    const GAIN: f32 = 1.0;
}
