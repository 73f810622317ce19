//! The products of a dense layer for inputs that are mostly zero, as a picture's are.
//!
//! The arithmetic contract leaves out a term whose `x` is zero, so work that is not done costs nothing
//! but finding it. A loop over the bits of a mask ([`Inputs::mask`]) visits the rest; a panel of 64 or 32 outputs stays
//! in registers meanwhile.
//!
//! `R` chains go side by side over the *union* of their masks: each row of the other factor is then loaded
//! once for all of them, which counts for more than the zeros that come along. Such zeros change
//! nothing, for the reasons given in `affine.rs` and `outer.rs`, which call these loops.
//!
//! What was tried on 64 digits, AVX-512, another batch each time (with the same one over and over a branch predictor
//! learns when loops end, and everything looks a third faster). A loop ends after some 18 terms, at a cost of about 20 cycles.
//! Forward, 784-64, bytes: two, three, four samples in union 11.1, 10.3, 10.8 µs (numbers: 10.3 for two, and 4.4 to
//! convert them before); 784-32: two, three, four, eight 8.6, 7.0, 6.8, 9.5. Lists of indices made beforehand, which end
//! more rarely: 14.3 without blocks of inputs (they wait for the second-level cache), 10.3 with blocks of 128, both
//! without making the lists. Weight gradient, 784-64: two, four inputs in union 8.9, 8.7; 784-32: two, four, eight 6.8, 5.8,
//! 6.2; 0.6 of it turns the masks (784-512: two are a tenth better than four). Rows that cross cache lines (models not aligned to 64 bytes) cost a quarter more,
//! hence the copies.

use super::bytes::prefetch;
use super::inputs::{BLOCK, Inputs, words};
use super::isa::Isa;
use super::tile::block;

/// Whether there are panels for layers of `outputs` outputs; those after the last whole panel of 64 are left out.
pub(super) const fn suits(outputs: usize) -> bool {
    outputs >= 64 || outputs == 32
}

/// Samples whose masks are kept at a time.
const SAMPLES: usize = 64;

/// Words of masks that are kept at a time.
const BLOCKS: usize = 8;

/// Fewer samples than this do not repay copying a panel of weights.
const FEW: usize = 16;

/// `C` columns of as many rows as a mask has bits, one after the other, aligned to cache lines.
#[repr(align(64))]
struct Panel<const C: usize>([[f32; C]; BLOCK]);

impl<const C: usize> Panel<C> {
    /// A constant, so that without optimisation there is one copy on the stack and not three.
    const ZERO: Self = Panel([[0.0; C]; BLOCK]);

    /// `self[k] = rows[k][column..column + C]`
    #[inline(always)]
    fn copy<const OUT: usize>(&mut self, rows: &[[f32; OUT]], column: usize) {
        for (panel, row) in self.0.iter_mut().zip(rows) {
            *panel = *block(row, column);
        }
    }
}

/// `row[column..column + C]` in `V` vectors.
#[inline(always)]
fn load<I: Isa, const C: usize, const V: usize>(row: &[f32], column: usize) -> [I::Vector; V] {
    let row = block::<C>(row, column);
    core::array::from_fn(|v| {
        I::load(crate::tensor::first(row.get(v * I::LANES..).unwrap_or_default(), I::LANES))
    })
}

/// `row[column..column + C] = acc + 0`: a zero is stored as +0.
#[inline(always)]
fn store<I: Isa, const C: usize, const V: usize>(
    acc: &[I::Vector; V],
    row: &mut [f32],
    column: usize,
) {
    let zero = I::splat(0.0);
    if let Some(row) = row.get_mut(column..).and_then(|row| row.first_chunk_mut::<C>()) {
        for (v, acc) in acc.iter().enumerate() {
            let row = row.get_mut(v * I::LANES..).unwrap_or_default();
            let row = crate::tensor::first_mut(row, I::LANES);
            // The term 0·0 makes +0 of −0, and changes nothing else.
            I::store(I::fma_lanes(zero, zero, *acc), row);
        }
    }
}

/// `acc[r] = fma(x(r), row, acc[r])`
#[inline(always)]
fn add<I: Isa, const V: usize, const R: usize>(
    acc: &mut [[I::Vector; V]; R],
    x: impl Fn(usize) -> f32,
    row: &[I::Vector; V],
) {
    for (r, acc) in acc.iter_mut().enumerate() {
        let x = I::splat(x(r));
        for (acc, row) in acc.iter_mut().zip(row) {
            *acc = I::fma_lanes(x, *row, *acc);
        }
    }
}

/// `y[n][o] = fma(x[n][i], w[i][o], y[n][o])` for `i` ascending, in all whole panels of outputs.
#[inline(always)]
pub(super) fn affine<'a, I: Isa, X: Inputs<'a, IN>, const IN: usize, const OUT: usize>(
    x: X,
    w: &[[f32; OUT]; IN],
    y: &mut [[f32; OUT]],
) {
    match (OUT, I::LANES) {
        (32, 16) => forward::<I, X, IN, OUT, 32, 2, 4>(x, w, y),
        (32, 8) => forward::<I, X, IN, OUT, 32, 4, 2>(x, w, y),
        (32, _) => forward::<I, X, IN, OUT, 32, 8, 2>(x, w, y),
        (_, 16) => forward::<I, X, IN, OUT, 64, 4, 3>(x, w, y),
        (_, 8) => forward::<I, X, IN, OUT, 64, 8, 1>(x, w, y),
        _ => forward::<I, X, IN, OUT, 64, 16, 1>(x, w, y),
    }
}

/// [`affine`] in panels of `C` outputs, which are `V` vectors, for `R` samples at a time.
#[inline(always)]
fn forward<
    'a,
    I: Isa,
    X: Inputs<'a, IN>,
    const IN: usize,
    const OUT: usize,
    const C: usize,
    const V: usize,
    const R: usize,
>(
    x: X,
    w: &[[f32; OUT]; IN],
    y: &mut [[f32; OUT]],
) {
    if y.len() < FEW {
        return one_by_one::<I, X, IN, OUT, C, V>(x, w, y);
    }
    let mut panel = Panel::<C>::ZERO;
    for (part, y) in y.chunks_mut(SAMPLES).enumerate() {
        let first = part * SAMPLES;
        for (number, w) in w.chunks(BLOCK).enumerate() {
            let mut masks = [0; SAMPLES];
            for (n, mask) in masks.iter_mut().enumerate().take(y.len()) {
                *mask = x.mask::<I>(first + n, number);
            }
            for column in (0..OUT / C * C).step_by(C) {
                let group = Group { x, first, block: number, masks: &masks, column };
                if let Some(rows) = as_panel::<OUT, C>(w) {
                    group.run::<I, IN, OUT, C, V, R>(|i| &rows[i], y);
                } else {
                    panel.copy(w, column);
                    group.run::<I, IN, OUT, C, V, R>(|i| &panel.0[i], y);
                }
            }
        }
    }
}

/// [`forward`] for a few samples: their outputs stay in registers while all inputs pass, and no weight is copied.
#[inline(always)]
fn one_by_one<
    'a,
    I: Isa,
    X: Inputs<'a, IN>,
    const IN: usize,
    const OUT: usize,
    const C: usize,
    const V: usize,
>(
    x: X,
    w: &[[f32; OUT]; IN],
    y: &mut [[f32; OUT]],
) {
    for (n, (items, y)) in x.items().iter().zip(y).enumerate() {
        for column in (0..OUT / C * C).step_by(C) {
            let mut acc = [load::<I, C, V>(y, column)];
            for block in 0..words(IN) {
                let mut mask = x.mask::<I>(n, block);
                while mask != 0 {
                    let i = BLOCK * block + mask.trailing_zeros() as usize;
                    mask &= mask.wrapping_sub(1);
                    if let (Some(&item), Some(w)) = (items.get(i), w.get(i)) {
                        add::<I, V, 1>(&mut acc, |_| x.number(item), &load::<I, C, V>(w, column));
                    }
                }
            }
            let [acc] = acc;
            store::<I, C, V>(&acc, y, column);
        }
    }
}

/// `rows`, if they lie in memory as a [`Panel`] does.
#[inline(always)]
fn as_panel<const OUT: usize, const C: usize>(rows: &[[f32; OUT]]) -> Option<&[[f32; C]; BLOCK]> {
    let is_panel = OUT == C && rows.as_ptr().addr().is_multiple_of(64);
    rows.as_flattened().as_chunks().0.as_array().filter(|_| is_panel)
}

/// Up to 64 samples from `first` on, and the inputs `64·block + i` for which bit `i` is set in each one's mask.
struct Group<'m, X> {
    x: X,
    first: usize,
    block: usize,
    masks: &'m [u64; SAMPLES],
    column: usize,
}

impl<'a, X> Group<'_, X> {
    /// Adds them to a panel of `y`; `row(i)` is the panel's row of weights for input `64·block + i`.
    #[inline(always)]
    fn run<
        'p,
        I: Isa,
        const IN: usize,
        const OUT: usize,
        const C: usize,
        const V: usize,
        const R: usize,
    >(
        &self,
        row: impl Fn(usize) -> &'p [f32; C] + Copy,
        y: &mut [[f32; OUT]],
    ) where
        X: Inputs<'a, IN>,
    {
        let (groups, rest) = y.as_chunks_mut::<R>();
        let mut n = 0;
        for y in groups {
            self.samples::<I, IN, OUT, C, V, R>(n, row, y);
            n += R;
        }
        for y in rest {
            self.samples::<I, IN, OUT, C, V, 1>(n, row, core::array::from_mut(y));
            n += 1;
        }
    }

    /// For the `R` samples from `n` on.
    #[inline(always)]
    fn samples<
        'p,
        I: Isa,
        const IN: usize,
        const OUT: usize,
        const C: usize,
        const V: usize,
        const R: usize,
    >(
        &self,
        n: usize,
        row: impl Fn(usize) -> &'p [f32; C],
        y: &mut [[f32; OUT]; R],
    ) where
        X: Inputs<'a, IN>,
    {
        let masks = self.masks.get(n..).unwrap_or_default();
        let mut mask = crate::tensor::first(masks, R).iter().fold(0, |union, mask| union | mask);
        let samples = self.x.items().get(self.first + n..).and_then(|x| x.first_chunk::<R>());
        let (Some(samples), true) = (samples, mask != 0) else { return };

        let from = self.block * BLOCK;
        let mut room = [[X::Item::default(); BLOCK]; R];
        if from + BLOCK > IN {
            for (room, sample) in room.iter_mut().zip(samples) {
                let items = sample.get(from..).unwrap_or_default();
                room.iter_mut().zip(items).for_each(|(room, item)| *room = *item);
            }
        }
        let items: [&[X::Item; BLOCK]; R] = core::array::from_fn(|r| {
            samples[r].get(from..).and_then(|items| items.first_chunk()).unwrap_or(&room[r])
        });
        let mut acc: [_; R] = core::array::from_fn(|r| load::<I, C, V>(&y[r], self.column));
        while mask != 0 {
            let i = mask.trailing_zeros() as usize % BLOCK;
            mask &= mask.wrapping_sub(1);
            add::<I, V, R>(&mut acc, |r| self.x.number(items[r][i]), &load::<I, C, V>(row(i), 0));
        }
        for (acc, y) in acc.iter().zip(y) {
            store::<I, C, V>(acc, y, self.column);
        }
    }
}

/// `dw[r][o] = fma(x[n][first + r], dy[n][o], dw[r][o])` for `n` ascending, in all whole panels of outputs.
#[inline(always)]
pub(super) fn add_outer<'a, I: Isa, X: Inputs<'a, IN>, const IN: usize, const OUT: usize>(
    x: X,
    dy: &[[f32; OUT]],
    first: usize,
    dw: &mut [[f32; OUT]],
) {
    match (OUT, I::LANES) {
        (32, 16) => gradient::<I, X, IN, OUT, 32, 2, 4>(x, dy, first, dw),
        (32, 8) => gradient::<I, X, IN, OUT, 32, 4, 2>(x, dy, first, dw),
        (32, _) => gradient::<I, X, IN, OUT, 32, 8, 2>(x, dy, first, dw),
        (64, 16) => gradient::<I, X, IN, OUT, 64, 4, 4>(x, dy, first, dw),
        (_, 16) => gradient::<I, X, IN, OUT, 64, 4, 2>(x, dy, first, dw),
        (_, 8) => gradient::<I, X, IN, OUT, 64, 8, 1>(x, dy, first, dw),
        _ => gradient::<I, X, IN, OUT, 64, 16, 1>(x, dy, first, dw),
    }
}

/// [`add_outer`] in panels of `C` outputs, which are `V` vectors, for `R` inputs at a time.
#[inline(always)]
fn gradient<
    'a,
    I: Isa,
    X: Inputs<'a, IN>,
    const IN: usize,
    const OUT: usize,
    const C: usize,
    const V: usize,
    const R: usize,
>(
    x: X,
    dy: &[[f32; OUT]],
    first: usize,
    dw: &mut [[f32; OUT]],
) {
    let mut panel = Panel::<C>::ZERO;
    for (part, (items, dy)) in x.items().chunks(SAMPLES).zip(dy.chunks(SAMPLES)).enumerate() {
        let (mut dw, mut first) = (&mut *dw, first);
        while !dw.is_empty() {
            let (here, rest) = crate::tensor::split_mut(dw, BLOCKS * BLOCK - first % BLOCK);
            let mut masks = [[0; SAMPLES]; BLOCKS];
            for (masks, block) in masks.iter_mut().zip(first / BLOCK..words(IN)) {
                for (n, mask) in masks.iter_mut().enumerate().take(items.len()) {
                    *mask = x.mask::<I>(part * SAMPLES + n, block);
                }
                *masks = transpose(*masks);
            }
            for column in (0..OUT / C * C).step_by(C) {
                panel.copy(dy, column);
                let (mut dw, mut input) = (&mut *here, first);
                for masks in &masks {
                    let (here, rest) = crate::tensor::split_mut(dw, BLOCK - input % BLOCK);
                    if column == 0 {
                        // They may be in another core's cache.
                        let next = (input / BLOCK + 1) * BLOCK;
                        items.iter().filter_map(|items| items.get(next..=next)).for_each(prefetch);
                    }
                    let masks = masks.get(input % BLOCK..).unwrap_or_default();
                    let groups = masks.chunks(R).zip(here.chunks_mut(R));
                    for ((masks, dw), input) in groups.zip((input..).step_by(R)) {
                        let outer = Outer { x, first: part * SAMPLES, dy: &panel, input, column };
                        outer.run::<I, IN, OUT, V, R>(masks, dw);
                    }
                    input += BLOCK - input % BLOCK;
                    dw = rest;
                }
            }
            first += here.len();
            dw = rest;
        }
    }
}

/// The gradient of a panel of outputs for up to 64 samples from `first` on, and inputs from `input` on.
struct Outer<'p, X, const C: usize> {
    x: X,
    first: usize,
    dy: &'p Panel<C>,
    input: usize,
    column: usize,
}

impl<'x, X, const C: usize> Outer<'_, X, C> {
    /// Adds the samples in the masks to the rows of up to `R` inputs.
    #[inline(always)]
    fn run<I: Isa, const IN: usize, const OUT: usize, const V: usize, const R: usize>(
        &self,
        masks: &[u64],
        dw: &mut [[f32; OUT]],
    ) where
        X: Inputs<'x, IN>,
    {
        if let Some(dw) = dw.as_mut_array::<R>() {
            let mask = masks.iter().fold(0, |union, mask| union | mask);
            return self.rows::<I, IN, OUT, V, R>(mask, self.input, dw);
        }
        for ((&mask, dw), input) in masks.iter().zip(dw).zip(self.input..) {
            self.rows::<I, IN, OUT, V, 1>(mask, input, core::array::from_mut(dw));
        }
    }

    /// For `R` inputs.
    #[inline(always)]
    fn rows<I: Isa, const IN: usize, const OUT: usize, const V: usize, const R: usize>(
        &self,
        mut mask: u64,
        input: usize,
        dw: &mut [[f32; OUT]; R],
    ) where
        X: Inputs<'x, IN>,
    {
        if mask == 0 {
            return;
        }
        let samples = self.x.items().get(self.first..).unwrap_or_default();
        let mut acc: [_; R] = core::array::from_fn(|r| load::<I, C, V>(&dw[r], self.column));
        while mask != 0 {
            let n = mask.trailing_zeros() as usize % SAMPLES;
            mask &= mask.wrapping_sub(1);
            let items = samples.get(n).and_then(|items| items.get(input..));
            let items = items.and_then(|items| items.first_chunk::<R>()).copied();
            let items = items.unwrap_or([X::Item::default(); R]);
            let dy = load::<I, C, V>(&self.dy.0[n], 0);
            add::<I, V, R>(&mut acc, |r| self.x.number(items[r]), &dy);
        }
        for (acc, dw) in acc.iter().zip(dw) {
            store::<I, C, V>(acc, dw, self.column);
        }
    }
}

/// Bit `k` of word `n` becomes bit `n` of word `k` (Warren, "Hacker's Delight", 7-3).
#[inline(always)]
fn transpose(bits: [u64; BLOCK]) -> [u64; BLOCK] {
    let bits = swap::<32>(bits, 0x0000_0000_ffff_ffff);
    let bits = swap::<16>(bits, 0x0000_ffff_0000_ffff);
    let bits = swap::<8>(bits, 0x00ff_00ff_00ff_00ff);
    let bits = swap::<4>(bits, 0x0f0f_0f0f_0f0f_0f0f);
    let bits = swap::<2>(bits, 0x3333_3333_3333_3333);
    swap::<1>(bits, 0x5555_5555_5555_5555)
}

/// In each group of `2·S` words the upper `S` bits of the first `S` change places with the `low` ones of the others.
#[inline(always)]
fn swap<const S: usize>(mut bits: [u64; BLOCK], low: u64) -> [u64; BLOCK] {
    let (groups, _) = bits.as_chunks_mut::<S>();
    for pair in groups.chunks_exact_mut(2) {
        if let [first, second] = pair {
            for (first, second) in first.iter_mut().zip(second) {
                let moved = (*first >> S ^ *second) & low;
                *first ^= moved << S;
                *second ^= moved;
            }
        }
    }
    bits
}
