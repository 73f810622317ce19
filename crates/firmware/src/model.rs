//! The network, and the one function that is measured.

use motenet::{Acts, Layer, Pass, Simd, Tensor, Zero};
use motenet_quant::{Budget, Footprint, argmax};

/// The exported file: build.rs put it there.
#[allow(missing_docs)]
mod exported {
    include!(concat!(env!("OUT_DIR"), "/model.rs"));
}

pub use exported::{MODEL, MODEL_NAME, Network, SOFTMAX};

/// SHA-256 of the exported file.
pub const HASH: [u8; 32] = include!(concat!(env!("OUT_DIR"), "/model_hash.rs"));

/// One sample.
pub type Input = <Network as Layer>::Input;
/// What an inference leaves behind, the logits included.
pub type Workspace = <Network as Layer>::Acts<1>;

/// Bytes of an input.
pub const INPUTS: usize = <Input as Tensor>::LEN;
/// How many logits.
pub const OUTPUTS: usize = <<Network as Layer>::Output as Tensor>::LEN;
/// Flash of weights, biases and scales.
pub const FLASH_BYTES: usize = <Network as Footprint>::FLASH_BYTES;
/// RAM of one inference.
pub const RAM_BYTES: usize = <Network as Footprint>::RAM_BYTES;
/// An empty workspace.
pub const WORKSPACE: Workspace = Workspace::ZERO;

// A model that does not fit the board does not build.
const _: () = {
    let budget: Budget = include!(concat!(env!("OUT_DIR"), "/budget.rs"));
    budget.assert_fits::<Network>();
};

/// The class of an input; the logits are in the workspace then.
///
/// Never inlined, so that its instructions, code and stack are its own.
#[inline(never)]
pub fn infer(input: &Input, workspace: &mut Workspace) -> u16 {
    MODEL.forward(Pass::infer(Simd::baseline()), core::slice::from_ref(input), workspace);
    argmax(logits(workspace)) as u16
}

/// The logits of the last inference.
#[inline]
pub fn logits(workspace: &Workspace) -> &[i32] {
    Tensor::flatten(workspace.output())
}

/// How sure the model is of the class, in 65536ths.
pub fn confidence(logits: &[i32]) -> u16 {
    SOFTMAX.confidence(logits)
}
