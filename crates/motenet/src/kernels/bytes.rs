//! Bytes into numbers: how a picture enters a network.

use super::isa::Isa;
use super::simd::{Kernel, Simd};

/// `x[k] = bytes[k]·scale`, rounded once; `x` is overwritten, the shorter slice sets the length. Never
/// panics.
///
/// Pictures are kept as bytes, a quarter of their size as `f32`, and converted when a batch is gathered.
///
/// # Accuracy
/// Bit-exact across targets: one multiplication an element.
///
/// ```
/// let mut x = [0.0; 2];
/// motenet::kernels::scale_bytes(motenet::Simd::baseline(), &[0, 255], 2.0, &mut x);
/// assert_eq!(x, [0.0, 510.0]);
/// ```
#[inline]
pub fn scale_bytes(simd: Simd, bytes: &[u8], scale: f32, x: &mut [f32]) {
    simd.run(ScaleBytes { bytes, scale, x });
}

struct ScaleBytes<'a> {
    bytes: &'a [u8],
    scale: f32,
    x: &'a mut [f32],
}

impl Kernel for ScaleBytes<'_> {
    type Result = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (x, &byte) in self.x.iter_mut().zip(self.bytes) {
            *x = f32::from(byte) * self.scale;
        }
    }
}

/// Asks for `bytes` to be brought near, because they will be read soon; does nothing else, and nothing
/// at all where the target has no such instruction. Never panics.
#[inline]
pub fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(64) {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of x86-64, and the instruction reads nothing that the program can see.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}
