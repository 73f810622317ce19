//! The rectifier (Nair and Hinton, 2010).

use super::Pointwise;
use crate::kernels::{Isa, Scalar};

/// `y = max(0, x)`: `+0` for `x ≤ 0` (for −0 too), `x` above, NaN stays NaN.
///
/// ```
/// use motenet::{Acts, Layer, Pass, Relu, Simd};
/// let mut acts = [[0.0; 3]];
/// Relu::<3>.forward(Pass::infer(Simd::baseline()), &[[-1.0, 0.0, 2.0]], &mut acts);
/// assert_eq!(acts.output(), [[0.0, 0.0, 2.0]]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Relu<const N: usize>;

impl<const N: usize> Scalar for Relu<N> {
    /// `y = x` where `x > 0`, else 0
    #[inline(always)]
    fn value<I: Isa>(x: f32) -> f32 {
        if x <= 0.0 { 0.0 } else { x }
    }

    /// `dy/dx = 1` where `x > 0`, else 0 (at the corner the left slope is taken, as in PyTorch)
    #[inline(always)]
    fn slope<I: Isa>(x: f32, _y: f32) -> f32 {
        if x <= 0.0 { 0.0 } else { 1.0 }
    }
}

impl<const N: usize> Pointwise for Relu<N> {
    type Tensor = [f32; N];
    const NAME: &'static str = "Relu";
    /// √2: half of the variance is lost (He et al., 2015).
    const GAIN: f32 = core::f32::consts::SQRT_2;
}
