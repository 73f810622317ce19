//! Softmax and cross-entropy in one.
//!
//! With `p = softmax(y)` and the target distribution `q` (1 for the class `t`; with label smoothing ε,
//! `q[k] = (1 − ε)·[k = t] + ε/K`), where `m = max_k y[k]`:
//!
//! ```text
//! L = −Σ_k q[k]·ln p[k] = ln Σ_k exp(y[k] − m) − Σ_k q[k]·(y[k] − m)
//! ∂L/∂y[k] = p[k] − q[k]
//! ```
//!
//! Apart, the two need a division by a probability that may have underflowed; together nothing does.

use super::Loss;
use crate::kernels::{Isa, Kernel, Simd};
use crate::layers::softmax::largest;
use crate::math;
use crate::tensor::first_mut;

/// `L = −ln p[t]` with `p = softmax(y)`, for the class `t`; the outputs are logits.
///
/// A target of `K` or more is no class: it counts as the distribution that is zero everywhere (datasets
/// check their labels).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoftmaxCrossEntropy {
    /// The share ε of the target that is spread over all classes (Szegedy et al., 2016); 0 for none.
    pub label_smoothing: f32,
}

impl<const K: usize> Loss<[f32; K]> for SoftmaxCrossEntropy {
    /// The class, counted from 0.
    type Target = u8;

    #[inline]
    fn gradient(
        &self,
        simd: Simd,
        y: &[[f32; K]],
        targets: &[u8],
        scale: f32,
        dy: &mut [[f32; K]],
        losses: &mut [f32],
    ) {
        let smoothing = self.label_smoothing;
        simd.run(Gradient { y, targets, smoothing, scale, dy, losses });
    }
}

struct Gradient<'a, const K: usize> {
    y: &'a [[f32; K]],
    targets: &'a [u8],
    smoothing: f32,
    scale: f32,
    dy: &'a mut [[f32; K]],
    losses: &'a mut [f32],
}

/// Samples taken at a time.
const BLOCK: usize = 64;

impl<const K: usize> Kernel for Gradient<'_, K> {
    type Result = ();

    /// In passes over a block of samples, because a row is too short to fill vectors: `exp` then runs over
    /// all rows as one, and `ln` over the sums of all rows.
    #[inline(always)]
    fn run<I: Isa>(self) {
        let spread = self.smoothing / K as f32;
        let on_target = 1.0 - self.smoothing + spread;
        let wanted =
            |k: usize, target: u8| if k == usize::from(target) { on_target } else { spread };

        let samples =
            self.y.len().min(self.targets.len()).min(self.dy.len()).min(self.losses.len());
        let (dy, losses) = (first_mut(self.dy, samples), first_mut(self.losses, samples));
        let blocks = self.y.chunks(BLOCK).zip(self.targets.chunks(BLOCK));
        for ((y, targets), (dy, losses)) in
            blocks.zip(dy.chunks_mut(BLOCK).zip(losses.chunks_mut(BLOCK)))
        {
            // dy = y − max, and losses = Σ_k q[k]·(y[k] − max)
            for (((y, &target), dy), loss) in y.iter().zip(targets).zip(&mut *dy).zip(&mut *losses)
            {
                let max = largest(y);
                *loss = 0.0;
                for ((k, y), dy) in y.iter().enumerate().zip(dy) {
                    *dy = y - max;
                    *loss = I::fma(wanted(k, target), *dy, *loss);
                }
            }
            for dy in dy.as_flattened_mut() {
                *dy = math::exp::<I>(*dy);
            }
            let mut sums = [1.0; BLOCK];
            for ((dy, &target), total) in dy.iter_mut().zip(targets).zip(&mut sums) {
                let sum = dy.iter().fold(0.0, |sum, e| sum + e);
                *total = sum;
                for (k, dy) in dy.iter_mut().enumerate() {
                    let q = wanted(k, target);
                    *dy = (*dy / sum - q) * self.scale;
                }
            }
            for (loss, &sum) in losses.iter_mut().zip(&sums) {
                *loss = math::ln::<I>(sum) - *loss;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(y: [f32; 3], target: u8) -> ([f32; 3], f32) {
        let (mut dy, mut losses) = ([[0.0; 3]], [0.0]);
        let loss = SoftmaxCrossEntropy::default();
        loss.gradient(Simd::baseline(), &[y], &[target], 1.0, &mut dy, &mut losses);
        (dy[0], losses[0])
    }

    #[test]
    fn equal_logits_are_ln_k() {
        let (dy, loss) = one([5.0; 3], 1);
        assert!((loss - 3f32.ln()).abs() < 1e-6);
        assert!((dy[0] - 1.0 / 3.0).abs() < 1e-6 && (dy[1] + 2.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn extreme_logits_stay_finite() {
        assert_eq!(one([1e30, 0.0, -1e30], 0), ([0.0; 3], 0.0));
        assert_eq!(one([80.0, -80.0, -80.0], 1).1, 160.0);
        let (dy, loss) = one([f32::MAX, 0.0, 0.0], 2);
        assert_eq!((dy, loss), ([1.0, 0.0, -1.0], f32::MAX));
    }

    #[test]
    fn a_nan_is_not_hidden() {
        let (dy, loss) = one([f32::NAN, 0.0, 0.0], 1);
        assert!(dy[0].is_nan() && loss.is_nan());
    }
}
