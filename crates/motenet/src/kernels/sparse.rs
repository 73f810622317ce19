//! The products of a dense layer for inputs that are mostly zero, as a picture's are.
//!
//! The arithmetic contract leaves out a term whose `x` is zero, so work that is not done costs nothing
//! but finding it. Zeros are found as bit masks, sixteen at a time ([`Isa::nonzero`]), and a loop over the bits
//! that are set visits the rest; 64 outputs stay in registers meanwhile.
//!
//! `R` chains go side by side over the *union* of their masks: each row of the other factor is then loaded
//! once for all of them, which counts for more than the zeros that come along. Such zeros change
//! nothing, for the reasons given in `affine.rs` and `outer.rs`, which call these loops.
//!
//! What was tried on 64 digits, 784-64, AVX-512 (dense 23.5 µs): one sample at a time over lists of indices 17.5 µs
//! (it waits for the second-level cache), four in union 11.9, two over blocks of inputs that stay in
//! the first-level cache 10.9, the same with bit masks for lists 10.3; one or four at a time 12.3, 11.7.
//! The weight gradient (dense 24 µs): one, two, four inputs in union 11.2, 9.2, 10.0. Rows that cross
//! cache lines (models not aligned to 64 bytes) cost a quarter more, hence the copies.

use super::isa::Isa;
use super::tile::{block, store};

/// Outputs that a loop keeps in registers.
pub(super) const PANEL: usize = 64;

/// Inputs of one mask; as many rows of a panel take 32 KiB, and stay in the first-level cache.
const BLOCK: usize = 128;

/// Samples of one mask.
const SAMPLES: usize = 64;

/// Fewer samples than this do not repay copying a panel of weights.
const FEW: usize = 16;

/// The rows of a panel one after the other, aligned to cache lines.
#[repr(align(64))]
struct Panel<const K: usize>([[f32; PANEL]; K]);

impl<const K: usize> Panel<K> {
    /// A constant, so that without optimisation there is one copy on the stack and not three.
    const ZERO: Self = Panel([[0.0; PANEL]; K]);

    /// `self[k] = rows[k][column..column + 64]`
    #[inline(always)]
    fn copy<const OUT: usize>(&mut self, rows: &[[f32; OUT]], column: usize) {
        for (panel, row) in self.0.iter_mut().zip(rows) {
            *panel = *block(row, column);
        }
    }
}

/// Whether at most half of `x[..][from..to]` is nonzero, judged by four samples.
#[inline(always)]
pub(super) fn is_sparse<I: Isa, const IN: usize>(x: &[[f32; IN]], from: usize, to: usize) -> bool {
    let (mut nonzero, mut seen) = (0, 0);
    for row in x.iter().step_by((x.len() / 4).max(1)) {
        let (chunks, _) = row.get(from..to).unwrap_or_default().as_chunks::<16>();
        for chunk in chunks {
            nonzero += I::nonzero(chunk).count_ones() as usize;
            seen += 16;
        }
    }
    2 * nonzero <= seen && seen > 0
}

/// Bit `i` is set where `row[from + i]` is not zero, for up to `len ≤ 128` of them.
#[inline(always)]
fn mask<I: Isa, const IN: usize>(row: &[f32; IN], from: usize, len: usize) -> u128 {
    let row = row.get(from..).unwrap_or_default();
    let (chunks, rest) = crate::tensor::first(row, len).as_chunks::<16>();
    let mut mask = 0;
    let mut shift = 0;
    for chunk in chunks {
        mask |= u128::from(I::nonzero(chunk)).wrapping_shl(shift);
        shift += 16;
    }
    for &x in rest {
        mask |= u128::from(x != 0.0).wrapping_shl(shift);
        shift += 1;
    }
    mask
}

/// `y[n][o] = fma(x[n][i], w[i][o], y[n][o])` for `i` ascending, in all whole panels of 64 outputs.
#[inline(always)]
pub(super) fn affine<I: Isa, const IN: usize, const OUT: usize, const R: usize>(
    x: &[[f32; IN]],
    w: &[[f32; OUT]; IN],
    y: &mut [[f32; OUT]],
) {
    if x.len() < FEW || is_panel(w) {
        blocks::<I, IN, OUT, R>(x, y, |part, from, _, column| {
            let rows = w.get(from..).unwrap_or_default();
            part.run::<I, R>(|i| rows.get(i).map_or(&[0.0; PANEL], |row| block(row, column)));
        });
    } else {
        let mut panel = Panel::<BLOCK>::ZERO;
        blocks::<I, IN, OUT, R>(x, y, |part, from, is_first, column| {
            if is_first {
                panel.copy(w.get(from..).unwrap_or_default(), column);
            }
            part.run::<I, R>(|i| &panel.0[i % BLOCK]);
        });
    }
}

/// Whether `rows` lies in memory as a [`Panel`] does.
#[inline(always)]
fn is_panel<const OUT: usize>(rows: &[[f32; OUT]]) -> bool {
    OUT == PANEL && rows.as_ptr().addr().is_multiple_of(64)
}

/// Up to `R` samples, and the inputs that are not zero in all of them.
struct Part<'a, const IN: usize, const OUT: usize> {
    x: &'a [[f32; IN]],
    y: &'a mut [[f32; OUT]],
    /// Bit `i` stands for input `from + i`.
    mask: u128,
    from: usize,
    column: usize,
}

/// Calls `work` with every part, the first input of its block, whether it is the first part of a panel in
/// that block, and the first column of the panel.
#[inline(always)]
fn blocks<I: Isa, const IN: usize, const OUT: usize, const R: usize>(
    x: &[[f32; IN]],
    y: &mut [[f32; OUT]],
    mut work: impl FnMut(Part<'_, IN, OUT>, usize, bool, usize),
) {
    // Blocks of equal length: 7 of 112 inputs rather than 6 of 128 and one of 16.
    let len = IN.div_ceil(IN.div_ceil(BLOCK).max(1)).next_multiple_of(16);
    for (x, y) in x.chunks(SAMPLES).zip(y.chunks_mut(SAMPLES)) {
        for from in (0..IN).step_by(len) {
            let mut masks = [0; SAMPLES];
            for (union, x) in masks.iter_mut().zip(x.chunks(R)) {
                *union = x.iter().fold(0, |union, x| union | mask::<I, IN>(x, from, len));
            }
            for column in (0..OUT / PANEL * PANEL).step_by(PANEL) {
                let mut is_first = true;
                for (&mask, (x, y)) in masks.iter().zip(x.chunks(R).zip(y.chunks_mut(R))) {
                    work(Part { x, y, mask, from, column }, from, is_first, column);
                    is_first = false;
                }
            }
        }
    }
}

impl<const IN: usize, const OUT: usize> Part<'_, IN, OUT> {
    /// Adds the inputs in the mask; `row(i)` is the panel's row of weights for input `from + i`.
    #[inline(always)]
    fn run<'a, I: Isa, const R: usize>(self, row: impl Fn(usize) -> &'a [f32; PANEL] + Copy) {
        let Self { x, y, mask, from, column } = self;
        if mask == 0 {
            return;
        }
        match (x.as_array::<R>(), y.as_mut_array::<R>()) {
            (Some(x), Some(y)) => samples::<I, IN, OUT, R>(mask, x, from, row, y, column),
            _ => {
                for (x, y) in x.iter().zip(y) {
                    let (x, y) = (core::array::from_ref(x), core::array::from_mut(y));
                    samples::<I, IN, OUT, 1>(mask, x, from, row, y, column);
                }
            }
        }
    }
}

#[inline(always)]
fn samples<'a, I: Isa, const IN: usize, const OUT: usize, const R: usize>(
    mut mask: u128,
    x: &[[f32; IN]; R],
    from: usize,
    row: impl Fn(usize) -> &'a [f32; PANEL],
    y: &mut [[f32; OUT]; R],
    column: usize,
) {
    let mut acc = [[0.0; PANEL]; R];
    for (acc, y) in acc.iter_mut().zip(y.iter()) {
        *acc = *block(y, column);
    }
    while mask != 0 {
        let i = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        let row = row(i);
        for (acc, x) in acc.iter_mut().zip(x) {
            let x = x.get(from + i).copied().unwrap_or_default();
            for (acc, &w) in acc.iter_mut().zip(row) {
                *acc = I::fma(x, w, *acc);
            }
        }
    }
    store(&acc, y, column);
}

/// Rows of the gradient whose masks are kept at a time.
const ROWS: usize = 512;

/// `dw[r][o] = fma(x[n][first + r], dy[n][o], dw[r][o])` for `n` ascending, in all whole panels of 64 outputs.
#[inline(always)]
pub(super) fn add_outer<I: Isa, const IN: usize, const OUT: usize, const R: usize>(
    x: &[[f32; IN]],
    dy: &[[f32; OUT]],
    first: usize,
    dw: &mut [[f32; OUT]],
) {
    let mut panel = Panel::<SAMPLES>::ZERO;
    for (x, dy) in x.chunks(SAMPLES).zip(dy.chunks(SAMPLES)) {
        for (part, dw) in dw.chunks_mut(ROWS).enumerate() {
            let first = first + part * ROWS;
            let mut masks = [[0; 16]; ROWS / 16];
            for (k, masks) in masks.iter_mut().enumerate().take(dw.len().div_ceil(16)) {
                *masks = columns::<I, IN>(x, first + 16 * k);
            }
            let masks = masks.as_flattened();
            for column in (0..OUT / PANEL * PANEL).step_by(PANEL) {
                panel.copy(dy, column);
                let inputs = (first..).step_by(R);
                for ((masks, dw), input) in masks.chunks(R).zip(dw.chunks_mut(R)).zip(inputs) {
                    let mask = masks.iter().fold(0, |union, mask| union | mask);
                    if mask == 0 {
                        continue;
                    }
                    match dw.as_mut_array::<R>() {
                        Some(dw) => weights::<I, IN, OUT, R>(mask, x, input, &panel, dw, column),
                        None => {
                            for (dw, input) in dw.iter_mut().zip(input..) {
                                let dw = core::array::from_mut(dw);
                                weights::<I, IN, OUT, 1>(mask, x, input, &panel, dw, column);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// For each of the inputs `from..from + 16` the samples (up to 64) in which it is not zero.
#[inline(always)]
fn columns<I: Isa, const IN: usize>(x: &[[f32; IN]], from: usize) -> [u64; 16] {
    let mut halves = [[0; 16]; 2];
    for (half, x) in halves.iter_mut().zip(x.chunks(32)) {
        let mut bit: u32 = 1;
        for row in x {
            let row = row.get(from..).unwrap_or_default();
            match row.first_chunk() {
                Some(row) => I::mark(half, row, bit),
                None => {
                    let mut part = [0.0; 16];
                    for (part, x) in part.iter_mut().zip(row) {
                        *part = *x;
                    }
                    I::mark(half, &part, bit);
                }
            }
            bit = bit.wrapping_shl(1);
        }
    }
    let [low, high] = halves;
    core::array::from_fn(|k| u64::from(low[k]) | u64::from(high[k]) << 32)
}

#[inline(always)]
fn weights<I: Isa, const IN: usize, const OUT: usize, const R: usize>(
    mut mask: u64,
    x: &[[f32; IN]],
    input: usize,
    dy: &Panel<SAMPLES>,
    dw: &mut [[f32; OUT]; R],
    column: usize,
) {
    let mut acc = [[0.0; PANEL]; R];
    for (acc, dw) in acc.iter_mut().zip(dw.iter()) {
        *acc = *block(dw, column);
    }
    while mask != 0 {
        let n = mask.trailing_zeros() as usize % SAMPLES;
        mask &= mask.wrapping_sub(1);
        let row = &dy.0[n];
        let x = x.get(n).and_then(|x| x.get(input..)).and_then(|x| x.first_chunk::<R>());
        for (acc, x) in acc.iter_mut().zip(x.unwrap_or(&[0.0; R])) {
            for (acc, &dy) in acc.iter_mut().zip(row) {
                *acc = I::fma(*x, dy, *acc);
            }
        }
    }
    store(&acc, dw, column);
}
