//! The settings of a training run.

use motenet::{AnyOptimizer, Schedule, Scheme, Sgd};

/// How to train a model. A run is a pure function of the model type, the dataset, these and a seed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Recipe {
    /// Passes over the training set.
    pub epochs: u32,
    /// Samples a step.
    pub batch_size: u32,
    /// The full learning rate.
    pub learning_rate: f32,
    /// How the learning rate moves over the run.
    pub schedule: Schedule,
    /// The rule that moves the parameters.
    pub optimizer: AnyOptimizer,
    /// The distribution of the first weights.
    pub init: Scheme,
    /// The share of each label spread over all classes.
    pub label_smoothing: f32,
    /// Gradients longer than this are scaled down; 0 for no limit.
    pub clip_norm: f32,
}

impl Recipe {
    /// Plain gradient descent at a constant rate of 0.01, 10 epochs in batches of 64: the textbook.
    pub const PLAIN: Recipe = Recipe {
        epochs: 10,
        batch_size: 64,
        learning_rate: 0.01,
        schedule: Schedule::Constant,
        optimizer: AnyOptimizer::Sgd(Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 }),
        init: Scheme::KaimingNormal,
        label_smoothing: 0.0,
        clip_norm: 0.0,
    };
}
