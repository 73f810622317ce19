//! What only a network's first layer can do: read bytes, and be divided by its outputs.
//!
//! **Bytes.** Pictures are kept as bytes. The first layer may read them as they are ([`Coded`]) and look up what each
//! stands for: the bits are those of numbers that were converted before.
//!
//! **Columns.** The outputs of a dense layer do not depend on each other, and its weights `w[i][o]` stand in columns, one
//! an output. A thread that keeps some columns to itself computes their outputs for every sample,
//! hands those over (a few numbers a sample), and later adds up and moves the columns' own gradient:
//! no weight ever leaves the thread. Every chain is whole, so the bits stay. (Known as column-parallel
//! layers: Shoeybi et al., "Megatron-LM", 2019.)
//!
//! The layers after the first are left to everyone: in the networks that this pays for they are small.
//!
//! Some columns of `Dense<IN, OUT>` are laid out as the whole layer is, narrower: `IN + 1` rows, the last
//! of which is the bias, of [`WIDTHS`] numbers each.

use crate::Shard;
use crate::kernels::Coded;
use crate::layer::{Pass, Train};

/// The numbers of columns that may go together, widest first.
pub const WIDTHS: [usize; 2] = [64, 32];

/// A network whose first layer may read bytes, and be divided by its outputs. What cannot says so by
/// [`CODED`](FirstLayer::CODED) `false` and [`COLUMNS`](FirstLayer::COLUMNS) 0, and its other functions do nothing.
pub trait FirstLayer: Train {
    /// Whether the first layer reads bytes.
    const CODED: bool = false;

    /// Outputs of the first layer, a multiple of 32 with as many biases; 0 if it cannot be divided, or reads no bytes.
    ///
    /// Its parameters are then the first `(LEN + 1) · COLUMNS` of the flat slice, row by row, for inputs
    /// of `LEN` numbers.
    const COLUMNS: usize = 0;

    /// [`forward`](crate::Layer::forward) of bytes.
    fn forward_coded<const N: usize>(&self, pass: Pass, x: Coded<'_>, acts: &mut Self::Acts<N>) {
        let _ = (pass, x, acts);
    }

    /// [`accumulate`](Train::accumulate) for bytes.
    fn accumulate_coded<const N: usize>(
        pass: Pass,
        x: Coded<'_>,
        acts: &Self::Acts<N>,
        d_acts: &Self::Acts<N>,
        grad: Shard<'_>,
    ) {
        let _ = (pass, x, acts, d_acts, grad);
    }

    /// The first layer's outputs in a workspace (or their gradient in that of the gradient), `COLUMNS` a sample.
    fn columns<const N: usize>(acts: &Self::Acts<N>) -> &[f32] {
        let _ = acts;
        &[]
    }

    /// [`columns`](FirstLayer::columns), to write through.
    fn columns_mut<const N: usize>(acts: &mut Self::Acts<N>) -> &mut [f32] {
        let _ = acts;
        &mut []
    }

    /// `y[n][o] = b[o] + Σ_i x[n][i]·w[i][o]` for the outputs of some columns.
    ///
    /// # Shapes
    /// `columns`: `LEN + 1` rows of a width out of [`WIDTHS`], or nothing happens; `y`: samples × width,
    /// overwritten. The shorter of `x` and `y` sets the number of samples. Never panics.
    fn forward_columns(pass: Pass, x: Coded<'_>, columns: &[f32], y: &mut [f32]) {
        let _ = (pass, x, columns, y);
    }

    /// [`forward`](crate::Layer::forward) of `samples` samples from the first layer's outputs on, which are in `acts`.
    fn forward_rest<const N: usize>(&self, pass: Pass, samples: usize, acts: &mut Self::Acts<N>) {
        let _ = (pass, samples, acts);
    }

    /// `dw[i][o] += Σ_n x[n][i]·dy[n][o]`, `db[o] += Σ_n dy[n][o]` for the outputs of some columns.
    ///
    /// # Shapes
    /// `dy`: samples × width; `grad`: as `columns` of [`forward_columns`](FirstLayer::forward_columns), accumulated.
    /// Never panics.
    fn accumulate_columns(pass: Pass, x: Coded<'_>, dy: &[f32], grad: &mut [f32]) {
        let _ = (pass, x, dy, grad);
    }
}
