//! What a run is made of: settings, which never change, and a position, which moves.

use motenet::{Step, random};
use motenet_models::Recipe;
use serde::{Deserialize, Serialize};

/// Everything that decides the bits of a run, besides the model and the data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How the model is trained.
    pub recipe: Recipe,
    /// Decides the first weights, the order of the samples and every random mask.
    pub seed: u64,
}

impl Settings {
    /// The order in which epoch `epoch` draws `len` samples: a function of the seed and the epoch.
    pub fn order(&self, epoch: u32, len: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..len as u32).collect();
        let key = random::mix(self.seed ^ random::mix(u64::from(epoch) + 1));
        random::shuffle(&mut random::generator(key), &mut order);
        order
    }

    /// Whether a run that stands at `position` has trained every epoch.
    pub fn is_done(&self, position: Position) -> bool {
        position.epoch >= self.recipe.epochs
    }

    /// The number and the learning rate of the step at `position`, where an epoch has `steps` of them.
    pub fn step(&self, position: Position, steps: u32) -> Step {
        let Recipe { schedule, learning_rate, epochs, .. } = self.recipe;
        let done = position.epoch.saturating_mul(steps).saturating_add(position.step);
        let rate = schedule.learning_rate(learning_rate, done, epochs.saturating_mul(steps));
        Step { number: done.saturating_add(1), learning_rate: rate }
    }
}

/// How far a run has come, and what it has seen since the epoch began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Epochs completed.
    pub epoch: u32,
    /// Steps completed in the epoch that has begun.
    pub step: u32,
    /// The sum of the losses of this epoch's samples so far, added in the order they were drawn.
    pub loss_sum: f64,
    /// How many of them were right.
    pub right: u64,
}
