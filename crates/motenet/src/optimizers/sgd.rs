//! Stochastic gradient descent (Robbins and Monro, 1951), with momentum (Polyak, 1964) and in Nesterov's
//! form as Sutskever et al. (2013) write it.
//!
//! ```text
//! g ← g + λ·w                  weight decay λ
//! v ← μ·v + g                  momentum μ
//! w ← w − η·v                  or, Nesterov: w ← w − η·(g + μ·v)
//! ```

use super::{Optimizer, Step};
use crate::kernels::{Isa, Kernel, Simd};

/// `w ← w − η·g`, with momentum, Nesterov's correction and weight decay as options.
///
/// # Memory
/// No moment without momentum, else one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sgd {
    /// The share μ of the last step that is kept, in `[0, 1)`; 0 for plain descent.
    pub momentum: f32,
    /// Looks ahead along the momentum before stepping.
    pub nesterov: bool,
    /// The pull λ of every parameter towards zero, as an L2 penalty `λ/2·w²`.
    pub weight_decay: f32,
}

impl Optimizer for Sgd {
    fn moments(&self) -> usize {
        usize::from(self.momentum != 0.0)
    }

    #[inline]
    fn update(
        &self,
        simd: Simd,
        step: Step,
        w: &mut [f32],
        grad: &[f32],
        m: &mut [f32],
        _v: &mut [f32],
    ) {
        let rate = step.learning_rate;
        if self.momentum == 0.0 {
            simd.run(Plain { decay: self.weight_decay, rate, w, grad });
        } else {
            simd.run(Momentum { rule: *self, rate, w, grad, velocity: m });
        }
    }
}

struct Plain<'a> {
    decay: f32,
    rate: f32,
    w: &'a mut [f32],
    grad: &'a [f32],
}

impl Kernel for Plain<'_> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { decay, rate, w, grad } = self;
        for (w, &g) in w.iter_mut().zip(grad) {
            *w = I::fma(-rate, I::fma(decay, *w, g), *w);
        }
    }
}

struct Momentum<'a> {
    rule: Sgd,
    rate: f32,
    w: &'a mut [f32],
    grad: &'a [f32],
    velocity: &'a mut [f32],
}

impl Kernel for Momentum<'_> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { rule: Sgd { momentum, nesterov, weight_decay }, rate, w, grad, velocity } = self;
        for ((w, &g), v) in w.iter_mut().zip(grad).zip(velocity) {
            let g = I::fma(weight_decay, *w, g);
            *v = I::fma(momentum, *v, g);
            let direction = if nesterov { I::fma(momentum, *v, g) } else { *v };
            *w = I::fma(-rate, direction, *w);
        }
    }
}
