//! [`Isa`] by the vector instructions of x86-64. A type is only in use on a CPU that has its instructions:
//! [`Simd`](super::Simd) sees to it, and every `unsafe` here rests on that.
//!
//! Whole vectors are loaded and stored as arrays: the instructions' own functions check their pointers where
//! assertions are on, which doubles the instructions of a kernel in a program built as typed.

use super::isa::Isa;
use core::arch::x86_64::*;
use core::mem::transmute;

/// AVX2 with FMA: eight lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2;

/// The first `len` lanes, as the masked loads and stores of AVX2 take them.
#[inline(always)]
fn first_lanes(len: usize) -> __m256i {
    let lane = |k| if k < len { -1 } else { 0 };
    let lanes: [i32; 8] = [0, 1, 2, 3, 4, 5, 6, 7].map(lane);
    // SAFETY: both are eight integers.
    unsafe { transmute::<[i32; 8], __m256i>(lanes) }
}

/// `columns[k][r] = rows[r][k]`
#[inline(always)]
fn transpose_eight(rows: [&[f32; 4]; 8]) -> [[f32; 8]; 4] {
    let [a, b, c, d, e, f, g, h] = rows;
    // Rows k and k + 4, so that fours which stay in their half of a register come out in order.
    // SAFETY: twice four `f32`, and eight of them.
    let [a, b, c, d] = [[*a, *e], [*b, *f], [*c, *g], [*d, *h]]
        .map(|rows| unsafe { transmute::<[[f32; 4]; 2], __m256>(rows) });
    // SAFETY: the CPU has AVX; then both are eight `f32`, four times.
    unsafe {
        let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
        let (ab_high, cd_high) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
        transmute::<[__m256; 4], [[f32; 8]; 4]>([
            _mm256_shuffle_ps::<0x44>(ab, cd),
            _mm256_shuffle_ps::<0xee>(ab, cd),
            _mm256_shuffle_ps::<0x44>(ab_high, cd_high),
            _mm256_shuffle_ps::<0xee>(ab_high, cd_high),
        ])
    }
}

impl Isa for Avx2 {
    type Vector = __m256;
    const LANES: usize = 8;

    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn fma_lanes(a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: the CPU has FMA.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn splat(a: f32) -> __m256 {
        // SAFETY: the CPU has AVX.
        unsafe { _mm256_set1_ps(a) }
    }

    #[inline(always)]
    fn load(x: &[f32]) -> __m256 {
        match x.first_chunk::<8>() {
            // SAFETY: both are eight `f32`.
            Some(x) => unsafe { transmute::<[f32; 8], __m256>(*x) },
            // SAFETY: the CPU has AVX2; numbers that `x` has are read, no others.
            None => unsafe { _mm256_maskload_ps(x.as_ptr(), first_lanes(x.len())) },
        }
    }

    #[inline(always)]
    fn store(vector: __m256, x: &mut [f32]) {
        let len = x.len();
        match x.first_chunk_mut::<8>() {
            // SAFETY: both are eight `f32`.
            Some(x) => *x = unsafe { transmute::<__m256, [f32; 8]>(vector) },
            // SAFETY: the CPU has AVX2; numbers that `x` has are written, no others.
            None => unsafe { _mm256_maskstore_ps(x.as_mut_ptr(), first_lanes(len), vector) },
        }
    }

    #[inline(always)]
    fn transpose(rows: [&[f32; 4]; 16]) -> [[f32; 16]; 4] {
        let [a, b, c, d, e, f, g, h, rest @ ..] = rows;
        let (low, high) = (transpose_eight([a, b, c, d, e, f, g, h]), transpose_eight(rest));
        let [a, b, c, d] = low;
        let [e, f, g, h] = high;
        // SAFETY: twice eight `f32`, and sixteen of them, four times.
        unsafe { transmute::<[[[f32; 8]; 2]; 4], _>([[a, e], [b, f], [c, g], [d, h]]) }
    }

    #[inline(always)]
    fn nonzero(x: &[f32; 16]) -> u16 {
        // LLVM does not find this instruction by itself.
        let half = |at: usize| {
            // SAFETY: the CPU has AVX2; `x` holds 16 numbers, of which eight are read from number 0 or 8 on,
            // and the load asks for no alignment.
            unsafe {
                let x = _mm256_loadu_ps(x.as_ptr().add(at));
                _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NEQ_UQ>(x, _mm256_setzero_ps())) as u16
            }
        };
        half(0) | half(8) << 8
    }

    #[inline(always)]
    fn nonzero_bytes(bytes: &[u8; 64]) -> u64 {
        let half = |at: usize| {
            // SAFETY: the CPU has AVX2; `bytes` holds 64 bytes, of which 32 are read from byte 0 or 32 on, and the load
            // asks for no alignment.
            unsafe {
                let bytes = _mm256_loadu_si256(bytes.as_ptr().add(at).cast());
                _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256())) as u32
            }
        };
        !(u64::from(half(0)) | u64::from(half(32)) << 32)
    }
}

/// Sixteen numbers, put together in a register: an array of them would go through memory, where the load waits for all
/// four stores.
#[inline(always)]
fn four_fours(a: &[f32; 4], b: &[f32; 4], c: &[f32; 4], d: &[f32; 4]) -> __m512 {
    // SAFETY: the CPU has AVX-512F; each array and each register of SSE is four `f32`.
    unsafe {
        let x = _mm512_castps128_ps512(transmute::<[f32; 4], __m128>(*a));
        let x = _mm512_insertf32x4::<1>(x, transmute::<[f32; 4], __m128>(*b));
        let x = _mm512_insertf32x4::<2>(x, transmute::<[f32; 4], __m128>(*c));
        _mm512_insertf32x4::<3>(x, transmute::<[f32; 4], __m128>(*d))
    }
}

/// AVX-512: sixteen lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512;

impl Isa for Avx512 {
    type Vector = __m512;
    const LANES: usize = 16;

    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn fma_lanes(a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: the CPU has AVX-512F.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn splat(a: f32) -> __m512 {
        // SAFETY: the CPU has AVX-512F.
        unsafe { _mm512_set1_ps(a) }
    }

    #[inline(always)]
    fn load(x: &[f32]) -> __m512 {
        match x.first_chunk::<16>() {
            // SAFETY: both are sixteen `f32`.
            Some(x) => unsafe { transmute::<[f32; 16], __m512>(*x) },
            // SAFETY: the CPU has AVX-512F; numbers that `x` has are read, no others.
            None => unsafe { _mm512_maskz_loadu_ps((1 << x.len()) - 1, x.as_ptr()) },
        }
    }

    #[inline(always)]
    fn store(vector: __m512, x: &mut [f32]) {
        let len = x.len();
        match x.first_chunk_mut::<16>() {
            // SAFETY: both are sixteen `f32`.
            Some(x) => *x = unsafe { transmute::<__m512, [f32; 16]>(vector) },
            // SAFETY: the CPU has AVX-512F; numbers that `x` has are written, no others.
            None => unsafe { _mm512_mask_storeu_ps(x.as_mut_ptr(), (1 << len) - 1, vector) },
        }
    }

    #[inline(always)]
    fn transpose(rows: [&[f32; 4]; 16]) -> [[f32; 16]; 4] {
        // Rows k, k + 4, k + 8, k + 12: fours that stay in their quarter of a register come out in order.
        let a = four_fours(rows[0], rows[4], rows[8], rows[12]);
        let b = four_fours(rows[1], rows[5], rows[9], rows[13]);
        let c = four_fours(rows[2], rows[6], rows[10], rows[14]);
        let d = four_fours(rows[3], rows[7], rows[11], rows[15]);
        // SAFETY: the CPU has AVX-512F; then both are sixteen `f32`, four times.
        unsafe {
            let (ab, cd) = (_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d));
            let (ab_high, cd_high) = (_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d));
            transmute::<[__m512; 4], [[f32; 16]; 4]>([
                _mm512_shuffle_ps::<0x44>(ab, cd),
                _mm512_shuffle_ps::<0xee>(ab, cd),
                _mm512_shuffle_ps::<0x44>(ab_high, cd_high),
                _mm512_shuffle_ps::<0xee>(ab_high, cd_high),
            ])
        }
    }

    #[inline(always)]
    fn nonzero(x: &[f32; 16]) -> u16 {
        // SAFETY: the CPU has AVX-512F; `x` holds the 16 numbers that are read, and the load asks for no
        // alignment.
        unsafe {
            let x = _mm512_loadu_ps(x.as_ptr());
            _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(x, _mm512_setzero_ps())
        }
    }

    #[inline(always)]
    fn nonzero_bytes(bytes: &[u8; 64]) -> u64 {
        // The instruction for 64 bytes at once is AVX-512BW's.
        Avx2::nonzero_bytes(bytes)
    }
}
