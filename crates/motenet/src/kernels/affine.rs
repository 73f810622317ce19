//! `y = b + x·W`, a batch at a time.

use super::inputs::{Coded, Codes, Inputs};
use super::isa::Isa;
use super::simd::{Kernel, Simd};
use super::tile::{Rows, accumulate_rest, chains_from, unsigned_zero};
use super::{plain, sparse};

/// `y[n][o] = b[o]`, then for `i` ascending with `x[n][i] ≠ 0` `y[n][o] = fma(x[n][i], w[i][o], y[n][o])`, and
/// at the end `y[n][o] + 0`, which is +0 for a zero of either sign.
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
    affine_from(simd, x, w, bias, y);
}

/// [`affine`] for inputs that are kept as bytes.
///
/// # Shapes
/// `x`: samples × `IN`, the rest as there. Never panics.
///
/// # Accuracy
/// The bits of [`affine`], if every sample is marked.
#[inline]
pub fn affine_coded<const IN: usize, const OUT: usize>(
    simd: Simd,
    x: Coded<'_>,
    w: &[[f32; OUT]; IN],
    bias: Option<&[f32; OUT]>,
    y: &mut [[f32; OUT]],
) {
    affine_from(simd, Codes::from(x), w, bias, y);
}

/// [`affine`] for inputs of either kind.
#[inline(always)]
fn affine_from<'a, X: Inputs<'a, IN>, const IN: usize, const OUT: usize>(
    simd: Simd,
    x: X,
    w: &[[f32; OUT]; IN],
    bias: Option<&[f32; OUT]>,
    y: &mut [[f32; OUT]],
) {
    let y = crate::tensor::first_mut(y, x.items().len());
    simd.run(Affine { x, w, bias, y });
}

struct Affine<'a, X, const IN: usize, const OUT: usize> {
    x: X,
    w: &'a [[f32; OUT]; IN],
    bias: Option<&'a [f32; OUT]>,
    y: &'a mut [[f32; OUT]],
}

impl<'x, X: Inputs<'x, IN>, const IN: usize, const OUT: usize> Kernel for Affine<'_, X, IN, OUT> {
    type Result = ();

    /// Wide instruction sets compute terms with `x = 0` as well, because zeros are faster computed than
    /// avoided one by one. Where the weight is finite that adds ±0, and so can change the sign of a zero and
    /// nothing else: the sum of ±0 and a number other than zero is that number, and whether a term that is
    /// not zero is added to +0 or to −0, the result is the same. The sign of a zero is settled at
    /// the end. Where the weight is not finite, `0·w` is NaN, and so is the output: such outputs
    /// are computed once more, without the zeros.
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { x, w, bias, y } = self;
        let bias = bias.unwrap_or(&[0.0; OUT]).map(unsigned_zero);
        if I::LANES == 1 {
            y.fill(bias);
            return match x.numbers() {
                Some(x) => plain::affine(x, w, y),
                None => plain::rows::<I, _, OUT>(y, Rows::of(x), w),
            };
        }
        if sparse::suits(OUT) && x.is_sparse::<I>() {
            y.fill(bias);
            sparse::affine::<I, X, IN, OUT>(x, w, y);
            if OUT != 32 {
                accumulate_rest::<I, _, OUT>(y, Rows::of(x), w);
            }
        } else {
            chains_from::<I, _, OUT>(&bias, y, Rows::of(x), w);
        }
        if y.as_flattened().iter().fold(false, |nan, y| nan | y.is_nan()) {
            y.fill(bias);
            plain::rows::<I, _, OUT>(y, Rows::of(x), w);
        }
    }
}
