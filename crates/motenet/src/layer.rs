//! The two traits of the crate: [`Layer`] maps a batch forward, [`Train`] takes its gradient back.

use crate::kernels::Simd;
use crate::{Params, Shard, Tensor, Zero};

/// A function from tensors to tensors, with whatever parameters it needs.
///
/// Inference needs nothing else: no allocation, no panic, no state outside `acts`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer",
    note = "layers in a row must fit: look for two neighbours of which the second does not take what \
            the first gives"
)]
pub trait Layer: Sized {
    /// One sample that goes in.
    type Input: Tensor;
    /// One sample that comes out.
    type Output: Tensor;
    /// The workspace: what a forward pass of up to `N` samples leaves behind, the output included.
    type Acts<const N: usize>: Acts<Self::Output>;

    /// `y[n] = f(x[n])` for each sample of the batch.
    ///
    /// # Shapes
    /// `x`: the batch; its row count is known at run time, and rows beyond `N` are left out (debug
    /// builds assert that there are none). `acts` is overwritten: `acts.output()[n]` is `y[n]`.
    ///
    /// # Accuracy
    /// Bit-exact across targets, and a batch equals its samples one by one.
    fn forward<const N: usize>(&self, pass: Pass, x: &[Self::Input], acts: &mut Self::Acts<N>);

    /// Calls `visit` with each layer in order.
    fn describe(visit: &mut dyn FnMut(LayerInfo));
}

/// A layer that learns: the chain rule, in two halves.
///
/// With `L` the loss and `dv` short for `∂L/∂v`, [`backward`](Train::backward) goes from `dy` to `dx`,
/// sample by sample; [`accumulate`](Train::accumulate) adds up the gradient of the parameters, over
/// samples. The halves are apart because they are parallel in different directions: the first
/// across samples, the second across parameters, and so neither ever splits a chain.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer that learns",
    note = "layers in a row must fit: look for two neighbours of which the second does not take what \
            the first gives"
)]
pub trait Train: Params + Layer<Input: Tensor<Elem = f32>, Output: Tensor<Elem = f32>> {
    /// Takes the gradient of the output back to every activation, and to the input if asked.
    ///
    /// # Shapes
    /// `x` and `acts` as [`forward`](Layer::forward) had and left them. On entry
    /// `d_acts.output()[n]` is `dy[n]`; on return `d_acts` holds the gradient of every activation, and
    /// `dx[n]` that of the input (overwritten). Without `dx` the first layer's share, as costly as its
    /// forward pass, is skipped.
    fn backward<const N: usize>(
        &self,
        pass: Pass,
        x: &[Self::Input],
        acts: &Self::Acts<N>,
        d_acts: &mut Self::Acts<N>,
        dx: Option<&mut [Self::Input]>,
    );

    /// Adds the batch's gradient of the parameters to `grad`, samples ascending.
    ///
    /// # Shapes
    /// `x`, `acts`, `d_acts` as [`backward`](Train::backward) left them. `grad` is any run of the
    /// gradient's flat slice and is accumulated: clear it before the first batch.
    ///
    /// # Accuracy
    /// Bit-exact across targets; 64 samples at once equal 64 calls with one.
    fn accumulate<const N: usize>(
        pass: Pass,
        x: &[Self::Input],
        acts: &Self::Acts<N>,
        d_acts: &Self::Acts<N>,
        grad: Shard<'_>,
    );
}

/// The workspace of a layer (and, of the same type, the gradient of that workspace).
///
/// Its size is known from the type and its zero is a `const`, so it lives in a `static`.
pub trait Acts<Y>: Zero + Send + Sync {
    /// The layer's output, one row a sample, as many rows as the workspace has room for.
    fn output(&self) -> &[Y];

    /// [`output`](Acts::output), to write through.
    fn output_mut(&mut self) -> &mut [Y];
}

/// The workspace of most layers is their output.
impl<Y: Zero + Send + Sync, const N: usize> Acts<Y> for [Y; N] {
    #[inline(always)]
    fn output(&self) -> &[Y] {
        self
    }

    #[inline(always)]
    fn output_mut(&mut self) -> &mut [Y] {
        self
    }
}

/// What one pass over a batch has to know besides the batch.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// The instruction set to use; it changes no bit.
    pub simd: Simd,
    noise: Option<Noise>,
    #[cfg(feature = "std")]
    watch: Option<Watch>,
}

/// Who is told when a layer is done, and which layer this is.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug)]
struct Watch {
    lap: fn(usize),
    layer: usize,
}

/// Where the random numbers of a training pass come from: a pure function of these two and an index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    pub(crate) key: u64,
    pub(crate) first_sample: u64,
}

impl Pass {
    /// A pass that only infers: layers such as [`Dropout`](crate::Dropout) do nothing.
    pub const fn infer(simd: Simd) -> Self {
        Pass {
            simd,
            noise: None,
            #[cfg(feature = "std")]
            watch: None,
        }
    }

    /// A pass that trains. `seed` names the run, `first_sample` counts the samples that the run has
    /// seen before this batch: together they fix every random mask, however the batch is split.
    pub const fn train(simd: Simd, seed: u64, first_sample: u64) -> Self {
        Pass { noise: Some(Noise { key: seed, first_sample }), ..Pass::infer(simd) }
    }

    /// The same pass, but `lap(k)` is called whenever a [`Seq!`](crate::Seq) has done its layer `k`, counted from 0, and goes
    /// on with the next one: after each but the last of a pass. For who wants to know where the time goes.
    #[cfg(feature = "std")]
    pub const fn watched(self, lap: fn(usize)) -> Self {
        Pass { watch: Some(Watch { lap, layer: 0 }), ..self }
    }

    /// This pass's layer is done.
    #[inline(always)]
    pub(crate) fn lap(self) {
        #[cfg(feature = "std")]
        if let Some(Watch { lap, layer }) = self.watch {
            lap(layer);
        }
    }

    /// The passes of the two halves of a [`Chain`](crate::Chain): the same samples, other masks.
    #[inline(always)]
    pub(crate) fn fork(self) -> (Self, Self) {
        let half = |salt: u64| Pass {
            noise: self.noise.map(|noise| Noise {
                key: crate::random::mix(noise.key.wrapping_add(salt)),
                first_sample: noise.first_sample,
            }),
            ..self
        };
        let second = Pass {
            #[cfg(feature = "std")]
            watch: self.watch.map(|watch| Watch { layer: watch.layer + 1, ..watch }),
            ..half(2)
        };
        (half(1), second)
    }

    #[inline(always)]
    pub(crate) fn noise(self) -> Option<Noise> {
        self.noise
    }
}

/// What a table says of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerInfo {
    /// The layer's name: `Dense`, `Relu`, ….
    pub name: &'static str,
    /// Elements of one input.
    pub input_len: usize,
    /// Elements of one output.
    pub output_len: usize,
    /// Trainable parameters.
    pub params: usize,
    /// Multiply-accumulates for one sample.
    pub macs: usize,
}
