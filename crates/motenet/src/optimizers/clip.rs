//! Gradient clipping by norm (Pascanu, Mikolov and Bengio, 2013).

use crate::kernels::{Isa, Kernel, Simd, sum_squares};
use crate::math;

/// Scales `grad` down to the Euclidean norm `max_norm` if it is longer; returns the norm it had.
///
/// `g ← g·max_norm / (‖g‖ + 10⁻⁶)`, as PyTorch's `clip_grad_norm_`. Never panics.
///
/// # Accuracy
/// Bit-exact across targets; the sum is that of [`sum_squares`].
pub fn clip_norm(simd: Simd, grad: &mut [f32], max_norm: f32) -> f32 {
    let norm = math::sqrt(sum_squares(simd, grad));
    let factor = max_norm / (norm + 1e-6);
    if factor < 1.0 {
        simd.run(Scale { factor, x: grad });
    }
    norm
}

struct Scale<'a> {
    factor: f32,
    x: &'a mut [f32],
}

impl Kernel for Scale<'_> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for x in self.x {
            *x *= self.factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_gradients_are_scaled() {
        let mut grad = [3.0, 4.0];
        assert_eq!(clip_norm(Simd::baseline(), &mut grad, 6.0), 5.0);
        assert_eq!(grad, [3.0, 4.0]);
        assert_eq!(clip_norm(Simd::baseline(), &mut grad, 1.0), 5.0);
        assert!((grad[0] - 0.6).abs() < 1e-6 && (grad[1] - 0.8).abs() < 1e-6);
    }
}
