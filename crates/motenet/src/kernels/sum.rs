//! Sums over a whole gradient.

use super::isa::Isa;
use super::simd::{Kernel, Simd};

/// `Σ x²`: sixteen interleaved chains, `s[l] = fma(x[k], x[k], s[l])` with `l = k mod 16` and `k`
/// ascending, then `s[0] + s[1] + …` ascending.
///
/// One chain over 50,000 parameters would wait 200,000 cycles for its own results; sixteen fill the
/// vectors and round less. The number is part of the arithmetic contract. Never panics.
///
/// # Accuracy
/// Bit-exact across targets; relative error at most `(len / 16 + 17) · 2⁻²⁴`.
#[inline]
pub fn sum_squares(simd: Simd, x: &[f32]) -> f32 {
    simd.run(SumSquares { x })
}

struct SumSquares<'a> {
    x: &'a [f32],
}

impl Kernel for SumSquares<'_> {
    type Result = f32;

    #[inline(always)]
    fn run<I: Isa>(self) -> f32 {
        let mut lanes = [0.0; 16];
        let (chunks, rest) = self.x.as_chunks::<16>();
        for chunk in chunks {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane = I::fma(x, x, *lane);
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(rest) {
            *lane = I::fma(x, x, *lane);
        }
        lanes.iter().fold(0.0, |sum, lane| sum + lane)
    }
}
