//! A nested array as a row: what stands between a picture and a dense layer.

use crate::first_layer::FirstLayer;
use crate::layer::{Layer, LayerInfo, Pass, Train};
use crate::tensor::{first, first_mut};
use crate::{Init, Scheme, Shard, Tensor};
use core::marker::PhantomData;
use rand_core::Rng;

/// `[[f32; 28]; 28]` into `[f32; 784]`: the same elements, row-major.
///
/// `N` must be the number of elements of `T`, which the compiler checks when the layer is used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flatten<T, const N: usize>(PhantomData<fn() -> T>);

impl<T: Tensor<Elem = f32>, const LEN: usize> Layer for Flatten<T, LEN> {
    type Input = T;
    type Output = [f32; LEN];
    type Acts<const N: usize> = [[f32; LEN]; N];

    /// `y[k] = x[k]`, counted row-major
    #[inline]
    fn forward<const N: usize>(&self, _: Pass, x: &[T], y: &mut [[f32; LEN]; N]) {
        const { assert!(T::LEN == LEN, "Flatten<T, N>: N must be the number of elements of T") };
        debug_assert!(x.len() <= N, "a batch of {} does not fit a workspace of {N}", x.len());
        copy(T::flatten(x), first_mut(y, x.len()).as_flattened_mut());
    }

    fn describe(visit: &mut dyn FnMut(LayerInfo)) {
        visit(LayerInfo { name: "Flatten", input_len: LEN, output_len: LEN, params: 0, macs: 0 });
    }
}

impl<T: Tensor<Elem = f32>, const LEN: usize> Train for Flatten<T, LEN> {
    /// `dx[k] = dy[k]`
    #[inline]
    fn backward<const N: usize>(
        &self,
        _: Pass,
        x: &[T],
        _y: &[[f32; LEN]; N],
        dy: &mut [[f32; LEN]; N],
        dx: Option<&mut [T]>,
    ) {
        if let Some(dx) = dx {
            copy(first(dy, x.len()).as_flattened(), T::flatten_mut(dx));
        }
    }

    fn accumulate<const N: usize>(
        _: Pass,
        _: &[T],
        _: &[[f32; LEN]; N],
        _: &[[f32; LEN]; N],
        _: Shard<'_>,
    ) {
    }
}

impl<T: Tensor<Elem = f32>, const LEN: usize> FirstLayer for Flatten<T, LEN> {}

impl<T, const N: usize> Init for Flatten<T, N> {
    const GAIN: f32 = 1.0;

    fn init<R: Rng>(&mut self, _: Scheme, _: f32, _: &mut R) {}
}

fn copy(from: &[f32], to: &mut [f32]) {
    for (from, to) in from.iter().zip(to) {
        *to = *from;
    }
}
