//! Layers that apply one function to each element: `y[k] = f(x[k])`, hence `dx[k] = f′(x[k])·dy[k]`.

pub use crate::kernels::Scalar;

use crate::first_layer::FirstLayer;
use crate::kernels::{map, map_back};
use crate::layer::{Layer, LayerInfo, Pass, Train};
use crate::tensor::{first, first_mut};
use crate::{Init, Params, Scheme, Shard, Tensor};
use rand_core::Rng;

/// An activation function as a layer without parameters: implement this and [`Scalar`], and the type
/// is a [`Layer`] that trains.
pub trait Pointwise: Scalar + Params {
    /// What it applies to, and what comes out.
    type Tensor: Tensor<Elem = f32>;
    /// The name for tables.
    const NAME: &'static str;
    /// The gain of the weights that lead into it ([`Init::GAIN`]).
    const GAIN: f32;
}

impl<P: Pointwise> Layer for P {
    type Input = P::Tensor;
    type Output = P::Tensor;
    type Acts<const N: usize> = [P::Tensor; N];

    /// `y = f(x)`
    #[inline]
    fn forward<const N: usize>(&self, pass: Pass, x: &[P::Tensor], y: &mut [P::Tensor; N]) {
        debug_assert!(x.len() <= N, "a batch of {} does not fit a workspace of {N}", x.len());
        let y = first_mut(y, x.len());
        map::<P>(pass.simd, P::Tensor::flatten(x), P::Tensor::flatten_mut(y));
    }

    fn describe(visit: &mut dyn FnMut(LayerInfo)) {
        let len = P::Tensor::LEN;
        visit(LayerInfo { name: P::NAME, input_len: len, output_len: len, params: 0, macs: 0 });
    }
}

impl<P: Pointwise> Train for P {
    /// `dx = f′(x)·dy`
    #[inline]
    fn backward<const N: usize>(
        &self,
        pass: Pass,
        x: &[P::Tensor],
        y: &[P::Tensor; N],
        dy: &mut [P::Tensor; N],
        dx: Option<&mut [P::Tensor]>,
    ) {
        if let Some(dx) = dx {
            let flat = P::Tensor::flatten;
            let dy = first(dy, x.len());
            map_back::<P>(pass.simd, flat(x), flat(y), flat(dy), P::Tensor::flatten_mut(dx));
        }
    }

    #[inline]
    fn accumulate<const N: usize>(
        _: Pass,
        _: &[P::Tensor],
        _: &[P::Tensor; N],
        _: &[P::Tensor; N],
        _: Shard<'_>,
    ) {
    }
}

impl<P: Pointwise> FirstLayer for P {}

impl<P: Pointwise> Init for P {
    const GAIN: f32 = <P as Pointwise>::GAIN;

    fn init<R: Rng>(&mut self, _: Scheme, _: f32, _: &mut R) {}
}
