//! A step of plain descent, and the gradient is clear for the next batch.

use super::isa::Isa;
use super::simd::{Kernel, Simd};

/// `w[k] = w[k] − rate·(g[k] + decay·w[k])`, two fused multiply-adds, or `w[k] − rate·g[k]` where `decay` is zero; then
/// `g[k] = +0`. The shorter slice sets the length. Never panics.
///
/// With weights that are finite it is [`Sgd`](crate::Sgd) without momentum and a clear gradient, in one pass over both: a
/// chip that takes a step every few samples spends a good part of its time there. Without decay a weight whose gradient is
/// +0 stays as it is to the last bit: `−rate·0` is −0, which changes no number it is added to.
///
/// # Accuracy
/// Bit-exact across targets and [`Simd`] levels.
///
/// ```
/// let (mut w, mut g) = ([1.0, 2.0], [0.5, 0.0]);
/// motenet::kernels::descend(motenet::Simd::baseline(), 0.5, 0.0, &mut w, &mut g);
/// assert_eq!((w, g), ([0.75, 2.0], [0.0, 0.0]));
/// ```
#[inline]
pub fn descend(simd: Simd, rate: f32, decay: f32, w: &mut [f32], g: &mut [f32]) {
    simd.run(Descend { rate, decay, w, g });
}

struct Descend<'a> {
    rate: f32,
    decay: f32,
    w: &'a mut [f32],
    g: &'a mut [f32],
}

impl Kernel for Descend<'_> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { rate, decay, w, g } = self;
        #[cfg(all(not(feature = "std"), motenet_fma = "armv7em"))]
        let (w, g) = {
            let done = super::armv7em::descend(rate, decay, w, g);
            (w.get_mut(done..).unwrap_or_default(), g.get_mut(done..).unwrap_or_default())
        };
        let numbers = w.iter_mut().zip(g);
        if decay == 0.0 {
            numbers.for_each(|(w, g)| {
                *w = I::fma(-rate, *g, *w);
                *g = 0.0;
            });
        } else {
            numbers.for_each(|(w, g)| {
                *w = I::fma(-rate, I::fma(decay, *w, *g), *w);
                *g = 0.0;
            });
        }
    }
}
