//! What a quantized network costs, known from its type.

use crate::{QDense, QDenseRelu};
use motenet::{Chain, Layer};

/// Flash and RAM of a network, as constants: assert them against a budget and a network that does not
/// fit does not build.
///
/// ```
/// use motenet::Seq;
/// use motenet_quant::{Footprint, QDense, QDenseRelu};
/// type Net = Seq![QDenseRelu<784, 64>, QDense<64, 10>];
/// const _: () = assert!(Net::FLASH_BYTES <= 52_000 && Net::RAM_BYTES <= 1_200);
/// ```
pub trait Footprint: Layer {
    /// Bytes of weights, biases and scales.
    const FLASH_BYTES: usize;
    /// Bytes of the workspace for one sample, the sums on the stack included, without the input.
    const WORK_BYTES: usize;
    /// Bytes of RAM for one sample: the input and the workspace.
    const RAM_BYTES: usize = size_of::<Self::Input>() + Self::WORK_BYTES;
}

impl<const IN: usize, const OUT: usize> Footprint for QDense<IN, OUT> {
    const FLASH_BYTES: usize = size_of::<Self>();
    const WORK_BYTES: usize = 4 * OUT;
}

impl<const IN: usize, const OUT: usize> Footprint for QDenseRelu<IN, OUT> {
    const FLASH_BYTES: usize = size_of::<Self>();
    const WORK_BYTES: usize = 4 * OUT + OUT;
}

impl<A: Footprint, B: Footprint + Layer<Input = A::Output>> Footprint for Chain<A, B> {
    const FLASH_BYTES: usize = A::FLASH_BYTES + B::FLASH_BYTES;
    const WORK_BYTES: usize = A::WORK_BYTES + B::WORK_BYTES;
}
