//! `dx = dy·Wᵀ`, the gradient that a dense layer hands to the layer before it.

use super::isa::Isa;
use super::plain;
use super::simd::{Kernel, Simd};
use super::tile::{Chains, PANEL, Product, Rows, block};
use crate::Aligned;

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
            _ if OUT <= DEPTH => panels::<I, IN, OUT, OUT>(w, dy, dx),
            _ => panels::<I, IN, OUT, DEPTH>(w, dy, dx),
        }
    }
}

/// Outputs summed before the next rows of the panel are made.
const DEPTH: usize = 64;

/// A chain runs over `o`, along which both factors lie. So that vectors can take neighbouring inputs, 64 of them
/// at a time, `w` is transposed into a panel `[o][i]`, once for all samples; the tile of the other
/// two products does the rest.
///
/// `D` is how many outputs the panel has room for.
#[inline(always)]
fn panels<I: Isa, const IN: usize, const OUT: usize, const D: usize>(
    w: &[[f32; OUT]; IN],
    dy: &[[f32; OUT]],
    dx: &mut [[f32; IN]],
) {
    let mut panel = Aligned([[0.0; PANEL]; D]);
    for (part, w) in w.chunks(PANEL).enumerate() {
        for output in (0..OUT).step_by(D) {
            transpose::<I, OUT, D>(w, output, &mut panel);
            let product = Product {
                a: Rows::of(dy),
                depth: output..output + D,
                b: &*panel,
                shift: part * PANEL,
                chains: if output == 0 { Chains::Begin } else { Chains::GoOn },
            };
            match w.len() {
                PANEL => product.panel::<I, IN>(dx, part * PANEL),
                _ => product.rest::<I, IN>(dx),
            }
        }
    }
}

/// `panel[o][i] = w[i][output + o]`, for the outputs that exist.
#[inline(always)]
fn transpose<I: Isa, const OUT: usize, const D: usize>(
    w: &[[f32; OUT]],
    output: usize,
    panel: &mut [[f32; PANEL]; D],
) {
    let outputs = D.min(OUT - output);
    let (blocks, _) = w.as_chunks::<16>();
    let mut done = 0;
    if outputs >= 4 {
        for (k, rows) in blocks.iter().enumerate() {
            for o in (0..outputs).step_by(4) {
                // The last four may overlap those before.
                let o = o.min(outputs - 4);
                let rows = rows.each_ref().map(|row| block(row, output + o));
                for (panel, column) in panel.iter_mut().skip(o).zip(I::transpose(rows)) {
                    let panel = panel.get_mut(16 * k..).and_then(|row| row.first_chunk_mut());
                    panel.into_iter().for_each(|panel| *panel = column);
                }
            }
        }
        done = 16 * blocks.len();
    }
    for (i, w) in w.iter().enumerate().skip(done) {
        for (panel, &w) in panel.iter_mut().zip(w.iter().skip(output)) {
            if let Some(panel) = panel.get_mut(i) {
                *panel = w;
            }
        }
    }
}
