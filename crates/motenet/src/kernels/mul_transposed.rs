//! `dx = dy·Wᵀ`, the gradient that a dense layer hands to the layer before it.

use super::isa::Isa;
use super::plain;
use super::simd::{Kernel, Simd};
use super::tile::{Left, Rows, chains};

/// From 0, for `o` ascending, `dx[n][i] = fma(w[i][o], dy[n][o], dx[n][i])`.
///
/// # Shapes
/// `w`: `IN` × `OUT`; `dy`: samples × `OUT`; `dx`: samples × `IN`, overwritten. The shorter of `dy` and
/// `dx` sets the number of samples. Never panics.
///
/// # Accuracy
/// Bit-exact across targets and [`Simd`] levels.
///
/// # Memory
/// Up to 16 KiB of stack where there are vectors, none otherwise.
#[inline]
pub fn mul_transposed<const IN: usize, const OUT: usize>(
    simd: Simd,
    w: &[[f32; OUT]; IN],
    dy: &[[f32; OUT]],
    dx: &mut [[f32; IN]],
) {
    let dx = crate::tensor::first_mut(dx, dy.len());
    simd.run(MulTransposed { w, dy, dx });
}

struct MulTransposed<'a, const IN: usize, const OUT: usize> {
    w: &'a [[f32; OUT]; IN],
    dy: &'a [[f32; OUT]],
    dx: &'a mut [[f32; IN]],
}

impl<const IN: usize, const OUT: usize> Kernel for MulTransposed<'_, IN, OUT> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { w, dy, dx } = self;
        match I::LANES {
            1 => plain::mul_transposed(w, dy, dx),
            16 => blocks::<I, IN, OUT, 64>(w, dy, dx),
            _ => blocks::<I, IN, OUT, 16>(w, dy, dx),
        }
    }
}

/// Outputs summed before the block of `dy` is repacked.
const DEPTH: usize = 64;

/// A chain runs over `o`, and along `o` both factors are contiguous, so the vector lanes are given to
/// samples: `C` samples at a time, `dy` is transposed into `[o][sample]` and the tile of the other two
/// products does the rest. Lanes without a sample hold zeros and are not stored.
#[inline(always)]
fn blocks<I: Isa, const IN: usize, const OUT: usize, const C: usize>(
    w: &[[f32; OUT]; IN],
    dy: &[[f32; OUT]],
    dx: &mut [[f32; IN]],
) {
    for (dy, dx) in dy.chunks(C).zip(dx.chunks_mut(C)) {
        for first in (0..OUT).step_by(DEPTH) {
            let mut pack = [[0.0; C]; DEPTH];
            for (sample, dy) in dy.iter().enumerate() {
                for (pack, &dy) in pack.iter_mut().zip(dy.iter().skip(first)) {
                    if let Some(pack) = pack.get_mut(sample) {
                        *pack = dy;
                    }
                }
            }
            let pack = crate::tensor::first(&pack, OUT - first);
            let row = tiles::<I, IN, OUT, C, 6>(w, pack, first, dx, 0);
            let row = tiles::<I, IN, OUT, C, 2>(w, pack, first, dx, row);
            tiles::<I, IN, OUT, C, 1>(w, pack, first, dx, row);
        }
    }
}

/// `R` inputs at a time from `row` on, as long as they fit; returns the first input not done.
#[inline(always)]
fn tiles<I: Isa, const IN: usize, const OUT: usize, const C: usize, const R: usize>(
    w: &[[f32; OUT]; IN],
    pack: &[[f32; C]],
    first: usize,
    dx: &mut [[f32; IN]],
    mut row: usize,
) -> usize {
    while row + R <= IN {
        let mut acc = [[0.0; C]; R];
        if first > 0 {
            for (sample, dx) in dx.iter().enumerate().take(C) {
                for (acc, &dx) in acc.iter_mut().zip(dx.iter().skip(row)) {
                    acc[sample] = dx;
                }
            }
        }
        let terms = Rows(w.as_slice()).terms::<R>(row, first..first + DEPTH);
        acc = chains::<I, R, C>(acc, terms, pack.iter());
        scatter(&acc, row, dx);
        row += R;
    }
    row
}

/// `dx[sample][row + r] = acc[r][sample]`
///
/// On its own, because indexing the tile by a variable would keep it out of registers.
#[inline(never)]
fn scatter<const IN: usize, const C: usize, const R: usize>(
    acc: &[[f32; C]; R],
    row: usize,
    dx: &mut [[f32; IN]],
) {
    for (sample, dx) in dx.iter_mut().enumerate() {
        for (dx, acc) in dx.iter_mut().skip(row).zip(acc) {
            *dx = acc.get(sample).copied().unwrap_or_default();
        }
    }
}
