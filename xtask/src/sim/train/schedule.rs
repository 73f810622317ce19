//! What is learned when: how many samples, in which order, in what steps.

use motenet::random;

/// The settings of a training on a board, or on its twin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Schedule {
    /// Training digits, from the first.
    pub(super) samples: usize,
    /// How often each of them is learned from.
    pub(super) epochs: u32,
    /// Samples a step.
    pub(super) batch: u32,
    /// The highest learning rate.
    pub(super) learning_rate: f32,
    /// The pull of every weight towards zero.
    pub(super) weight_decay: f32,
    /// What the first weights and the order of the samples are drawn from.
    pub(super) seed: u64,
}

impl Schedule {
    pub(super) fn steps(&self) -> usize {
        self.epochs as usize * self.samples.div_ceil(self.batch as usize)
    }

    /// The order of the samples in an epoch, counted from 0.
    pub(super) fn order(&self, epoch: u32) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.samples).collect();
        let seed = random::mix(self.seed ^ random::mix(epoch.into()));
        random::shuffle(&mut random::generator(seed), &mut order);
        order
    }

    /// The learning rate of a step, counted from 0: up in a twentieth of the steps, so that no rectifier is lost to the
    /// first gradients, then in a straight line down to nothing.
    pub(super) fn rate(&self, step: u32) -> f32 {
        let (step, steps) = (step as f32, self.steps().max(1) as f32);
        let up = ((step + 1.0) / (steps / 20.0).max(1.0)).min(1.0);
        self.learning_rate * up * (1.0 - step / steps)
    }
}
