//! `dW = dW + xᵀ·dy` and `db = db + dy`, samples ascending.

use super::inputs::{Coded, Codes, Inputs};
use super::isa::{Isa, Portable};
use super::simd::{Kernel, Simd};
use super::tile::{Columns, accumulate, accumulate_rest, unsigned_zero};
use super::{plain, sparse};

/// For samples `n` ascending with `x[n][first + r] ≠ 0`, `dw[r][o] = fma(x[n][first + r], dy[n][o], dw[r][o])`, and at the
/// end `dw[r][o] + 0`, which is +0 for a zero of either sign.
///
/// A −0 that is in `dw` to begin with (no kernel leaves one) may stay, where nothing is added to it.
///
/// # Shapes
/// `x`: samples × `IN`; `dy`: samples × `OUT`; `dw`: any run of the gradient's `IN` rows, of which the
/// first is row `first`; accumulated. The shorter of `x` and `dy` sets the number of samples; rows
/// past `IN` are left as they are. Never panics.
///
/// # Accuracy
/// Bit-exact across targets and [`Simd`] levels, and a batch equals its samples one by one.
#[inline]
pub fn add_outer<const IN: usize, const OUT: usize>(
    simd: Simd,
    x: &[[f32; IN]],
    dy: &[[f32; OUT]],
    first: usize,
    dw: &mut [[f32; OUT]],
) {
    add_outer_from(simd, x, dy, first, dw);
}

/// [`add_outer`] for inputs that are kept as bytes.
///
/// # Shapes
/// `x`: samples × `IN`, the rest as there. Never panics.
///
/// # Accuracy
/// The bits of [`add_outer`], if every sample is marked.
#[inline]
pub fn add_outer_coded<const IN: usize, const OUT: usize>(
    simd: Simd,
    x: Coded<'_>,
    dy: &[[f32; OUT]],
    first: usize,
    dw: &mut [[f32; OUT]],
) {
    add_outer_from::<_, IN, OUT>(simd, Codes::from(x), dy, first, dw);
}

/// [`add_outer`] for inputs of either kind.
#[inline(always)]
pub(crate) fn add_outer_from<'a, X: Inputs<'a, IN>, const IN: usize, const OUT: usize>(
    simd: Simd,
    x: X,
    dy: &[[f32; OUT]],
    first: usize,
    dw: &mut [[f32; OUT]],
) {
    let dw = crate::tensor::first_mut(dw, IN.saturating_sub(first));
    simd.run(AddOuter { x, dy, first, dw });
}

struct AddOuter<'a, X, const IN: usize, const OUT: usize> {
    x: X,
    dy: &'a [[f32; OUT]],
    first: usize,
    dw: &'a mut [[f32; OUT]],
}

impl<'x, X: Inputs<'x, IN>, const IN: usize, const OUT: usize> Kernel for AddOuter<'_, X, IN, OUT> {
    type Result = ();

    /// As in `affine`, terms with `x = 0` may be computed where `dy` is finite. Here a chain goes on from
    /// what it began with, which is gone when it ends: so `dy` is looked at first.
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { x, dy, first, dw } = self;
        let left = Columns::of(x, first);
        let finite = |dy: &[[f32; OUT]]| {
            dy.as_flattened().iter().fold(true, |finite, dy| finite & dy.is_finite())
        };
        if I::LANES == 1 {
            return match x.numbers() {
                Some(x) => plain::add_outer(x, dy, first, dw),
                None => plain::rows::<I, _, OUT>(dw, left, dy),
            };
        }
        if !finite(dy) {
            return plain::rows::<I, _, OUT>(dw, left, dy);
        }
        if sparse::suits(OUT) && x.is_sparse::<I>() {
            sparse::add_outer::<I, X, IN, OUT>(x, dy, first, dw);
            if OUT != 32 {
                accumulate_rest::<I, _, OUT>(dw, left, dy);
            }
        } else {
            accumulate::<I, _, OUT>(dw, left, dy);
        }
    }
}

/// [`add_outer`] for a part of one row: `dw[c]` is the gradient of weight `(row, column + c)`.
///
/// At most two rows of a thread's share begin or end inside; they are not worth vectors.
#[inline]
pub(crate) fn add_outer_part<'a, X: Inputs<'a, IN>, const IN: usize, const OUT: usize>(
    x: X,
    dy: &[[f32; OUT]],
    row: usize,
    column: usize,
    dw: &mut [f32],
) {
    for (items, dy) in x.items().iter().zip(dy) {
        let x = items.get(row).map_or(0.0, |&item| x.number(item));
        if x != 0.0 {
            for (dw, &dy) in dw.iter_mut().zip(dy.iter().skip(column)) {
                *dw = unsigned_zero(Portable::fma(x, dy, *dw));
            }
        }
    }
}

/// For samples `n` ascending, `db[c] = db[c] + dy[n][column + c]`; `db` is accumulated. Never panics.
#[inline]
pub fn add_rows<const OUT: usize>(dy: &[[f32; OUT]], column: usize, db: &mut [f32]) {
    for dy in dy {
        for (db, &dy) in db.iter_mut().zip(dy.iter().skip(column)) {
            *db += dy;
        }
    }
}
