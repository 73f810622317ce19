//! Products of four bytes without a sign and four with one, added up in 32 bits, exactly, in three ways.
//!
//! `VPDPBUSD` does it. Without it, `PMADDUBSW` and `PMADDWD` add products by twos, in 16 and 32 bits, and the first
//! saturates: `255·127 + 255·127` does not fit. So the inputs are taken apart, or the bytes.

use super::registers_x86::{Register, Wide};
use core::arch::x86_64::*;
use core::marker::PhantomData;

/// A way to multiply.
///
/// # Safety
/// All functions want a CPU that has the instructions.
pub(super) trait Products {
    type Register: Register;
    /// Four inputs, prepared.
    type Input: Copy;
    /// Sums of a few events.
    type Sums: Copy;
    /// How many events these hold; an even number.
    const RUN: usize;

    fn zero() -> Self::Sums;
    unsafe fn splat(x: [u8; 4]) -> Self::Input;
    /// `sums[lane] += Σ_k x[k]·w[lane][k]`
    unsafe fn add_first(sums: Self::Sums, x: Self::Input, w: Self::Register) -> Self::Sums;
    /// The same; where it helps, apart from the sums that [`add_first`](Products::add_first) adds to.
    unsafe fn add_second(sums: Self::Sums, x: Self::Input, w: Self::Register) -> Self::Sums;
    /// The sums, 32 bits a lane.
    unsafe fn sums(sums: Self::Sums) -> Self::Register;
}

/// `VPDPBUSD`: one instruction, of a latency of four or five, hence two sums.
pub(super) struct Vnni<R>(PhantomData<R>);

impl<R: Wide> Products for Vnni<R> {
    type Register = R;
    type Input = R;
    type Sums = [R; 2];
    const RUN: usize = 1 << 16;

    #[inline(always)]
    fn zero() -> [R; 2] {
        [R::ZERO; 2]
    }

    #[inline(always)]
    unsafe fn splat(x: [u8; 4]) -> R {
        // SAFETY: the caller's promise, here and below.
        unsafe { R::splat(i32::from_le_bytes(x)) }
    }

    #[inline(always)]
    unsafe fn add_first([a, b]: [R; 2], x: R, w: R) -> [R; 2] {
        [unsafe { a.dpbusd(x, w) }, b]
    }

    #[inline(always)]
    unsafe fn add_second([a, b]: [R; 2], x: R, w: R) -> [R; 2] {
        [a, unsafe { b.dpbusd(x, w) }]
    }

    #[inline(always)]
    unsafe fn sums([a, b]: [R; 2]) -> R {
        unsafe { a.add(b) }
    }
}

/// `PMADDUBSW` on half bytes: `x = 16·high + low`, both below 16, so that two products are within `±2·15·128`, and
/// eight events within `±30,720`, in 16 bits.
pub(super) struct Nibbles<R>(PhantomData<R>);

impl<R: Wide> Products for Nibbles<R> {
    type Register = R;
    type Input = [R; 2];
    type Sums = [R; 2];
    const RUN: usize = 8;

    #[inline(always)]
    fn zero() -> [R; 2] {
        [R::ZERO; 2]
    }

    #[inline(always)]
    unsafe fn splat(x: [u8; 4]) -> [R; 2] {
        let x = u32::from_le_bytes(x);
        // SAFETY: the caller's promise, here and below.
        [x, x >> 4].map(|x| unsafe { R::splat((x & 0x0f0f_0f0f) as i32) })
    }

    #[inline(always)]
    unsafe fn add_first([low, high]: [R; 2], [x_low, x_high]: [R; 2], w: R) -> [R; 2] {
        unsafe { [low.add16(x_low.maddubs(w)), high.add16(x_high.maddubs(w))] }
    }

    #[inline(always)]
    unsafe fn add_second(sums: [R; 2], x: [R; 2], w: R) -> [R; 2] {
        unsafe { Self::add_first(sums, x, w) }
    }

    #[inline(always)]
    unsafe fn sums([low, high]: [R; 2]) -> R {
        unsafe { low.madd(R::splat(0x0001_0001)).add(high.madd(R::splat(0x0010_0010))) }
    }
}

/// `PMADDWD` on bytes in the upper halves of 16 bits, which is 256 times the sum: within
/// `±64·4·255·128·256 < 2³¹` after 64 events.
pub(super) struct Doubled;

impl Products for Doubled {
    type Register = __m128i;
    type Input = [__m128i; 2];
    type Sums = __m128i;
    const RUN: usize = 64;

    #[inline(always)]
    fn zero() -> __m128i {
        Register::ZERO
    }

    #[inline(always)]
    unsafe fn splat(x: [u8; 4]) -> [__m128i; 2] {
        let x = u32::from_le_bytes(x);
        // SAFETY: the caller's promise, here and below.
        [x, x >> 8].map(|x| unsafe { Register::splat((x & 0x00ff_00ff) as i32) })
    }

    #[inline(always)]
    unsafe fn add_first(sums: __m128i, [x_even, x_odd]: [__m128i; 2], w: __m128i) -> __m128i {
        unsafe {
            let (even, odd) = (_mm_slli_epi16(w, 8), _mm_and_si128(w, _mm_set1_epi16(!0xff)));
            sums.add(_mm_madd_epi16(even, x_even)).add(_mm_madd_epi16(odd, x_odd))
        }
    }

    #[inline(always)]
    unsafe fn add_second(sums: __m128i, x: [__m128i; 2], w: __m128i) -> __m128i {
        unsafe { Self::add_first(sums, x, w) }
    }

    #[inline(always)]
    unsafe fn sums(sums: __m128i) -> __m128i {
        unsafe { _mm_srai_epi32(sums, 8) }
    }
}
