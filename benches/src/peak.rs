//! What the machine can do at best: multiply-adds that touch registers only, and loads from each level of
//! the memory.
//!
//! Both are kernels like the others, plain arrays compiled for a level of [`Simd`], so they need no
//! intrinsics and no `unsafe`.

use motenet::kernels::{Isa, Kernel};
use motenet::{Aligned, Simd};
use std::hint::black_box;

/// Multiply-adds of each chain in a call.
///
/// Twelve vectors of chains are enough to hide the latency (4 cycles × 2 units on today's cores) and few
/// enough for the 16 registers of AVX2.
const LENGTH: usize = 4096;

/// Runs chains of fused multiply-adds in registers; returns how many floating-point operations that was.
///
/// At the baseline a software multiply-add is measured, not the machine.
pub fn multiply_adds(simd: Simd) -> f64 {
    simd.run(Chains) as f64
}

struct Chains;

impl Kernel for Chains {
    type Result = usize;

    #[inline(always)]
    fn run<I: Isa>(self) -> usize {
        match I::LANES {
            16 => chains::<I, 3, 64>(),
            8 => chains::<I, 6, 16>(),
            4 => chains::<I, 3, 16>(),
            _ => chains::<I, 12, 1>(),
        }
    }
}

/// `ROWS × WIDTH` chains, in twelve vectors. Loops of this form become vectors; over rows of a single
/// vector LLVM made 3 GFLOP/s of the same.
#[inline(always)]
fn chains<I: Isa, const ROWS: usize, const WIDTH: usize>() -> usize {
    // Neither the compiler nor a subnormal may shorten the work: the chains tend to 2.
    let mut acc = black_box([[1.0; WIDTH]; ROWS]);
    let (factor, term) = (black_box(0.5), black_box(1.0));
    for _ in 0..LENGTH {
        for row in &mut acc {
            for chain in row {
                *chain = I::fma(*chain, factor, term);
            }
        }
    }
    black_box(acc);
    2 * ROWS * WIDTH * LENGTH
}

/// Memory to read: so many bytes, in whole blocks of 512.
///
/// It begins at a cache line: loads that lie across two lines take twice as long.
pub struct Memory(Vec<Aligned<[u32; 128]>>);

impl Memory {
    /// About `bytes` bytes, all touched.
    pub fn new(bytes: usize) -> Self {
        Memory(vec![Aligned([1; 128]); bytes / size_of::<[u32; 128]>()])
    }

    /// How many bytes [`read`](Self::read) reads.
    pub fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
    }

    /// Loads every byte once.
    pub fn read(&self, simd: Simd) {
        black_box(simd.run(Load(black_box(&self.0))));
    }
}

struct Load<'a>(&'a [Aligned<[u32; 128]>]);

impl Kernel for Load<'_> {
    type Result = u32;

    #[inline(always)]
    fn run<I: Isa>(self) -> u32 {
        match I::LANES {
            16 => load::<128>(self.0),
            8 => load::<64>(self.0),
            _ => load::<32>(self.0),
        }
    }
}

/// `or` over all words: one instruction a load, eight of them independent.
#[inline(always)]
fn load<const WORDS: usize>(blocks: &[Aligned<[u32; 128]>]) -> u32 {
    let mut acc = [0; WORDS];
    for block in blocks {
        for words in block.as_chunks::<WORDS>().0 {
            for (acc, &word) in acc.iter_mut().zip(words) {
                *acc |= word;
            }
        }
    }
    acc.iter().fold(0, |all, &acc| all | acc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wider_vectors_do_more_in_a_call() {
        let flops: Vec<f64> = Simd::available().map(multiply_adds).collect();
        assert_eq!(flops[0], 2.0 * 12.0 * 4096.0);
        assert!(flops.windows(2).all(|pair| pair[0] < pair[1]), "{flops:?}");
    }

    #[test]
    fn loads_see_every_word() {
        let mut blocks = vec![Aligned([0; 128]); 4];
        for k in [0, 127, 128, 511] {
            blocks[k / 128].0[k % 128] = 1 << (k % 31);
            for simd in Simd::available() {
                assert_eq!(simd.run(Load(&blocks)), 1 << (k % 31), "word {k}, {}", simd.name());
            }
            blocks[k / 128].0[k % 128] = 0;
        }
    }
}
