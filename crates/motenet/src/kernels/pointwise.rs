//! A function of one number, over a slice: activations and their gradients.

use super::isa::Isa;
use super::simd::{Kernel, Simd};
use core::marker::PhantomData;

/// A function `y = f(x)` of one number, and its derivative.
pub trait Scalar {
    /// `f(x)`.
    fn value<I: Isa>(x: f32) -> f32;

    /// `f′(x)`, given `x` and `y = f(x)`.
    fn slope<I: Isa>(x: f32, y: f32) -> f32;
}

/// `y[k] = f(x[k])`; `y` is overwritten, the shorter slice sets the length. Never panics.
#[inline]
pub fn map<F: Scalar>(simd: Simd, x: &[f32], y: &mut [f32]) {
    simd.run(Map::<F> { x, y, f: PhantomData });
}

struct Map<'a, F> {
    x: &'a [f32],
    y: &'a mut [f32],
    f: PhantomData<F>,
}

impl<F: Scalar> Kernel for Map<'_, F> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (&x, y) in self.x.iter().zip(self.y) {
            *y = F::value::<I>(x);
        }
    }
}

/// `dx[k] = f′(x[k])·dy[k]`; `dx` is overwritten, the shortest slice sets the length. Never panics.
#[inline]
pub fn map_back<F: Scalar>(simd: Simd, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    simd.run(MapBack::<F> { x, y, dy, dx, f: PhantomData });
}

struct MapBack<'a, F> {
    x: &'a [f32],
    y: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
    f: PhantomData<F>,
}

impl<F: Scalar> Kernel for MapBack<'_, F> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (((&x, &y), &dy), dx) in self.x.iter().zip(self.y).zip(self.dy).zip(self.dx) {
            *dx = F::slope::<I>(x, y) * dy;
        }
    }
}
