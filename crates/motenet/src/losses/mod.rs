//! Losses: how wrong an output is, and which way it should move.

mod binary_cross_entropy;
mod mean_squared_error;
mod softmax_cross_entropy;

pub use binary_cross_entropy::BinaryCrossEntropy;
pub use mean_squared_error::MeanSquaredError;
pub use softmax_cross_entropy::SoftmaxCrossEntropy;

use crate::kernels::Simd;

/// A loss over outputs of type `Y`.
pub trait Loss<Y> {
    /// What the output should have been.
    type Target: Copy;

    /// For each sample, `losses[n] = L(y[n], targets[n])` and `dy[n] = scale·∂L/∂y[n]`.
    ///
    /// # Shapes
    /// All slices are as long as the batch (the shortest sets the number of samples); `dy` and `losses`
    /// are overwritten. With `scale = 1 / B` the gradient is that of the mean over a batch of `B`, however
    /// the batch is split over calls. Never panics.
    ///
    /// # Accuracy
    /// Bit-exact across targets.
    fn gradient(
        &self,
        simd: Simd,
        y: &[Y],
        targets: &[Self::Target],
        scale: f32,
        dy: &mut [Y],
        losses: &mut [f32],
    );
}
