//! RISC-V with 32 bits: two blocks at a time, twelve sums in registers, and LLVM does the rest.
//!
//! Ten instructions for four weights; four bytes loaded one by one take twelve.

use super::decode;
use super::events::Event;
use crate::packing::BLOCK;

/// `Σ x·u` over the events, of each output of a block.
///
/// # Safety
/// As [`sums`], with one block.
#[cfg(motenet_kernel = "words")]
#[inline(always)]
pub(super) unsafe fn block_sums(events: &[Event], block: &[u8]) -> [u32; BLOCK] {
    // SAFETY: the caller's promise.
    let [sums] = unsafe { sums::<1>(events, block, 0) };
    sums
}

/// `Σ x·u` over the events, of each output of `B` blocks of `BLOCK·inputs` bytes.
///
/// # Safety
/// Each block must have eight bytes at the offset of each event, at an address that is a multiple of 4.
#[inline(always)]
pub(super) unsafe fn sums<const B: usize>(
    events: &[Event],
    blocks: &[u8],
    inputs: usize,
) -> [[u32; BLOCK]; B] {
    let starts: [*const u8; B] =
        core::array::from_fn(|b| blocks.as_ptr().wrapping_add(b * BLOCK * inputs));
    let mut registers = [[[0u32; 3]; 2]; B];
    for event in events {
        let x = event.x;
        for (registers, start) in registers.iter_mut().zip(starts) {
            for (k, [whole, middle, upper]) in registers.iter_mut().enumerate() {
                // SAFETY: the caller's promise; `k` is 0 or 1.
                let word = unsafe { *start.add(event.offset as usize + 4 * k).cast::<u32>() };
                let word = u32::from_le(word);
                *whole = whole.wrapping_add(word.wrapping_mul(x));
                *middle = middle.wrapping_add((word << 8 >> 16).wrapping_mul(x));
                *upper = upper.wrapping_add((word >> 16).wrapping_mul(x));
            }
        }
    }
    let mut sums = [[0; BLOCK]; B];
    for (sums, registers) in sums.iter_mut().zip(registers) {
        let (quads, _) = sums.as_chunks_mut();
        for (quad, [whole, middle, upper]) in quads.iter_mut().zip(registers) {
            *quad = decode::unsigned([whole.wrapping_sub(upper << 16), middle, upper]);
        }
    }
    sums
}
