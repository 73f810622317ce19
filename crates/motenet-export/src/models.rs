//! The named models that can be quantized: those whose hidden layers are dense ones with rectifiers.

use crate::Integers;
use crate::quantize::Quantize;
use motenet::{Layer, Zero};
use motenet_models::Model;
use motenet_models::digits::{DigitModel, Framework, Mlp, MlpWide, Notebook};
use motenet_quant::Footprint;

/// A quantized network that reads digits.
pub trait DigitIntegers:
    Layer<Input = [u8; 784], Output = [i32; 10]> + Footprint + Integers + Zero
{
}

impl<Q> DigitIntegers for Q where
    Q: Layer<Input = [u8; 784], Output = [i32; 10]> + Footprint + Integers + Zero
{
}

/// Something to do with a model whose name is known at run time only.
pub trait Visit {
    /// What comes of it.
    type Result;

    /// Does it with `M`.
    fn visit<M: DigitModel>(self) -> Self::Result
    where
        M::Network: Quantize<Quantized: DigitIntegers>;
}

/// The names of the models that can be quantized.
pub const NAMES: [&str; 4] = [Mlp::NAME, MlpWide::NAME, Framework::NAME, Notebook::NAME];

/// Does `visit` with the model called `name`; `None` if there is none, or it cannot be quantized.
pub fn find<V: Visit>(name: &str, visit: V) -> Option<V::Result> {
    match name {
        Mlp::NAME => Some(visit.visit::<Mlp>()),
        MlpWide::NAME => Some(visit.visit::<MlpWide>()),
        Framework::NAME => Some(visit.visit::<Framework>()),
        Notebook::NAME => Some(visit.visit::<Notebook>()),
        _ => None,
    }
}
