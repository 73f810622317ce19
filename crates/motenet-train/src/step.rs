//! What a step works with, however it is divided among threads.

use crate::lane::Lane;
use crate::profile::Stopwatch;
use crate::settings::Settings;
use crate::team::Team;
use motenet::{Aligned, Optimizer, Params, Simd, Step, Zero};
use motenet_models::Model;

/// Those who do it: one lane and one watch for each thread.
pub(crate) struct Crew<'a, M: Model> {
    pub(crate) team: &'a mut Team,
    pub(crate) lanes: &'a mut [Lane<M>],
    pub(crate) watches: &'a mut [Stopwatch],
    pub(crate) simd: Simd,
}

/// What is to be learnt in one step.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) indices: &'a [u32],
    /// The number of the first of them in the run: every sample has one, whatever the last batch's length.
    pub(crate) first_sample: u64,
    /// What the gradient of their losses is multiplied by: one over their number.
    pub(crate) scale: f32,
    pub(crate) step: Step,
}

/// The parameters of a model in training, and its optimizer's moments; those that it does not keep are empty.
pub(crate) struct Whole<M: Model> {
    pub(crate) network: Box<Aligned<M::Network>>,
    pub(crate) moments: [Vec<f32>; 2],
}

impl<M: Model> Whole<M> {
    /// All zero, with the moments that are `kept`.
    pub(crate) fn zero(kept: [bool; 2]) -> Self {
        let moments = kept.map(|kept| vec![0.0; if kept { M::Network::COUNT } else { 0 }]);
        Whole { network: Zero::boxed(), moments }
    }

    pub(crate) fn network(&self) -> &M::Network {
        &self.network
    }
}

/// A run of parameters that one thread moves, with their gradient and moments.
pub(crate) struct Part<'a> {
    pub(crate) weights: &'a mut [f32],
    pub(crate) grad: &'a mut [f32],
    pub(crate) first: &'a mut [f32],
    pub(crate) second: &'a mut [f32],
}

/// Parameters moved at a time: weights, gradient and moments of so many stay in the first-level cache.
const CHUNK: usize = 2048;

impl Part<'_> {
    /// Moves the parameters and clears their gradient for the next step, while it is at hand.
    pub(crate) fn update(self, optimizer: &impl Optimizer, simd: Simd, step: Step) {
        let mut first = self.first.chunks_mut(CHUNK);
        let mut second = self.second.chunks_mut(CHUNK);
        for (weights, grad) in self.weights.chunks_mut(CHUNK).zip(self.grad.chunks_mut(CHUNK)) {
            let (first, second) = (first.next(), second.next());
            let (first, second) = (first.unwrap_or_default(), second.unwrap_or_default());
            optimizer.update(simd, step, weights, grad, first, second);
            grad.fill(0.0);
        }
    }
}
