//! `dW = dW + xᵀ·dy` and `db = db + dy`, samples ascending.

use super::isa::{Isa, Portable};
use super::simd::{Kernel, Simd};
use super::tile::{Columns, accumulate};

/// For samples `n` ascending, `dw[r][o] = fma(x[n][first + r], dy[n][o], dw[r][o])`.
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
    let dw = crate::tensor::first_mut(dw, IN.saturating_sub(first));
    simd.run(AddOuter { x, dy, first, dw });
}

struct AddOuter<'a, const IN: usize, const OUT: usize> {
    x: &'a [[f32; IN]],
    dy: &'a [[f32; OUT]],
    first: usize,
    dw: &'a mut [[f32; OUT]],
}

impl<const IN: usize, const OUT: usize> Kernel for AddOuter<'_, IN, OUT> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        accumulate::<I, _, OUT>(self.dw, Columns { columns: self.x, first: self.first }, self.dy);
    }
}

/// [`add_outer`] for a part of one row: `dw[c]` is the gradient of weight `(row, column + c)`.
///
/// At most two rows of a thread's share begin or end inside; they are not worth vectors.
#[inline]
pub fn add_outer_part<const IN: usize, const OUT: usize>(
    x: &[[f32; IN]],
    dy: &[[f32; OUT]],
    row: usize,
    column: usize,
    dw: &mut [f32],
) {
    for (x, dy) in x.iter().zip(dy) {
        for (dw, &dy) in dw.iter_mut().zip(dy.iter().skip(column)) {
            *dw = Portable::fma(x.get(row).copied().unwrap_or_default(), dy, *dw);
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
