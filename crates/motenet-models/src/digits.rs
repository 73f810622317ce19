//! Models that read a 28×28 digit: 784 pixels between 0 and 1, ten logits.

use crate::{Model, Published, Recipe};
use motenet::{AnyOptimizer, Dense, Layer, Relu, Schedule, Seq, Sgd, Sigmoid, SoftmaxCrossEntropy};

/// The pixels of a digit.
pub type Pixels = [f32; 784];
/// One logit a class.
pub type Logits = [f32; 10];

/// A [`Model`] that reads digits.
pub trait DigitModel:
    Model<Network: Layer<Input = Pixels, Output = Logits>, Loss = SoftmaxCrossEntropy>
{
}

impl<M> DigitModel for M where
    M: Model<Network: Layer<Input = Pixels, Output = Logits>, Loss = SoftmaxCrossEntropy>
{
}

/// Something to do with a model whose name is known at run time only.
pub trait Visit {
    /// What comes of it.
    type Result;

    /// Does it with `M`.
    fn visit<M: DigitModel>(self) -> Self::Result;
}

macro_rules! models {
    ($($(#[$about:meta])* $name:ident = $text:literal, $line:literal: [$($layer:ty),*], $recipe:expr
        $(, published $published:expr)?;)*) =>
    {
        $(
            $(#[$about])*
            #[derive(Clone, Copy, Debug)]
            pub enum $name {}

            impl Model for $name {
                const NAME: &'static str = $text;
                const ABOUT: &'static str = $line;
                const RECIPE: Recipe = $recipe;
                $(const PUBLISHED: &'static [Published] = &$published;)?
                type Network = Seq![$($layer),*];
                type Loss = SoftmaxCrossEntropy;

                fn loss(label_smoothing: f32) -> SoftmaxCrossEntropy {
                    SoftmaxCrossEntropy { label_smoothing }
                }

                /// The largest logit is that of the label.
                fn is_right(y: &Logits, label: &u8) -> bool {
                    motenet::argmax(y) == usize::from(*label)
                }
            }
        )*

        /// The names of all models of this kind.
        pub const NAMES: &[&str] = &[$($text),*];

        /// Does `visit` with the model called `name`; `None` if there is none.
        pub fn find<V: Visit>(name: &str, visit: V) -> Option<V::Result> {
            match name {
                $($text => Some(visit.visit::<$name>()),)*
                _ => None,
            }
        }
    };
}

models! {
    /// The default: one hidden layer of 64 rectifiers.
    Mlp = "mlp", "784-64-10 with ReLU: the default":
        [Dense<784, 64>, Relu<64>, Dense<64, 10>],
        Recipe {
            epochs: 15,
            learning_rate: 0.2,
            schedule: Schedule::OneCycle,
            optimizer: AnyOptimizer::Sgd(Sgd { momentum: 0.9, nesterov: false, weight_decay: 3e-4 }),
            label_smoothing: 0.05,
            ..Recipe::PLAIN
        },
        published [
            // MNIST, and the made-up digits of every run.
            Published {
                dataset_sha256: "6a42eb63e746a55c26d93d9bfc08affef7818728311f2e33f3054ffe11edb92d",
                seed: 1,
                weights_sha256: "b64c59e34a271c272d90153b6f46e3220d3f47db74ae96d3c144fdf36890d3b6",
            },
            Published {
                dataset_sha256: "5d87d5d0ea953c5c402cd720d3e12fc44bab7abec84b41756934fd8f3e60499a",
                seed: 1,
                weights_sha256: "075fd9e2073dd661ceb992277f1439ef617277e24098dc689b04cb478a3730f7",
            },
        ];

    /// Eight times as wide.
    MlpWide = "mlp-wide", "784-512-10 with ReLU":
        [Dense<784, 512>, Relu<512>, Dense<512, 10>],
        Mlp::RECIPE;

    /// The textbook's network, trained by plain gradient descent.
    Framework = "framework", "784-64-10 with ReLU, plain gradient descent":
        [Dense<784, 64>, Relu<64>, Dense<64, 10>],
        Recipe::PLAIN;

    /// The same with sigmoids.
    FrameworkSigmoid = "framework-sigmoid", "784-64-10 with sigmoid, plain gradient descent":
        [Dense<784, 64>, Sigmoid<64>, Dense<64, 10>],
        Recipe::PLAIN;

    /// Ten hidden units, few enough to look at each.
    Notebook = "notebook", "784-10-10 with ReLU, small enough to look inside":
        [Dense<784, 10>, Relu<10>, Dense<10, 10>],
        Recipe { learning_rate: 0.1, ..Recipe::PLAIN };
}
