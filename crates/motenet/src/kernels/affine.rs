//! `y = b + x·W`, a batch at a time.

use super::isa::Isa;
use super::simd::{Kernel, Simd};
use super::tile::{Rows, accumulate};

/// `y[n][o] = b[o]`, then for `i` ascending `y[n][o] = fma(x[n][i], w[i][o], y[n][o])`.
///
/// # Shapes
/// `x`: samples × `IN`; `w`: `IN` × `OUT`; `bias`: `OUT`, zeros if absent; `y`: samples × `OUT`,
/// overwritten. The shorter of `x` and `y` sets the number of samples. Never panics.
///
/// # Accuracy
/// Bit-exact across targets and [`Simd`] levels.
///
/// ```
/// use motenet::{Simd, kernels::affine};
/// let mut y = [[0.0; 2]];
/// affine(Simd::baseline(), &[[1.0, 2.0]], &[[1.0, 10.0], [3.0, 30.0]], Some(&[0.5, 0.0]), &mut y);
/// assert_eq!(y, [[7.5, 70.0]]);
/// ```
#[inline]
pub fn affine<const IN: usize, const OUT: usize>(
    simd: Simd,
    x: &[[f32; IN]],
    w: &[[f32; OUT]; IN],
    bias: Option<&[f32; OUT]>,
    y: &mut [[f32; OUT]],
) {
    let y = crate::tensor::first_mut(y, x.len());
    simd.run(Affine { x, w, bias, y });
}

struct Affine<'a, const IN: usize, const OUT: usize> {
    x: &'a [[f32; IN]],
    w: &'a [[f32; OUT]; IN],
    bias: Option<&'a [f32; OUT]>,
    y: &'a mut [[f32; OUT]],
}

impl<const IN: usize, const OUT: usize> Kernel for Affine<'_, IN, OUT> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        self.y.fill(*self.bias.unwrap_or(&[0.0; OUT]));
        accumulate::<I, _, OUT>(self.y, Rows(self.x), self.w);
    }
}
