//! The dense (fully connected) layer, `y = b + x·W`.
//!
//! Forward, for each output `o`:
//!
//! ```text
//! y[o] = b[o] + Σ_i x[i]·w[i][o]
//! ```
//!
//! Backward, by the chain rule, from `dy[o] = ∂L/∂y[o]`. The sum holds each factor once, so
//! `∂y[o]/∂x[i] = w[i][o]`, `∂y[o]/∂w[i][o] = x[i]`, `∂y[o]/∂b[o] = 1`, and
//!
//! ```text
//! dx[i]    = Σ_o w[i][o]·dy[o]
//! dw[i][o] = Σ_n x[n][i]·dy[n][o]     over the samples n of the batch
//! db[o]    = Σ_n dy[n][o]
//! ```

use crate::first_layer::FirstLayer;
use crate::kernels::{
    Coded, Codes, Inputs, add_outer_coded, add_outer_from, add_outer_part, add_rows, affine,
    affine_coded, mul_transposed,
};
use crate::layer::{Layer, LayerInfo, Pass, Train};
use crate::tensor::{first, first_mut};
use crate::{Init, Params, Scheme, Shard};
use rand_core::Rng;

/// `y = b + x·W`, from `IN` numbers to `OUT`.
///
/// The weights are input-major, `weights[i][o]`: the inner loops run over contiguous outputs and
/// become vectors without reordering any sum. (PyTorch's `Linear.weight` is the transpose.)
///
/// # Memory
/// `4·(IN + 1)·OUT` bytes, `4·IN·OUT` without bias; `Acts<N>`: `4·N·OUT` bytes.
///
/// ```
/// use motenet::{Acts, Dense, Layer, Pass, Simd};
/// let layer = Dense::<2, 1> { weights: [[2.0], [3.0]], bias: [0.5] };
/// let mut acts = [[0.0]];
/// layer.forward(Pass::infer(Simd::baseline()), &[[10.0, 1.0]], &mut acts);
/// assert_eq!(acts.output(), [[23.5]]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Dense<const IN: usize, const OUT: usize, B = [f32; OUT]> {
    /// `weights[i][o]` leads from input `i` to output `o`.
    pub weights: [[f32; OUT]; IN],
    /// One number an output, or [`NoBias`].
    pub bias: B,
}

/// What a [`Dense`] layer adds: `[f32; OUT]`, or nothing.
pub trait Bias<const OUT: usize>: Params {
    /// The bias, if there is one.
    fn row(&self) -> Option<&[f32; OUT]>;
}

impl<const OUT: usize> Bias<OUT> for [f32; OUT] {
    #[inline(always)]
    fn row(&self) -> Option<&[f32; OUT]> {
        Some(self)
    }
}

/// No bias: `Dense<4, 1, NoBias>`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NoBias;

impl<const OUT: usize> Bias<OUT> for NoBias {
    #[inline(always)]
    fn row(&self) -> Option<&[f32; OUT]> {
        None
    }
}

impl<const IN: usize, const OUT: usize, B: Bias<OUT>> Layer for Dense<IN, OUT, B> {
    type Input = [f32; IN];
    type Output = [f32; OUT];
    type Acts<const N: usize> = [[f32; OUT]; N];

    /// `y[n][o] = b[o] + Σ_i x[n][i]·w[i][o]`
    #[inline]
    fn forward<const N: usize>(&self, pass: Pass, x: &[[f32; IN]], y: &mut [[f32; OUT]; N]) {
        debug_assert!(x.len() <= N, "a batch of {} does not fit a workspace of {N}", x.len());
        affine(pass.simd, x, &self.weights, self.bias.row(), first_mut(y, x.len()));
    }

    fn describe(visit: &mut dyn FnMut(LayerInfo)) {
        visit(LayerInfo {
            name: "Dense",
            input_len: IN,
            output_len: OUT,
            params: Self::COUNT,
            macs: IN * OUT,
        });
    }
}

impl<const IN: usize, const OUT: usize, B: Bias<OUT>> Train for Dense<IN, OUT, B> {
    /// `dx[n][i] = Σ_o w[i][o]·dy[n][o]`
    #[inline]
    fn backward<const N: usize>(
        &self,
        pass: Pass,
        x: &[[f32; IN]],
        _y: &[[f32; OUT]; N],
        dy: &mut [[f32; OUT]; N],
        dx: Option<&mut [[f32; IN]]>,
    ) {
        if let Some(dx) = dx {
            mul_transposed(pass.simd, &self.weights, first(dy, x.len()), dx);
        }
    }

    /// `dw[i][o] += Σ_n x[n][i]·dy[n][o]`, `db[o] += Σ_n dy[n][o]`
    #[inline]
    fn accumulate<const N: usize>(
        pass: Pass,
        x: &[[f32; IN]],
        _y: &[[f32; OUT]; N],
        dy: &[[f32; OUT]; N],
        grad: Shard<'_>,
    ) {
        Self::accumulate_from(pass, x, first(dy, x.len()), grad);
    }
}

impl<const IN: usize, const OUT: usize, B: Bias<OUT>> Dense<IN, OUT, B> {
    /// [`accumulate`](Train::accumulate) for inputs of either kind.
    #[inline]
    fn accumulate_from<'a>(pass: Pass, x: impl Inputs<'a, IN>, dy: &[[f32; OUT]], grad: Shard<'_>) {
        let (weights, bias) = grad.split(IN * OUT);
        add_rows(dy, bias.start(), bias.into_flat());

        // A shard may begin and end inside a row: whole rows in the middle, parts at both ends.
        let Some((row, column)) =
            weights.start().checked_div(OUT).zip(weights.start().checked_rem(OUT))
        else {
            return; // no outputs, no weights
        };
        let (head, weights) = weights.split(if column == 0 { row * OUT } else { (row + 1) * OUT });
        add_outer_part(x, dy, row, column, head.into_flat());
        let row = row + usize::from(column > 0);
        let (rows, tail) = weights.into_flat().as_chunks_mut::<OUT>();
        let last = row + rows.len();
        add_outer_from(pass.simd, x, dy, row, rows);
        add_outer_part(x, dy, last, 0, tail);
    }
}

impl<const IN: usize, const OUT: usize, B: Bias<OUT>> FirstLayer for Dense<IN, OUT, B> {
    const CODED: bool = true;
    const COLUMNS: usize = if OUT.is_multiple_of(32) && B::COUNT == OUT { OUT } else { 0 };

    #[inline]
    fn forward_coded<const N: usize>(&self, pass: Pass, x: Coded<'_>, y: &mut [[f32; OUT]; N]) {
        debug_assert!(x.samples(IN) <= N, "a batch of {} does not fit {N}", x.samples(IN));
        affine_coded(pass.simd, x, &self.weights, self.bias.row(), y);
    }

    #[inline]
    fn accumulate_coded<const N: usize>(
        pass: Pass,
        x: Coded<'_>,
        _y: &[[f32; OUT]; N],
        dy: &[[f32; OUT]; N],
        grad: Shard<'_>,
    ) {
        Self::accumulate_from(pass, Codes::from(x), first(dy, x.samples(IN)), grad);
    }

    #[inline]
    fn columns<const N: usize>(y: &[[f32; OUT]; N]) -> &[f32] {
        y.as_flattened()
    }

    #[inline]
    fn columns_mut<const N: usize>(y: &mut [[f32; OUT]; N]) -> &mut [f32] {
        y.as_flattened_mut()
    }

    #[inline]
    fn forward_columns(pass: Pass, x: Coded<'_>, columns: &[f32], y: &mut [f32]) {
        match columns.len().checked_div(IN + 1) {
            Some(64) => affine_columns::<IN, 64>(pass, x, columns, y),
            Some(32) => affine_columns::<IN, 32>(pass, x, columns, y),
            _ => {}
        }
    }

    #[inline]
    fn accumulate_columns(pass: Pass, x: Coded<'_>, dy: &[f32], grad: &mut [f32]) {
        match grad.len().checked_div(IN + 1) {
            Some(64) => add_outer_columns::<IN, 64>(pass, x, dy, grad),
            Some(32) => add_outer_columns::<IN, 32>(pass, x, dy, grad),
            _ => {}
        }
    }
}

/// [`affine_coded`] with `W` columns.
fn affine_columns<const IN: usize, const W: usize>(
    pass: Pass,
    x: Coded<'_>,
    columns: &[f32],
    y: &mut [f32],
) {
    let (rows, _) = columns.as_chunks::<W>();
    if let Some((w, [bias])) = rows.split_first_chunk::<IN>() {
        affine_coded(pass.simd, x, w, Some(bias), y.as_chunks_mut().0);
    }
}

/// [`add_outer_coded`] and [`add_rows`] with `W` columns.
fn add_outer_columns<const IN: usize, const W: usize>(
    pass: Pass,
    x: Coded<'_>,
    dy: &[f32],
    grad: &mut [f32],
) {
    let dy = first(dy.as_chunks::<W>().0, x.samples(IN));
    let (rows, _) = grad.as_chunks_mut::<W>();
    if let Some((weights, [bias])) = rows.split_first_chunk_mut::<IN>() {
        add_rows(dy, 0, bias);
        add_outer_coded::<IN, W>(pass.simd, x, dy, 0, weights);
    }
}

impl<const IN: usize, const OUT: usize, B: Bias<OUT>> Init for Dense<IN, OUT, B> {
    const GAIN: f32 = 1.0;

    /// The weights by `scheme`, the bias zero.
    fn init<R: Rng>(&mut self, scheme: Scheme, gain: f32, rng: &mut R) {
        scheme.fill(IN, OUT, gain, self.weights.as_flattened_mut(), rng);
        self.bias.flat_mut().fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Simd, Zero, kernels::naive, random};

    const IN: usize = 5;
    const OUT: usize = 3;
    type Net = Dense<IN, OUT>;

    /// However the flat gradient is cut among threads, every parameter gets the same chain.
    #[test]
    fn any_shards_make_the_whole_gradient() {
        let mut rng = random::generator(7);
        let x: [[f32; IN]; 4] = [(); 4].map(|()| [(); IN].map(|()| random::normal(&mut rng)));
        let y = [[0.0; OUT]; 4];
        let dy = y.map(|row| row.map(|_| random::normal(&mut rng)));
        let pass = Pass::train(Simd::detect(), 0, 0);

        let mut expected = Net::ZERO;
        naive::add_outer(&x, &dy, 0, &mut expected.weights);
        for dy in dy {
            for (db, dy) in expected.bias.iter_mut().zip(dy) {
                *db += dy;
            }
        }
        for cut in 0..=Net::COUNT {
            for second in cut..=Net::COUNT {
                let mut grad = Net::ZERO;
                let (a, b) = grad.flat_mut().split_at_mut(cut);
                let (b, c) = b.split_at_mut(second - cut);
                Net::accumulate(pass, &x, &y, &dy, Shard::new(second, c));
                Net::accumulate(pass, &x, &y, &dy, Shard::new(0, a));
                Net::accumulate(pass, &x, &y, &dy, Shard::new(cut, b));
                assert_eq!(grad, expected, "cut at {cut} and {second}");
            }
        }
    }
}
