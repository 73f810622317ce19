//! Softmax: numbers into probabilities.
//!
//! Forward, with `m = max_k x[k]` (it cancels, and keeps `exp` from overflowing):
//!
//! ```text
//! y[k] = exp(x[k] − m) / Σ_j exp(x[j] − m)
//! ```
//!
//! Backward: `∂y[j]/∂x[k] = y[j]·([j = k] − y[k])`, so
//!
//! ```text
//! dx[k] = y[k]·(dy[k] − Σ_j y[j]·dy[j])
//! ```

use crate::first_layer::FirstLayer;
use crate::kernels::{Isa, Kernel, Simd};
use crate::layer::{Layer, LayerInfo, Pass, Train};
use crate::tensor::{first, first_mut};
use crate::{Init, Scheme, Shard, math};
use rand_core::Rng;

/// `y[k] = eˣ⁽ᵏ⁾ / Σ_j eˣ⁽ʲ⁾`: positive, and of sum 1.
///
/// For a classifier that only has to say the probabilities. To train one, leave it out and use
/// [`SoftmaxCrossEntropy`](crate::SoftmaxCrossEntropy), which is the same function and more stable.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Softmax<const N: usize>;

impl<const LEN: usize> Layer for Softmax<LEN> {
    type Input = [f32; LEN];
    type Output = [f32; LEN];
    type Acts<const N: usize> = [[f32; LEN]; N];

    /// `y[k] = exp(x[k] − m) / Σ_j exp(x[j] − m)`
    #[inline]
    fn forward<const N: usize>(&self, pass: Pass, x: &[[f32; LEN]], y: &mut [[f32; LEN]; N]) {
        debug_assert!(x.len() <= N, "a batch of {} does not fit a workspace of {N}", x.len());
        softmax(pass.simd, x, first_mut(y, x.len()));
    }

    fn describe(visit: &mut dyn FnMut(LayerInfo)) {
        visit(LayerInfo { name: "Softmax", input_len: LEN, output_len: LEN, params: 0, macs: 0 });
    }
}

impl<const LEN: usize> Train for Softmax<LEN> {
    /// `dx[k] = y[k]·(dy[k] − Σ_j y[j]·dy[j])`
    #[inline]
    fn backward<const N: usize>(
        &self,
        pass: Pass,
        x: &[[f32; LEN]],
        y: &[[f32; LEN]; N],
        dy: &mut [[f32; LEN]; N],
        dx: Option<&mut [[f32; LEN]]>,
    ) {
        if let Some(dx) = dx {
            pass.simd.run(Backward { y: first(y, x.len()), dy, dx });
        }
    }

    #[inline]
    fn accumulate<const N: usize>(
        _: Pass,
        _: &[[f32; LEN]],
        _: &[[f32; LEN]; N],
        _: &[[f32; LEN]; N],
        _: Shard<'_>,
    ) {
    }
}

impl<const LEN: usize> FirstLayer for Softmax<LEN> {}

impl<const N: usize> Init for Softmax<N> {
    const GAIN: f32 = 1.0;

    fn init<R: Rng>(&mut self, _: Scheme, _: f32, _: &mut R) {}
}

/// The probabilities of each row: `y[n][k] = exp(x[n][k] − m) / Σ_j exp(x[n][j] − m)`, sums ascending.
///
/// # Shapes
/// `x`, `y`: samples × `K`; `y` is overwritten, the shorter sets the number of samples. Never panics.
///
/// # Accuracy
/// Bit-exact across targets. A row with a NaN or +∞ becomes NaN.
#[inline]
pub(crate) fn softmax<const K: usize>(simd: Simd, x: &[[f32; K]], y: &mut [[f32; K]]) {
    simd.run(Forward { x, y });
}

struct Forward<'a, const K: usize> {
    x: &'a [[f32; K]],
    y: &'a mut [[f32; K]],
}

impl<const K: usize> Kernel for Forward<'_, K> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (x, y) in self.x.iter().zip(self.y) {
            let sum = shifted_exp::<I, K>(x, y);
            for y in y {
                *y /= sum;
            }
        }
    }
}

struct Backward<'a, const K: usize> {
    y: &'a [[f32; K]],
    dy: &'a [[f32; K]],
    dx: &'a mut [[f32; K]],
}

impl<const K: usize> Kernel for Backward<'_, K> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for ((y, dy), dx) in self.y.iter().zip(self.dy).zip(self.dx) {
            let dot = y.iter().zip(dy).fold(0.0, |sum, (&y, &dy)| I::fma(y, dy, sum));
            for ((y, dy), dx) in y.iter().zip(dy).zip(dx) {
                *dx = y * (dy - dot);
            }
        }
    }
}

/// `max_k x[k]`, NaN left out.
#[inline(always)]
pub(crate) fn largest<const K: usize>(x: &[f32; K]) -> f32 {
    x.iter().fold(f32::NEG_INFINITY, |max, &x| if x > max { x } else { max })
}

/// `e[k] = exp(x[k] − max_k x[k])`; returns `Σ_k e[k]`, ascending.
#[inline(always)]
fn shifted_exp<I: Isa, const K: usize>(x: &[f32; K], e: &mut [f32; K]) -> f32 {
    let max = largest(x);
    for (e, &x) in e.iter_mut().zip(x) {
        *e = math::exp::<I>(x - max);
    }
    e.iter().fold(0.0, |sum, e| sum + e)
}
