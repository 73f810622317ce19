//! The weights that known runs end with, so that anyone can see whether theirs are the same.

use crate::{Model, Recipe};

/// The end of a model's run by its own recipe.
///
/// A change to the arithmetic, on purpose, changes these hashes too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// SHA-256 of the dataset with its splits, in hex, as a checkpoint names it.
    pub dataset_sha256: &'static str,
    /// The seed of the run.
    pub seed: u64,
    /// SHA-256 of the little-endian bytes of the weights, in hex.
    pub weights_sha256: &'static str,
}

impl Published {
    /// What was published for model `M` with these settings; `None` if nothing was. Never panics.
    ///
    /// ```
    /// use motenet_models::{Model, Published, digits::Mlp};
    /// let mnist = Mlp::PUBLISHED[0];
    /// assert_eq!(Published::of::<Mlp>(mnist.dataset_sha256, &Mlp::RECIPE, 1), Some(mnist));
    /// assert_eq!(Published::of::<Mlp>(mnist.dataset_sha256, &Mlp::RECIPE, 2), None);
    /// ```
    pub fn of<M: Model>(dataset_sha256: &str, recipe: &Recipe, seed: u64) -> Option<Published> {
        let same = |published: &&Published| {
            published.dataset_sha256 == dataset_sha256 && published.seed == seed
        };
        M::PUBLISHED.iter().find(same).filter(|_| *recipe == M::RECIPE).copied()
    }
}
