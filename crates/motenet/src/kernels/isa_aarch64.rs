//! [`Isa`] by the vector instructions of AArch64, which every such CPU has that runs an operating system:
//! the targets' baseline. So nothing needs to be detected, and every `unsafe` here rests on that.
//!
//! Vectors are loaded as arrays for the reason given in `isa_x86.rs`.

use super::isa::Isa;
use core::arch::aarch64::*;
use core::mem::transmute;

/// NEON ("Advanced SIMD"): four lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Neon;

impl Isa for Neon {
    type Vector = float32x4_t;
    const LANES: usize = 4;

    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn fma_lanes(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vfmaq_f32(c, a, b) }
    }

    #[inline(always)]
    fn splat(a: f32) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vdupq_n_f32(a) }
    }

    #[inline(always)]
    fn load(x: &[f32]) -> float32x4_t {
        let x = x.first_chunk().copied().unwrap_or_else(|| {
            let mut lanes = [0.0; 4];
            lanes.iter_mut().zip(x).for_each(|(lane, x)| *lane = *x);
            lanes
        });
        // SAFETY: both are four `f32`.
        unsafe { transmute::<[f32; 4], float32x4_t>(x) }
    }

    #[inline(always)]
    fn store(vector: float32x4_t, x: &mut [f32]) {
        // SAFETY: both are four `f32`.
        let lanes = unsafe { transmute::<float32x4_t, [f32; 4]>(vector) };
        match x.first_chunk_mut() {
            Some(x) => *x = lanes,
            None => x.iter_mut().zip(lanes).for_each(|(x, lane)| *x = lane),
        }
    }

    #[inline(always)]
    fn nonzero(x: &[f32; 16]) -> u16 {
        const BITS: [u32; 4] = [1, 2, 4, 8];
        let quarter = |at: usize| {
            // SAFETY: the target has NEON; `x` holds 16 numbers, of which four are read from number 0, 4, 8
            // or 12 on, and `BITS` four.
            unsafe {
                let zero = vceqzq_f32(vld1q_f32(x.as_ptr().add(at)));
                vbicq_u32(vld1q_u32(BITS.map(|bit| bit << at).as_ptr()), zero)
            }
        };
        // SAFETY: the target has NEON. No two quarters have a bit in common.
        unsafe {
            let low = vorrq_u32(quarter(0), quarter(4));
            vaddvq_u32(vorrq_u32(low, vorrq_u32(quarter(8), quarter(12)))) as u16
        }
    }

    #[inline(always)]
    fn nonzero_bytes(bytes: &[u8; 64]) -> u64 {
        const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
        let quarter = |at: usize| {
            // SAFETY: the target has NEON; `bytes` holds 64 bytes, of which 16 are read from byte 0, 16, 32 or 48 on,
            // and `BITS` 16. The sum of eight different bits is their union.
            unsafe {
                let bytes = vld1q_u8(bytes.as_ptr().add(at));
                let bits = vandq_u8(vtstq_u8(bytes, bytes), vld1q_u8(BITS.as_ptr()));
                u64::from(vaddv_u8(vget_low_u8(bits)))
                    | u64::from(vaddv_u8(vget_high_u8(bits))) << 8
            }
        };
        quarter(0) | quarter(16) << 16 | quarter(32) << 32 | quarter(48) << 48
    }
}
