//! Binary cross-entropy on logits.
//!
//! Each output is a yes/no question of its own, `p = sigmoid(y)`, with target `t` between 0 and 1:
//!
//! ```text
//! L = 1/K·Σ_k −t·ln p − (1 − t)·ln(1 − p) = 1/K·Σ_k max(y, 0) − y·t + ln(1 + exp(−|y|))
//! ∂L/∂y[k] = 1/K·(sigmoid(y) − t)
//! ```
//!
//! The right-hand form never takes the exponential of a positive number, so it cannot overflow.

use super::Loss;
use crate::kernels::{Isa, Kernel, Simd};
use crate::math;

/// `L = 1/K·Σ_k −t·ln p − (1 − t)·ln(1 − p)` with `p = sigmoid(y)`; the outputs are logits.
///
/// ```
/// use motenet::{BinaryCrossEntropy, Loss, Simd};
/// let (mut dy, mut losses) = ([[0.0]], [0.0]);
/// BinaryCrossEntropy.gradient(Simd::baseline(), &[[0.0]], &[[1.0]], 1.0, &mut dy, &mut losses);
/// assert_eq!((dy, losses), ([[-0.5]], [core::f32::consts::LN_2]));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BinaryCrossEntropy;

impl<const K: usize> Loss<[f32; K]> for BinaryCrossEntropy {
    type Target = [f32; K];

    #[inline]
    fn gradient(
        &self,
        simd: Simd,
        y: &[[f32; K]],
        targets: &[[f32; K]],
        scale: f32,
        dy: &mut [[f32; K]],
        losses: &mut [f32],
    ) {
        simd.run(Gradient { y, targets, scale, dy, losses });
    }
}

struct Gradient<'a, const K: usize> {
    y: &'a [[f32; K]],
    targets: &'a [[f32; K]],
    scale: f32,
    dy: &'a mut [[f32; K]],
    losses: &'a mut [f32],
}

impl<const K: usize> Kernel for Gradient<'_, K> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let scale = self.scale / K as f32;
        let rows = self.y.iter().zip(self.targets).zip(self.dy).zip(self.losses);
        for (((y, t), dy), loss) in rows {
            let mut sum = 0.0;
            for ((&y, &t), dy) in y.iter().zip(t).zip(dy) {
                let positive = if y <= 0.0 { 0.0 } else { y };
                let rest = math::ln_1p::<I>(math::exp::<I>(-y.abs()));
                sum += I::fma(-y, t, positive) + rest;
                *dy = scale * (math::sigmoid::<I>(y) - t);
            }
            *loss = sum / K as f32;
        }
    }
}
