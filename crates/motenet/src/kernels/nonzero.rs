//! The products of a dense layer of 32 or 64 outputs for inputs that are mostly zero, given as bits which
//! inputs are not.
//!
//! `sparse.rs` looks for the zeros itself, once for each product. A thread that has only some of a layer's outputs
//! looks through as many inputs for less work, so here it is done once, right after a
//! sample is loaded and still in the first-level cache. What is left out, and why it may be computed all the same
//! where two samples go together, is explained in `affine.rs` and `outer.rs`.
//!
//! What was tried on 64 digits, 784-32, AVX-512. Forward: two samples in union 7.0 µs (four vectors do not fill the
//! two units while a chain waits for itself), two such pairs side by side, each with its own bits, 5.5; four samples
//! in union make LLVM gather (150). Gradient: three inputs in union 6.1, of which turning the bits costs 1; two 6.3,
//! four 8.9; adding each term to its row in memory, with `dy` in registers, 7.2.

use super::isa::Isa;
use super::plain;
use super::simd::{Kernel, Simd};
use super::tile::{Columns, Rows, accumulate, store, unsigned_zero};

/// Inputs of one block, and of one word of bits: as many rows of 64 weights take 16 KiB, and stay in the first-level cache.
const BLOCK: usize = 64;

/// Words of bits that `inputs` inputs take.
pub const fn words(inputs: usize) -> usize {
    inputs.div_ceil(64)
}

/// Bit `k % 64` of `bits[k / 64]` is set where `x[k]` is not zero; a zero of either sign is zero, NaN is not.
///
/// `bits` is overwritten. Never panics.
///
/// ```
/// let mut bits = [0];
/// motenet::kernels::nonzero(motenet::Simd::baseline(), &[0.0, 2.0, -0.0, f32::NAN], &mut bits);
/// assert_eq!(bits, [0b1010]);
/// ```
#[inline]
pub fn nonzero(simd: Simd, x: &[f32], bits: &mut [u64]) {
    simd.run(Nonzero { x, bits });
}

struct Nonzero<'a> {
    x: &'a [f32],
    bits: &'a mut [u64],
}

impl Kernel for Nonzero<'_> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let (whole, rest) = self.x.as_chunks::<64>();
        let (bits, last) = crate::tensor::split_mut(self.bits, whole.len());
        for (bits, x) in bits.iter_mut().zip(whole) {
            let (quarters, _) = x.as_chunks::<16>();
            *bits = quarters.iter().rev().fold(0, |bits, x| bits << 16 | u64::from(I::nonzero(x)));
        }
        last.fill(0);
        if let Some(last) = last.first_mut() {
            *last = rest.iter().rev().fold(0, |bits, &x| bits << 1 | u64::from(x != 0.0));
        }
    }
}

/// [`affine`](super::affine) for `OUT` of 32 or 64, given the bits of `x`.
///
/// # Shapes
/// As there. `bits`: samples × [`words`]`(IN)`, from [`nonzero`]; a sample without bits is left out. Never panics.
///
/// # Accuracy
/// The bits of [`affine`](super::affine).
#[inline]
pub fn affine_nonzero<const IN: usize, const OUT: usize>(
    simd: Simd,
    x: &[[f32; IN]],
    bits: &[u64],
    w: &[[f32; OUT]; IN],
    bias: &[f32; OUT],
    y: &mut [[f32; OUT]],
) {
    let y = crate::tensor::first_mut(y, x.len());
    simd.run(Affine { x, bits, w, bias, y });
}

struct Affine<'a, const IN: usize, const OUT: usize> {
    x: &'a [[f32; IN]],
    bits: &'a [u64],
    w: &'a [[f32; OUT]; IN],
    bias: &'a [f32; OUT],
    y: &'a mut [[f32; OUT]],
}

impl<const IN: usize, const OUT: usize> Kernel for Affine<'_, IN, OUT> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { x, bits, w, bias, y } = self;
        let bias = bias.map(unsigned_zero);
        y.fill(bias);
        if I::LANES == 1 {
            return plain::affine(x, w, y);
        }
        if is_sparse(bits, IN) {
            match (I::LANES, OUT) {
                (16, ..=32) => forward::<I, IN, OUT, 2, 2>(x, bits, w, y),
                (16, _) => forward::<I, IN, OUT, 2, 1>(x, bits, w, y),
                (_, ..=32) => forward::<I, IN, OUT, 1, 2>(x, bits, w, y),
                _ => forward::<I, IN, OUT, 1, 1>(x, bits, w, y),
            }
        } else {
            accumulate::<I, _, OUT>(y, Rows(x), w);
        }
        if y.as_flattened().iter().fold(false, |nan, y| nan | y.is_nan()) {
            y.fill(bias);
            plain::rows::<I, _, OUT>(y, Rows(x), w);
        }
    }
}

/// Whether at most half of the inputs are not zero, judged by four samples.
#[inline(always)]
fn is_sparse(bits: &[u64], inputs: usize) -> bool {
    let words = words(inputs).max(1);
    let (mut set, mut seen) = (0, 0);
    for row in bits.chunks(words).step_by((bits.len() / words / 4).max(1)) {
        set += row.iter().map(|bits| bits.count_ones() as usize).sum::<usize>();
        seen += inputs;
    }
    2 * set <= seen
}

/// `y[n][o] = fma(x[n][i], w[i][o], y[n][o])` for `i` ascending: `R` samples in union, `P` such groups side by side.
#[inline(always)]
fn forward<I: Isa, const IN: usize, const OUT: usize, const R: usize, const P: usize>(
    x: &[[f32; IN]],
    bits: &[u64],
    w: &[[f32; OUT]; IN],
    y: &mut [[f32; OUT]],
) {
    for (block, w) in w.chunks(BLOCK).enumerate() {
        match w.as_array::<BLOCK>() {
            Some(w) => forward_block::<I, IN, OUT, R, P>(x, bits, w, block, y),
            None => forward_block::<I, IN, OUT, R, P>(x, bits, w, block, y),
        }
    }
}

/// `forward` for one block; where its length is a constant, no index needs a test.
#[inline(always)]
fn forward_block<I: Isa, const IN: usize, const OUT: usize, const R: usize, const P: usize>(
    x: &[[f32; IN]],
    bits: &[u64],
    w: &[[f32; OUT]],
    block: usize,
    y: &mut [[f32; OUT]],
) {
    let words = words(IN).max(1);
    let groups = x.chunks(R * P).zip(bits.chunks(R * P * words)).zip(y.chunks_mut(R * P));
    for ((x, bits), y) in groups {
        let mask = |p| union::<R>(bits, words, p * R, block);
        if P == 2
            && let Some((x0, x1)) = x.split_first_chunk::<R>()
            && let Some((y0, y1)) = y.split_first_chunk_mut::<R>()
            && let (Some(x1), Some(y1)) = (x1.as_array::<R>(), y1.as_mut_array::<R>())
        {
            let (mut mask0, mut mask1) = (mask(0), mask(1));
            let (x0, x1) = (columns(x0, block, w.len()), columns(x1, block, w.len()));
            let (mut acc0, mut acc1) = (*y0, *y1);
            while mask0 != 0 && mask1 != 0 {
                acc0 = add::<I, OUT, R>(acc0, mask0, x0, w);
                acc1 = add::<I, OUT, R>(acc1, mask1, x1, w);
                mask0 &= mask0.wrapping_sub(1);
                mask1 &= mask1.wrapping_sub(1);
            }
            store(&add_all::<I, OUT, R>(acc0, mask0, x0, w), y0, 0);
            store(&add_all::<I, OUT, R>(acc1, mask1, x1, w), y1, 0);
        } else if P == 1
            && let (Some(x), Some(y)) = (x.as_array::<R>(), y.as_mut_array::<R>())
        {
            let x = columns(x, block, w.len());
            store(&add_all::<I, OUT, R>(*y, mask(0), x, w), y, 0);
        } else {
            for (n, (x, y)) in x.iter().zip(y).enumerate() {
                let x = columns(core::array::from_ref(x), block, w.len());
                let (mask, y) = (union::<1>(bits, words, n, block), core::array::from_mut(y));
                store(&add_all::<I, OUT, 1>(*y, mask, x, w), y, 0);
            }
        }
    }
}

/// The `len` inputs of a block, of each sample.
#[inline(always)]
fn columns<const IN: usize, const R: usize>(
    x: &[[f32; IN]; R],
    block: usize,
    len: usize,
) -> [&[f32]; R] {
    core::array::from_fn(|r| x[r].get(block * BLOCK..block * BLOCK + len).unwrap_or_default())
}

/// The inputs of a block that are not zero in all of the `R` samples from `n` on.
#[inline(always)]
fn union<const R: usize>(bits: &[u64], words: usize, n: usize, block: usize) -> u64 {
    (n..n + R).fold(0, |union, n| union | bits.get(n * words + block).copied().unwrap_or_default())
}

/// Adds the first input in the mask.
#[inline(always)]
fn add<I: Isa, const OUT: usize, const R: usize>(
    mut acc: [[f32; OUT]; R],
    mask: u64,
    x: [&[f32]; R],
    w: &[[f32; OUT]],
) -> [[f32; OUT]; R] {
    let i = mask.trailing_zeros() as usize % BLOCK;
    if let Some(w) = w.get(i) {
        let x: [f32; R] = core::array::from_fn(|r| x[r].get(i).copied().unwrap_or_default());
        for r in 0..R {
            for c in 0..OUT {
                acc[r][c] = I::fma(x[r], w[c], acc[r][c]);
            }
        }
    }
    acc
}

/// Adds every input in the mask.
#[inline(always)]
fn add_all<I: Isa, const OUT: usize, const R: usize>(
    mut acc: [[f32; OUT]; R],
    mut mask: u64,
    x: [&[f32]; R],
    w: &[[f32; OUT]],
) -> [[f32; OUT]; R] {
    while mask != 0 {
        acc = add::<I, OUT, R>(acc, mask, x, w);
        mask &= mask.wrapping_sub(1);
    }
    acc
}

/// [`add_outer`](super::add_outer) for `OUT` of 32 or 64 and all rows, given the bits of `x`.
///
/// # Shapes
/// As there; `bits` as in [`affine_nonzero`]. Never panics.
///
/// # Accuracy
/// The bits of [`add_outer`](super::add_outer).
#[inline]
pub fn add_outer_nonzero<const IN: usize, const OUT: usize>(
    simd: Simd,
    x: &[[f32; IN]],
    bits: &[u64],
    dy: &[[f32; OUT]],
    dw: &mut [[f32; OUT]; IN],
) {
    simd.run(AddOuter { x, bits, dy, dw });
}

struct AddOuter<'a, const IN: usize, const OUT: usize> {
    x: &'a [[f32; IN]],
    bits: &'a [u64],
    dy: &'a [[f32; OUT]],
    dw: &'a mut [[f32; OUT]; IN],
}

impl<const IN: usize, const OUT: usize> Kernel for AddOuter<'_, IN, OUT> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { x, bits, dy, dw } = self;
        let left = Columns { columns: x, first: 0 };
        let finite = |dy: &[[f32; OUT]]| {
            dy.as_flattened().iter().fold(true, |finite, dy| finite & dy.is_finite())
        };
        if I::LANES == 1 {
            plain::add_outer(x, dy, 0, dw);
        } else if !finite(dy) {
            plain::rows::<I, _, OUT>(dw, left, dy);
        } else if !is_sparse(bits, IN) {
            accumulate::<I, _, OUT>(dw, left, dy);
        } else {
            match (I::LANES, OUT) {
                (16, ..=32) => gradient::<I, IN, OUT, 3>(x, bits, dy, dw),
                (16, _) | (_, ..=32) => gradient::<I, IN, OUT, 2>(x, bits, dy, dw),
                _ => gradient::<I, IN, OUT, 1>(x, bits, dy, dw),
            }
        }
    }
}

/// `dw[i][o] = fma(x[n][i], dy[n][o], dw[i][o])` for `n` ascending, `R` inputs in union.
#[inline(always)]
fn gradient<I: Isa, const IN: usize, const OUT: usize, const R: usize>(
    x: &[[f32; IN]],
    bits: &[u64],
    dy: &[[f32; OUT]],
    dw: &mut [[f32; OUT]; IN],
) {
    let words = words(IN).max(1);
    let mut rows = [[0.0; OUT]; BLOCK];
    for ((x, bits), dy) in x.chunks(BLOCK).zip(bits.chunks(BLOCK * words)).zip(dy.chunks(BLOCK)) {
        for (row, dy) in rows.iter_mut().zip(dy) {
            *row = *dy;
        }
        for (block, dw) in dw.chunks_mut(BLOCK).enumerate() {
            let mut masks = [0; BLOCK];
            for (mask, bits) in masks.iter_mut().zip(bits.chunks(words)) {
                *mask = bits.get(block).copied().unwrap_or_default();
            }
            let masks = transpose(masks);
            let inputs = (block * BLOCK..).step_by(R);
            for ((masks, dw), input) in masks.chunks(R).zip(dw.chunks_mut(R)).zip(inputs) {
                if let Some(dw) = dw.as_mut_array::<R>() {
                    let mask = masks.iter().fold(0, |union, mask| union | mask);
                    weights::<I, IN, OUT, R>(mask, x, input, &rows, dw);
                } else {
                    for ((mask, dw), input) in masks.iter().zip(dw).zip(input..) {
                        let dw = core::array::from_mut(dw);
                        weights::<I, IN, OUT, 1>(*mask, x, input, &rows, dw);
                    }
                }
            }
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

/// Adds the samples in the mask to the rows of `R` inputs.
#[inline(always)]
fn weights<I: Isa, const IN: usize, const OUT: usize, const R: usize>(
    mut mask: u64,
    x: &[[f32; IN]],
    input: usize,
    dy: &[[f32; OUT]; BLOCK],
    dw: &mut [[f32; OUT]; R],
) {
    if mask == 0 {
        return;
    }
    let mut acc = *dw;
    while mask != 0 {
        let n = mask.trailing_zeros() as usize % BLOCK;
        mask &= mask.wrapping_sub(1);
        let dy = &dy[n];
        let x = x.get(n).and_then(|x| x.get(input..)).and_then(|x| x.first_chunk::<R>());
        let x = x.copied().unwrap_or([0.0; R]);
        for r in 0..R {
            for c in 0..OUT {
                acc[r][c] = I::fma(x[r], dy[c], acc[r][c]);
            }
        }
    }
    store(&acc, dw, 0);
}
