//! What a run is made of: settings, which never change, and a position, which moves.

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
