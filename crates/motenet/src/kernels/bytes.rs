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
        let Self { bytes, scale, x } = self;
        if I::LANES > 1 {
            return x.iter_mut().zip(bytes).for_each(|(x, &byte)| *x = f32::from(byte) * scale);
        }
        // Four dark pixels at a time: a conversion takes a chip several instructions, or a hundred.
        let zero = 0.0 * scale;
        let value = |byte| if byte == 0 { zero } else { f32::from(byte) * scale };
        let len = bytes.len().min(x.len());
        let (fours, rest) = crate::tensor::first(bytes, len).as_chunks::<4>();
        let (xs, xs_rest) = crate::tensor::first_mut(x, len).as_chunks_mut::<4>();
        for (x, &four) in xs.iter_mut().zip(fours) {
            *x = if u32::from_ne_bytes(four) == 0 { [zero; 4] } else { four.map(value) };
        }
        for (x, &byte) in xs_rest.iter_mut().zip(rest) {
            *x = value(byte);
        }
    }
}

/// Asks for `numbers` to be taken from other cores' caches, because they will be written soon; does nothing else, and
/// nothing at all where the target has no such instruction. Never panics.
///
/// Stores wait for such lines one after the other; asked for ahead, they come side by side.
#[inline]
pub fn prefetch_mut(numbers: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in numbers.chunks(16) {
        // SAFETY: the instruction changes nothing that the program can see; a processor that does not know it
        // takes it for no operation (Intel and AMD manuals, PREFETCHW).
        unsafe {
            core::arch::asm!(
                "prefetchw [{}]",
                in(reg) line.as_ptr(),
                options(nostack, preserves_flags, readonly),
            );
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}

/// Asks for `numbers` to be brought near, because they will be read soon; does nothing else, and nothing
/// at all where the target has no such instruction. Never panics.
///
/// Asked for one after the other they come side by side; a loop that jumps about waits for each.
#[inline]
pub fn prefetch<T: Copy>(numbers: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in numbers.chunks(64 / size_of::<T>().clamp(1, 64)) {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of x86-64, and the instruction reads nothing that the program can see.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}
