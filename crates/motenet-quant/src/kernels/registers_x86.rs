//! Vectors of 128, 256 and 512 bits: the few instructions that `quads` and `products` use, by one name each.

use core::arch::x86_64::*;
use core::mem::transmute;

/// A vector register of 32-bit lanes.
///
/// # Safety
/// All functions want a CPU that has such registers, and the instruction they stand for.
pub(super) trait Register: Copy {
    const LANES: usize;
    const ZERO: Self;

    /// Bit `k` is set where quad `k` is not zero.
    unsafe fn nonzero(quads: &[[u8; 4]; 8]) -> u8;
    unsafe fn splat(value: i32) -> Self;
    /// `lanes` lanes of four bytes from any address, zeros in the others; `1 ≤ lanes ≤ LANES`.
    unsafe fn load(from: *const u8, lanes: usize) -> Self;
    /// `lanes` lanes to any address.
    unsafe fn store(self, to: *mut u8, lanes: usize);
    /// By 32 bits.
    unsafe fn add(self, other: Self) -> Self;
}

/// What 128 bits of SSE2 do not have, or not need.
pub(super) trait Wide: Register {
    /// By 16 bits.
    unsafe fn add16(self, other: Self) -> Self;
    /// `PMADDUBSW`: bytes without a sign times bytes with one, products by twos, saturated to 16 bits.
    unsafe fn maddubs(self, other: Self) -> Self;
    /// `PMADDWD`: 16 bits with sign, products by twos, in 32 bits.
    unsafe fn madd(self, other: Self) -> Self;
    /// `VPDPBUSD`: `self` plus products by fours, bytes without a sign times bytes with one.
    unsafe fn dpbusd(self, x: Self, w: Self) -> Self;
}

impl Register for __m128i {
    const LANES: usize = 4;
    // SAFETY: integers.
    const ZERO: Self = unsafe { transmute([0u8; 16]) };

    #[inline(always)]
    unsafe fn nonzero(quads: &[[u8; 4]; 8]) -> u8 {
        // SAFETY: the caller's promise, here and below; the 32 bytes are two vectors.
        unsafe {
            let from = quads.as_ptr().cast::<__m128i>();
            let zero = |k| _mm_cmpeq_epi32(_mm_loadu_si128(from.add(k)), Self::ZERO);
            let zeros = _mm_packs_epi32(zero(0), zero(1));
            !_mm_movemask_epi8(_mm_packs_epi16(zeros, zeros)) as u8
        }
    }

    #[inline(always)]
    unsafe fn splat(value: i32) -> Self {
        unsafe { _mm_set1_epi32(value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const u8, lanes: usize) -> Self {
        unsafe {
            match lanes {
                4.. => _mm_loadu_si128(from.cast()),
                3 => _mm_unpacklo_epi64(_mm_loadu_si64(from), _mm_loadu_si32(from.add(8))),
                2 => _mm_loadu_si64(from),
                _ => _mm_loadu_si32(from),
            }
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8, lanes: usize) {
        unsafe {
            match lanes {
                4.. => _mm_storeu_si128(to.cast(), self),
                3 => {
                    _mm_storeu_si64(to, self);
                    _mm_storeu_si32(to.add(8), _mm_unpackhi_epi64(self, self));
                }
                2 => _mm_storeu_si64(to, self),
                _ => _mm_storeu_si32(to, self),
            }
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe { _mm_add_epi32(self, other) }
    }
}

/// All bits of the first `lanes` lanes.
#[inline(always)]
unsafe fn mask(lanes: usize) -> __m256i {
    // SAFETY: the caller has AVX2.
    unsafe {
        let numbers = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes as i32), numbers)
    }
}

impl Register for __m256i {
    const LANES: usize = 8;
    // SAFETY: integers.
    const ZERO: Self = unsafe { transmute([0u8; 32]) };

    #[inline(always)]
    unsafe fn nonzero(quads: &[[u8; 4]; 8]) -> u8 {
        // SAFETY: the caller's promise, here and below; the 32 bytes are one vector.
        unsafe {
            let zeros = _mm256_cmpeq_epi32(_mm256_loadu_si256(quads.as_ptr().cast()), Self::ZERO);
            !_mm256_movemask_ps(_mm256_castsi256_ps(zeros)) as u8
        }
    }

    #[inline(always)]
    unsafe fn splat(value: i32) -> Self {
        unsafe { _mm256_set1_epi32(value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const u8, lanes: usize) -> Self {
        unsafe {
            if lanes >= Self::LANES {
                return _mm256_loadu_si256(from.cast());
            }
            _mm256_maskload_epi32(from.cast(), mask(lanes))
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8, lanes: usize) {
        unsafe {
            if lanes >= Self::LANES {
                return _mm256_storeu_si256(to.cast(), self);
            }
            _mm256_maskstore_epi32(to.cast(), mask(lanes), self);
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe { _mm256_add_epi32(self, other) }
    }
}

impl Wide for __m256i {
    #[inline(always)]
    unsafe fn add16(self, other: Self) -> Self {
        unsafe { _mm256_add_epi16(self, other) }
    }

    #[inline(always)]
    unsafe fn maddubs(self, other: Self) -> Self {
        unsafe { _mm256_maddubs_epi16(self, other) }
    }

    #[inline(always)]
    unsafe fn madd(self, other: Self) -> Self {
        unsafe { _mm256_madd_epi16(self, other) }
    }

    #[inline(always)]
    unsafe fn dpbusd(self, x: Self, w: Self) -> Self {
        unsafe { _mm256_dpbusd_avx_epi32(self, x, w) }
    }
}

impl Register for __m512i {
    const LANES: usize = 16;
    // SAFETY: integers.
    const ZERO: Self = unsafe { transmute([0u8; 64]) };

    #[inline(always)]
    unsafe fn nonzero(quads: &[[u8; 4]; 8]) -> u8 {
        // Not sixteen at a time: LLVM took that mask apart through memory, 80 ns a picture.
        // SAFETY: the caller's promise, here and below; AVX-512 includes AVX2.
        unsafe { __m256i::nonzero(quads) }
    }

    #[inline(always)]
    unsafe fn splat(value: i32) -> Self {
        unsafe { _mm512_set1_epi32(value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const u8, lanes: usize) -> Self {
        unsafe {
            if lanes >= Self::LANES {
                return _mm512_loadu_si512(from.cast());
            }
            _mm512_maskz_loadu_epi32((1 << lanes) - 1, from.cast())
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8, lanes: usize) {
        unsafe {
            if lanes >= Self::LANES {
                return _mm512_storeu_si512(to.cast(), self);
            }
            _mm512_mask_storeu_epi32(to.cast(), (1 << lanes) - 1, self);
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe { _mm512_add_epi32(self, other) }
    }
}

impl Wide for __m512i {
    #[inline(always)]
    unsafe fn add16(self, other: Self) -> Self {
        unsafe { _mm512_add_epi16(self, other) }
    }

    #[inline(always)]
    unsafe fn maddubs(self, other: Self) -> Self {
        unsafe { _mm512_maddubs_epi16(self, other) }
    }

    #[inline(always)]
    unsafe fn madd(self, other: Self) -> Self {
        unsafe { _mm512_madd_epi16(self, other) }
    }

    #[inline(always)]
    unsafe fn dpbusd(self, x: Self, w: Self) -> Self {
        unsafe { _mm512_dpbusd_epi32(self, x, w) }
    }
}
