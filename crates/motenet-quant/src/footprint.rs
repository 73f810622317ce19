//! What a quantized network costs, known from its type.

use crate::kernels::LIST_BYTES;
use crate::{QDense, QDenseRelu};
use motenet::{Chain, Layer};

/// Flash and RAM of a network, as constants: assert them against a budget and a network that does not
/// fit does not build.
///
/// ```
/// use motenet::Seq;
/// use motenet_quant::{Footprint, QDense, QDenseRelu};
/// type Net = Seq![QDenseRelu<784, 64>, QDense<64, 10>];
/// const _: () = assert!(Net::FLASH_BYTES <= 52_000 && Net::RAM_BYTES <= 2_200);
/// ```
pub trait Footprint: Layer {
    /// Bytes of weights, biases and scales.
    const FLASH_BYTES: usize;
    /// Bytes of activations for one sample, `Acts<1>`: every layer's, side by side.
    const ACTS_BYTES: usize;
    /// Bytes of tables on the stack while a layer runs, the same for one layer after the other: the list
    /// of inputs that are not zero, the sums of a hidden layer.
    const SCRATCH_BYTES: usize;
    /// Bytes of the workspace for one sample: activations and tables, without the input.
    const WORK_BYTES: usize = Self::ACTS_BYTES + Self::SCRATCH_BYTES;
    /// Bytes of RAM for one sample: the input and the workspace. What functions save on the stack, some
    /// 300 bytes, comes on top.
    const RAM_BYTES: usize = size_of::<Self::Input>() + Self::WORK_BYTES;
}

impl<const IN: usize, const OUT: usize> Footprint for QDense<IN, OUT> {
    const FLASH_BYTES: usize = size_of::<Self>();
    const ACTS_BYTES: usize = 4 * OUT;
    const SCRATCH_BYTES: usize = LIST_BYTES;
}

impl<const IN: usize, const OUT: usize> Footprint for QDenseRelu<IN, OUT> {
    const FLASH_BYTES: usize = size_of::<Self>();
    const ACTS_BYTES: usize = OUT;
    const SCRATCH_BYTES: usize = 4 * OUT + LIST_BYTES;
}

impl<A: Footprint, B: Footprint + Layer<Input = A::Output>> Footprint for Chain<A, B> {
    const FLASH_BYTES: usize = A::FLASH_BYTES + B::FLASH_BYTES;
    const ACTS_BYTES: usize = A::ACTS_BYTES + B::ACTS_BYTES;
    const SCRATCH_BYTES: usize = max(A::SCRATCH_BYTES, B::SCRATCH_BYTES);
}

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}
