//! Requantizing a row of sums.

use crate::Requantize;
use motenet::Simd;
#[cfg(motenet_kernel = "x86")]
use motenet::kernels::{Isa, Kernel};

/// `y[o] = rules[o].apply(sums[o])`. Never panics.
#[cfg(not(motenet_kernel = "x86"))]
#[inline(always)]
pub(crate) fn requantize<const OUT: usize>(
    _: Simd,
    rules: &[Requantize; OUT],
    sums: &[i32; OUT],
    y: &mut [u8; OUT],
) {
    for ((y, requantize), &sum) in y.iter_mut().zip(rules).zip(sums) {
        *y = requantize.apply(sum);
    }
}

/// `y[o] = rules[o].apply(sums[o])`, compiled for each level of [`Simd`]. Never panics.
#[cfg(motenet_kernel = "x86")]
#[inline]
pub(crate) fn requantize<const OUT: usize>(
    simd: Simd,
    rules: &[Requantize; OUT],
    sums: &[i32; OUT],
    y: &mut [u8; OUT],
) {
    simd.run(Rows { rules, sums, y });
}

#[cfg(motenet_kernel = "x86")]
struct Rows<'a, const OUT: usize> {
    rules: &'a [Requantize; OUT],
    sums: &'a [i32; OUT],
    y: &'a mut [u8; OUT],
}

#[cfg(motenet_kernel = "x86")]
impl<const OUT: usize> Kernel for Rows<'_, OUT> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        // [`Requantize::apply`] without branches, and with a rule as two words: fields of three widths do not
        // become vectors.
        const { assert!(size_of::<Requantize>() == 8 && align_of::<Requantize>() == 4) };
        // SAFETY: `repr(C)` of a `u32`, a `u16` and two `u8`: two words, without padding.
        let words = unsafe { &*core::ptr::from_ref(self.rules).cast::<[[u32; 2]; OUT]>() };
        for ((y, &[limit, parts]), &sum) in self.y.iter_mut().zip(words).zip(self.sums) {
            let (multiplier, drop, shift) = (parts & 0xffff, parts >> 16 & 31, parts >> 24 & 31);
            let t = (sum.max(0) as u32).min(limit) >> drop;
            let half = (1 << shift) >> 1;
            *y = (t.wrapping_mul(multiplier).wrapping_add(half) >> shift).min(255) as u8;
        }
    }
}
