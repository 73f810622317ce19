//! The named models: one type each, with the recipe that trains it.
//!
//! A [`Model`] is a name for a network type and for everything else a training run needs to know. The
//! trainer, the command line, the exporter and the firmware all start from these types. To add one:
//! write it in [`digits`] or [`rectangles`], and add it to the list there.
//!
//! ```
//! use motenet::{Layer, Params};
//! use motenet_models::{Model, digits::Mlp};
//! assert_eq!(Mlp::NAME, "mlp");
//! assert_eq!(<Mlp as Model>::Network::COUNT, 50_890);
//! ```
#![no_std]

pub mod digits;
mod published;
mod recipe;
pub mod rectangles;

pub use published::Published;
pub use recipe::Recipe;

use motenet::{FirstLayer, Init, Layer, LayerInfo, Loss};

/// A network with a name, a loss and a recipe.
pub trait Model: 'static {
    /// What a user types: `mlp`.
    const NAME: &'static str;
    /// One line for a table.
    const ABOUT: &'static str;
    /// The settings that train it well.
    const RECIPE: Recipe;
    /// What known runs by that recipe end with.
    const PUBLISHED: &'static [Published] = &[];
    /// The network: its shapes, and so its memory.
    type Network: FirstLayer + Init + Send + Sync + 'static;
    /// What it minimises.
    type Loss: Loss<Output<Self>, Target: Send + Sync> + Copy + Send + Sync;

    /// The loss, given the label smoothing asked for (losses without labels leave it out).
    fn loss(label_smoothing: f32) -> Self::Loss;

    /// Whether an output counts as right, for the accuracy: the right class, or a number near enough.
    fn is_right(y: &Output<Self>, target: &Target<Self>) -> bool;

    /// Gives a network its first parameters: random ones by default.
    fn init<R: rand_core::Rng>(network: &mut Self::Network, recipe: &Recipe, rng: &mut R) {
        network.init(recipe.init, 1.0, rng);
    }

    /// Calls `visit` with each layer in order.
    fn describe(visit: &mut dyn FnMut(LayerInfo)) {
        Self::Network::describe(visit);
    }
}

/// One sample that goes into a model.
pub type Input<M> = <<M as Model>::Network as Layer>::Input;
/// One sample that comes out.
pub type Output<M> = <<M as Model>::Network as Layer>::Output;
/// What should have come out.
pub type Target<M> = <<M as Model>::Loss as Loss<Output<M>>>::Target;
