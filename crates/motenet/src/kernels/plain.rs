//! The three products of a dense layer without vectors: what a microcontroller runs, and a PC in the few cases that the
//! tiles leave to it.
//!
//! A term whose `x` is zero is left out, as the arithmetic contract says, and costs next to nothing. Where a multiply-add
//! is an instruction, up to sixteen outputs stay in registers while the inputs pass, a block of columns after the other.
//! Where it is software, one costs a hundred times what loading does, and the small loop of [`rows`] is best.

#[cfg(all(not(feature = "std"), motenet_fma = "armv7em"))]
use super::armv7em;
use super::isa::{Isa, Portable};
use super::tile::{Columns, Left, Rows, block, unsigned_zero};

/// Whether a multiply-add is a function of many instructions.
const SOFTWARE: bool = matches!(Portable::FMA.as_bytes(), b"software");

/// `y[n][o] = y[n][o] + Σ_i x[n][i]·w[i][o] + 0`, as [`affine`](super::affine()) defines it.
#[inline(always)]
pub(super) fn affine<const IN: usize, const OUT: usize>(
    x: &[[f32; IN]],
    w: &[[f32; OUT]; IN],
    y: &mut [[f32; OUT]],
) {
    match SOFTWARE {
        true => rows::<Portable, _, OUT>(y, Rows::of(x), w),
        false => affine_blocks(x, w, y),
    }
}

/// `dw[r][o] = dw[r][o] + Σ_n x[n][first + r]·dy[n][o] + 0`, as [`add_outer`](super::add_outer()) defines it.
#[inline(always)]
pub(super) fn add_outer<const IN: usize, const OUT: usize>(
    x: &[[f32; IN]],
    dy: &[[f32; OUT]],
    first: usize,
    dw: &mut [[f32; OUT]],
) {
    match SOFTWARE {
        true => rows::<Portable, _, OUT>(dw, Columns::of(x, first), dy),
        false => add_outer_blocks(x, dy, first, dw),
    }
}

/// `dx[n][i] = Σ_o w[i][o]·dy[n][o]`, as [`mul_transposed`](super::mul_transposed()) defines it.
#[inline(always)]
pub(super) fn mul_transposed<const IN: usize, const OUT: usize>(
    w: &[[f32; OUT]; IN],
    dy: &[[f32; OUT]],
    dx: &mut [[f32; IN]],
) {
    if !SOFTWARE {
        return mul_transposed_blocks(w, dy, dx);
    }
    for (dy, dx) in dy.iter().zip(dx) {
        for (w, dx) in w.iter().zip(dx) {
            *dx = w.iter().zip(dy).fold(0.0, |sum, (&w, &dy)| Portable::fma(w, dy, sum));
        }
    }
}

/// `c[r][o] += Σ_k a(r, k)·b[k][o]` row by row, with the terms left out in which `a` is zero; small code.
#[inline(always)]
pub(super) fn rows<I: Isa, L: Left, const N: usize>(c: &mut [[f32; N]], a: L, b: &[[f32; N]]) {
    for (r, row) in c.iter_mut().enumerate() {
        let mut touched = false;
        for (a, b) in a.row(r, b.len()).zip(b) {
            if a != 0.0 {
                touched = true;
                for (c, &b) in row.iter_mut().zip(b) {
                    *c = I::fma(a, b, *c);
                }
            }
        }
        if touched {
            for c in row {
                *c = unsigned_zero(*c);
            }
        }
    }
}

/// One sample's part of a product, a block of columns at a time.
trait Blocks<const OUT: usize> {
    /// The columns `column..column + C`.
    fn run<const C: usize>(&mut self, column: usize);

    /// All columns, in blocks of 16, 8, 4, 2 and 1.
    #[inline(always)]
    fn run_all(mut self)
    where
        Self: Sized,
    {
        let mut column = 0;
        for _ in 0..OUT / 16 {
            self.run::<16>(column);
            column += 16;
        }
        if OUT & 8 != 0 {
            self.run::<8>(column);
            column += 8;
        }
        if OUT & 4 != 0 {
            self.run::<4>(column);
            column += 4;
        }
        if OUT & 2 != 0 {
            self.run::<2>(column);
            column += 2;
        }
        if OUT & 1 != 0 {
            self.run::<1>(column);
        }
    }
}

#[inline(always)]
pub(super) fn affine_blocks<const IN: usize, const OUT: usize>(
    x: &[[f32; IN]],
    w: &[[f32; OUT]; IN],
    y: &mut [[f32; OUT]],
) {
    for (x, y) in x.iter().zip(y) {
        Forward { x, w, y }.run_all();
    }
}

struct Forward<'a, const OUT: usize> {
    x: &'a [f32],
    w: &'a [[f32; OUT]],
    y: &'a mut [f32; OUT],
}

impl<const OUT: usize> Blocks<OUT> for Forward<'_, OUT> {
    #[inline(always)]
    fn run<const C: usize>(&mut self, column: usize) {
        #[cfg(all(not(feature = "std"), motenet_fma = "armv7em"))]
        return armv7em::forward::<OUT, C>(self.x, self.w, column, self.y);
        #[allow(unreachable_code)]
        let Some(y) = self.y.get_mut(column..).and_then(|y| y.first_chunk_mut::<C>()) else {
            return;
        };
        let mut sums = *y;
        for (&x, w) in self.x.iter().zip(self.w) {
            if x != 0.0 {
                for (sum, &w) in sums.iter_mut().zip(block::<C>(w, column)) {
                    *sum = Portable::fma(x, w, *sum);
                }
            }
        }
        *y = sums.map(unsigned_zero);
    }
}

/// Sample after sample, where [`rows`] goes row after row: to each number come the same terms in the same order. A zero
/// is +0 after each sample, not only at the end, which no later term can tell: what is added to a zero is either no zero,
/// or leaves a zero, and that becomes +0.
#[inline(always)]
pub(super) fn add_outer_blocks<const IN: usize, const OUT: usize>(
    x: &[[f32; IN]],
    dy: &[[f32; OUT]],
    first: usize,
    dw: &mut [[f32; OUT]],
) {
    for (x, dy) in x.iter().zip(dy) {
        Outer { x: x.get(first..).unwrap_or_default(), dy, dw }.run_all();
    }
}

struct Outer<'a, const OUT: usize> {
    x: &'a [f32],
    dy: &'a [f32; OUT],
    dw: &'a mut [[f32; OUT]],
}

impl<const OUT: usize> Blocks<OUT> for Outer<'_, OUT> {
    #[inline(always)]
    fn run<const C: usize>(&mut self, column: usize) {
        #[cfg(all(not(feature = "std"), motenet_fma = "armv7em"))]
        return armv7em::outer::<OUT, C>(self.x, self.dy, column, self.dw);
        #[allow(unreachable_code)]
        let dy = *block::<C>(self.dy, column);
        for (&x, dw) in self.x.iter().zip(&mut *self.dw) {
            if x != 0.0 {
                let dw = dw.get_mut(column..).unwrap_or_default();
                for (dw, &dy) in dw.iter_mut().zip(&dy) {
                    *dw = unsigned_zero(Portable::fma(x, dy, *dw));
                }
            }
        }
    }
}

#[inline(always)]
pub(super) fn mul_transposed_blocks<const IN: usize, const OUT: usize>(
    w: &[[f32; OUT]; IN],
    dy: &[[f32; OUT]],
    dx: &mut [[f32; IN]],
) {
    for (dy, dx) in dy.iter().zip(dx) {
        dx.fill(0.0);
        Dots { w, dy, dx }.run_all();
    }
}

struct Dots<'a, const OUT: usize> {
    w: &'a [[f32; OUT]],
    dy: &'a [f32; OUT],
    dx: &'a mut [f32],
}

impl<const OUT: usize> Blocks<OUT> for Dots<'_, OUT> {
    #[inline(always)]
    fn run<const C: usize>(&mut self, column: usize) {
        #[cfg(all(not(feature = "std"), motenet_fma = "armv7em"))]
        return armv7em::dots::<OUT, C>(self.w, self.dy, column, self.dx);
        #[allow(unreachable_code)]
        let dy = *block::<C>(self.dy, column);
        for (w, dx) in self.w.iter().zip(&mut *self.dx) {
            let w = block::<C>(w, column);
            *dx = w.iter().zip(&dy).fold(*dx, |sum, (&w, &dy)| Portable::fma(w, dy, sum));
        }
    }
}
