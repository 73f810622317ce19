//! Models that learn the average of a greyscale rectangle: `napkin`, small enough for one, and what
//! grows out of it.

use crate::{Model, Recipe};
use motenet::{Dense, Layer, MeanSquaredError, NoBias, Params, Relu, Seq};

/// A [`Model`] from the `LEN` pixels of a rectangle to their average.
pub trait RectangleModel<const LEN: usize>:
    Model<Network: Layer<Input = [f32; LEN], Output = [f32; 1]>, Loss = MeanSquaredError>
{
}

impl<M, const LEN: usize> RectangleModel<LEN> for M where
    M: Model<Network: Layer<Input = [f32; LEN], Output = [f32; 1]>, Loss = MeanSquaredError>
{
}

/// Something to do with a model whose name is known at run time only.
pub trait Visit {
    /// What comes of it.
    type Result;

    /// Does it with `M`, whose rectangles have `LEN` pixels.
    fn visit<M: RectangleModel<LEN>, const LEN: usize>(self) -> Self::Result;
}

/// 300 steps of gradient descent at 0.1, each over all 1,000 rectangles.
const RECIPE: Recipe =
    Recipe { epochs: 300, batch_size: 1_000, learning_rate: 0.1, ..Recipe::PLAIN };

/// An answer counts as right this near to the average: half a step of the one decimal that pixels have.
pub const NEAR: f32 = 0.05;

/// The weights that the four-weight models start from.
const START: [f32; 4] = [0.98, 0.4, 0.86, -0.08];

macro_rules! models {
    ($($(#[$about:meta])* $name:ident = $text:literal, $line:literal: $len:literal, [$($layer:ty),*],
        $recipe:expr $(, start $start:expr)?;)*) =>
    {
        $(
            $(#[$about])*
            #[derive(Clone, Copy, Debug)]
            pub enum $name {}

            impl Model for $name {
                const NAME: &'static str = $text;
                const ABOUT: &'static str = $line;
                const RECIPE: Recipe = $recipe;
                type Network = Seq![$($layer),*];
                type Loss = MeanSquaredError;

                fn loss(_: f32) -> MeanSquaredError {
                    MeanSquaredError
                }

                /// Within [`NEAR`].
                fn is_right(y: &[f32; 1], target: &[f32; 1]) -> bool {
                    y.iter().zip(target).all(|(y, target)| (y - target).abs() < NEAR)
                }

                $(
                    /// Starts from the given weights, the rest from zero; no random number is drawn.
                    fn init<R: rand_core::Rng>(network: &mut Self::Network, _: &Recipe, _: &mut R) {
                        let flat = network.flat_mut();
                        flat.fill(0.0);
                        let start: &[f32] = &$start;
                        for (weight, &start) in flat.iter_mut().zip(start) {
                            *weight = start;
                        }
                    }
                )?
            }
        )*

        /// The names of all models of this kind.
        pub const NAMES: &[&str] = &[$($text),*];

        /// Does `visit` with the model called `name`; `None` if there is none.
        pub fn find<V: Visit>(name: &str, visit: V) -> Option<V::Result> {
            match name {
                $($text => Some(visit.visit::<$name, $len>()),)*
                _ => None,
            }
        }
    };
}

models! {
    /// Four weights and nothing else.
    Napkin = "napkin", "the average of a 2×2 rectangle: four weights, no bias":
        4, [Dense<4, 1, NoBias>], RECIPE, start START;

    /// With a bias, which has to learn to be zero.
    NapkinBias = "napkin-bias", "the same with a bias":
        4, [Dense<4, 1>], RECIPE, start START;

    /// With a hidden layer.
    NapkinHidden = "napkin-hidden", "the same with a hidden layer of 4":
        4, [Dense<4, 4>, Dense<4, 1>], RECIPE;

    /// With two hidden layers and a nonlinearity it does not need.
    NapkinRelu = "napkin-relu", "the same with two hidden layers of 8 and ReLU":
        4, [Dense<4, 8>, Relu<8>, Dense<8, 8>, Relu<8>, Dense<8, 1>], RECIPE;

    /// A hundred by a hundred pixels. The steepest direction of the error is 2,500 times steeper, so
    /// the rate is as much smaller; and the weights start from zero, because 1,000 rectangles cannot
    /// correct what a random start puts into 10,000 weights.
    NapkinLarge = "napkin-large", "the average of a 100×100 rectangle: 10,000 weights, no bias":
        10_000, [Dense<10_000, 1, NoBias>],
        Recipe { learning_rate: 1e-4, ..RECIPE }, start [];
}
