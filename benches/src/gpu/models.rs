//! The models that are compared, from narrow to wide.

use motenet::{Dense, Relu, Seq, SoftmaxCrossEntropy};
use motenet_models::digits::{DigitModel, Logits, Mlp, MlpWide};
use motenet_models::{Model, Recipe};

/// 784-1024-1024-10 with ReLU.
#[derive(Clone, Copy, Debug)]
pub(super) enum MlpWider {}

impl Model for MlpWider {
    const NAME: &'static str = "mlp-wider";
    const ABOUT: &'static str = "784-1024-1024-10 with ReLU";
    const RECIPE: Recipe = Mlp::RECIPE;
    type Network =
        Seq![Dense<784, 1024>, Relu<1024>, Dense<1024, 1024>, Relu<1024>, Dense<1024, 10>];
    type Loss = SoftmaxCrossEntropy;

    fn loss(label_smoothing: f32) -> SoftmaxCrossEntropy {
        SoftmaxCrossEntropy { label_smoothing }
    }

    fn is_right(y: &Logits, label: &u8) -> bool {
        motenet::argmax(y) == usize::from(*label)
    }
}

/// Something to do with each model.
pub(super) trait Visit {
    type Error;

    fn visit<M: DigitModel>(&mut self, shape: &'static str) -> Result<(), Self::Error>;
}

/// Does it, narrowest first.
pub(super) fn each<V: Visit>(visit: &mut V) -> Result<(), V::Error> {
    visit.visit::<Mlp>("784-64-10")?;
    visit.visit::<MlpWide>("784-512-10")?;
    visit.visit::<MlpWider>("784-1024-1024-10")
}
