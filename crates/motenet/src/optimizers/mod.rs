//! Optimizers: each is one loop over flat slices of parameters, gradient and moments.

mod adam;
mod clip;
mod sgd;

pub use adam::Adam;
pub use clip::clip_norm;
pub use sgd::Sgd;

use crate::kernels::Simd;

/// Where in the run a step is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The number of the step, counted from 1.
    pub number: u32,
    /// The learning rate of this step.
    pub learning_rate: f32,
}

/// A rule that moves parameters against their gradient.
pub trait Optimizer {
    /// How many moments the rule keeps for each parameter: 0, 1 or 2.
    fn moments(&self) -> usize;

    /// Takes one step: updates `w`, and the moments it keeps, from the gradient.
    ///
    /// # Shapes
    /// `w` and `grad` are the same run of the model's and its gradient's flat slices; `m` and `v` that of
    /// the first and second moment, zero before the first step. A moment that the rule does not keep
    /// may be empty. Elements past the shortest slice stay as they are. Never panics.
    ///
    /// # Accuracy
    /// Each parameter is updated by itself: bit-exact across targets, and however the slices are cut.
    fn update(
        &self,
        simd: Simd,
        step: Step,
        w: &mut [f32],
        grad: &[f32],
        m: &mut [f32],
        v: &mut [f32],
    );
}

/// An optimizer chosen at run time.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum AnyOptimizer {
    /// Gradient descent, with momentum or without.
    Sgd(Sgd),
    /// Adam or AdamW.
    Adam(Adam),
}

impl Optimizer for AnyOptimizer {
    fn moments(&self) -> usize {
        match self {
            AnyOptimizer::Sgd(rule) => rule.moments(),
            AnyOptimizer::Adam(rule) => rule.moments(),
        }
    }

    fn update(
        &self,
        simd: Simd,
        step: Step,
        w: &mut [f32],
        grad: &[f32],
        m: &mut [f32],
        v: &mut [f32],
    ) {
        match self {
            AnyOptimizer::Sgd(rule) => rule.update(simd, step, w, grad, m, v),
            AnyOptimizer::Adam(rule) => rule.update(simd, step, w, grad, m, v),
        }
    }
}
