//! Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019).
//!
//! ```text
//! g ← g + λ·w                  weight decay λ as Adam has it,
//! w ← w − η·λ·w                or decoupled, as AdamW has it
//! m ← β₁·m + (1 − β₁)·g
//! v ← β₂·v + (1 − β₂)·g²
//! w ← w − η·(m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
//! ```

use super::{Optimizer, Step};
use crate::kernels::{Isa, Kernel, Simd};
use crate::math;

/// Gradient descent with a step size of its own for each parameter.
///
/// # Memory
/// Two moments.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Adam {
    /// β₁: how slowly the mean of the gradient forgets.
    pub beta_1: f32,
    /// β₂: how slowly the mean of its square forgets.
    pub beta_2: f32,
    /// ε: keeps the quotient finite.
    pub epsilon: f32,
    /// λ: the pull of every parameter towards zero.
    pub weight_decay: f32,
    /// The decay acts on the parameters themselves (AdamW), not through the gradient.
    pub decoupled: bool,
}

impl Default for Adam {
    /// β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸, no decay.
    fn default() -> Self {
        Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.0, decoupled: false }
    }
}

impl Optimizer for Adam {
    fn moments(&self) -> usize {
        2
    }

    #[inline]
    fn update(
        &self,
        simd: Simd,
        step: Step,
        w: &mut [f32],
        grad: &[f32],
        m: &mut [f32],
        v: &mut [f32],
    ) {
        // 1 − βᵗ loses most of its digits in f32 while t is small; f64 costs nothing once a step.
        let correction = |beta: f32| 1.0 - math::powi64(f64::from(beta), step.number);
        let rate = (f64::from(step.learning_rate) / correction(self.beta_1)) as f32;
        let root = math::sqrt((1.0 / correction(self.beta_2)) as f32);
        let keep = if self.decoupled { 1.0 - step.learning_rate * self.weight_decay } else { 1.0 };
        let penalty = if self.decoupled { 0.0 } else { self.weight_decay };
        simd.run(Update { rule: *self, rate, root, keep, penalty, w, grad, m, v });
    }
}

struct Update<'a> {
    rule: Adam,
    rate: f32,
    root: f32,
    keep: f32,
    penalty: f32,
    w: &'a mut [f32],
    grad: &'a [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
}

impl Kernel for Update<'_> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Adam { beta_1, beta_2, epsilon, .. } = self.rule;
        let Self { rate, root, keep, penalty, w, grad, m, v, .. } = self;
        for (((w, &g), m), v) in w.iter_mut().zip(grad).zip(m).zip(v) {
            let g = I::fma(penalty, *w, g);
            *m = I::fma(1.0 - beta_1, g - *m, *m);
            *v = I::fma(1.0 - beta_2, g * g - *v, *v);
            let direction = *m / I::fma(math::sqrt(*v), root, epsilon);
            *w = I::fma(-rate, direction, keep * *w);
        }
    }
}
