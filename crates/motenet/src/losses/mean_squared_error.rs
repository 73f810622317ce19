//! Mean squared error.
//!
//! ```text
//! L = 1/K·Σ_k (y[k] − t[k])²
//! ∂L/∂y[k] = 2/K·(y[k] − t[k])
//! ```

use super::Loss;
use crate::kernels::{Isa, Kernel, Simd};

/// `L = 1/K·Σ_k (y[k] − t[k])²` over the `K` outputs of a sample.
///
/// ```
/// use motenet::{Loss, MeanSquaredError, Simd};
/// let (mut dy, mut losses) = ([[0.0; 2]], [0.0]);
/// MeanSquaredError.gradient(Simd::baseline(), &[[3.0, 1.0]], &[[1.0, 1.0]], 1.0, &mut dy, &mut losses);
/// assert_eq!((dy, losses), ([[2.0, 0.0]], [2.0]));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MeanSquaredError;

impl<const K: usize> Loss<[f32; K]> for MeanSquaredError {
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
        let scale = self.scale * (2.0 / K as f32);
        let rows = self.y.iter().zip(self.targets).zip(self.dy).zip(self.losses);
        for (((y, t), dy), loss) in rows {
            let mut sum = 0.0;
            for ((y, t), dy) in y.iter().zip(t).zip(dy) {
                let error = y - t;
                sum = I::fma(error, error, sum);
                *dy = scale * error;
            }
            *loss = sum / K as f32;
        }
    }
}
