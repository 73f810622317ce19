//! Where the inputs of a dense layer come from: numbers, or bytes that stand for numbers.
//!
//! A picture is kept as bytes. A product that reads the bytes themselves takes a quarter of the memory through the
//! caches, needs no conversion before it, and finds the zeros of a row 64 at a time.

use super::isa::Isa;
use super::simd::{Kernel, Simd};

/// Inputs in one word of marks.
pub(super) const BLOCK: usize = 64;

/// Samples × inputs as bytes: `x[n][i] = values[codes[n][i]]`.
///
/// Bytes other than 0 are marked, by [`mark`]. Where byte 0 stands for zero, a dense layer leaves out what is not marked.
#[derive(Clone, Copy, Debug)]
pub struct Coded<'a> {
    /// The bytes of one sample after the other.
    pub codes: &'a [u8],
    /// What each byte stands for.
    pub values: &'a [f32; 256],
    /// Each sample's marks, [`words`] of them. What is missing counts as unmarked.
    pub marks: &'a [u64],
}

impl Coded<'_> {
    /// The number of samples of `inputs` inputs; 0 without inputs.
    #[inline]
    pub const fn samples(&self, inputs: usize) -> usize {
        match self.codes.len().checked_div(inputs) {
            Some(samples) => samples,
            None => 0,
        }
    }
}

/// Words of marks that `inputs` inputs take.
pub const fn words(inputs: usize) -> usize {
    inputs.div_ceil(BLOCK)
}

/// Bit `k % 64` of `marks[k / 64]` is set where `codes[k]` is not 0.
///
/// `marks` is overwritten. Never panics.
///
/// ```
/// let mut marks = [0];
/// motenet::kernels::mark(motenet::Simd::baseline(), &[0, 2, 0, 255], &mut marks);
/// assert_eq!(marks, [0b1010]);
/// ```
#[inline]
pub fn mark(simd: Simd, codes: &[u8], marks: &mut [u64]) {
    simd.run(Mark { codes, marks });
}

struct Mark<'a> {
    codes: &'a [u8],
    marks: &'a mut [u64],
}

impl Kernel for Mark<'_> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let (whole, rest) = self.codes.as_chunks::<BLOCK>();
        let (marks, last) = crate::tensor::split_mut(self.marks, whole.len());
        for (marks, codes) in marks.iter_mut().zip(whole) {
            *marks = I::nonzero_bytes(codes);
        }
        last.fill(0);
        if let Some(last) = last.first_mut() {
            let mut block = [0; BLOCK];
            block.iter_mut().zip(rest).for_each(|(block, code)| *block = *code);
            *last = I::nonzero_bytes(&block);
        }
    }
}

/// Samples of `K` inputs.
pub(crate) trait Inputs<'a, const K: usize>: Copy {
    /// What an input is kept as. The default stands for a number that may be computed with or left out.
    type Item: Copy + Default + 'a;

    /// Sample after sample.
    fn items(self) -> &'a [[Self::Item; K]];

    /// What an item stands for.
    fn number(self, item: Self::Item) -> f32;

    /// Bit `k` is set where input `64·block + k` of sample `n` must not be left out.
    fn mask<I: Isa>(self, n: usize, block: usize) -> u64;

    /// The items, if they are the numbers.
    fn numbers(self) -> Option<&'a [[f32; K]]> {
        None
    }

    /// Whether at most half of the inputs are marked, judged by four samples.
    #[inline(always)]
    fn is_sparse<I: Isa>(self) -> bool {
        let samples = self.items().len();
        let (mut set, mut seen) = (0, 0);
        for n in (0..samples).step_by((samples / 4).max(1)) {
            for block in 0..words(K) {
                set += self.mask::<I>(n, block).count_ones() as usize;
            }
            seen += K;
        }
        2 * set <= seen && seen > 0
    }
}

impl<'a, const K: usize> Inputs<'a, K> for &'a [[f32; K]] {
    type Item = f32;

    #[inline(always)]
    fn items(self) -> &'a [[f32; K]] {
        self
    }

    #[inline(always)]
    fn number(self, item: f32) -> f32 {
        item
    }

    #[inline(always)]
    fn mask<I: Isa>(self, n: usize, block: usize) -> u64 {
        let row = self.get(n).and_then(|row| row.get(block * BLOCK..)).unwrap_or_default();
        // No folds: those may become functions of their own, compiled without the CPU feature.
        let mut mask = 0;
        let (quarters, rest) = match row.first_chunk::<BLOCK>() {
            Some(block) => (block.as_chunks::<16>().0, &[][..]),
            None => row.as_chunks::<16>(),
        };
        for (quarter, shift) in quarters.iter().zip([0, 16, 32, 48]) {
            mask |= u64::from(I::nonzero(quarter)) << shift;
        }
        for (&x, shift) in rest.iter().zip(16 * quarters.len() as u32..) {
            mask |= u64::from(x != 0.0).wrapping_shl(shift);
        }
        mask
    }

    #[inline(always)]
    fn numbers(self) -> Option<&'a [[f32; K]]> {
        Some(self)
    }
}

/// [`Coded`], with the number of inputs in the type.
#[derive(Clone, Copy)]
pub(crate) struct Codes<'a, const K: usize> {
    codes: &'a [[u8; K]],
    values: &'a [f32; 256],
    marks: &'a [u64],
}

impl<'a, const K: usize> From<Coded<'a>> for Codes<'a, K> {
    #[inline(always)]
    fn from(Coded { codes, values, marks }: Coded<'a>) -> Self {
        Codes { codes: codes.as_chunks().0, values, marks }
    }
}

impl<'a, const K: usize> Inputs<'a, K> for Codes<'a, K> {
    type Item = u8;

    #[inline(always)]
    fn items(self) -> &'a [[u8; K]] {
        self.codes
    }

    #[inline(always)]
    fn number(self, item: u8) -> f32 {
        self.values[usize::from(item)]
    }

    #[inline(always)]
    fn mask<I: Isa>(self, n: usize, block: usize) -> u64 {
        if self.values[0] != 0.0 {
            return u64::MAX;
        }
        self.marks.get(n * words(K) + block).copied().unwrap_or_default()
    }
}
