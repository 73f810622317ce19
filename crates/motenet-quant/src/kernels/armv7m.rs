//! Cortex-M3 and what else has `MLA` but no `SMLAD`: five instructions for four weights.
//!
//! Of a word of four weights, `word·x` needs no extraction, its upper half and its middle half one each,
//! and `MLA` adds for nothing. Of the sums of these three the middle one is `b` of `decode`, the upper
//! one `c`, and `word − 2¹⁶·upper` is `a`.

use super::decode;
use super::events::Event;
use crate::packing::BLOCK;
use core::arch::naked_asm;
use core::mem::MaybeUninit;

/// `Σ x·u` over the events, of each output of a block.
///
/// # Safety
/// There must be events, an even number of them, and at the offset of each eight bytes of `block`, at an address
/// that is a multiple of 4.
#[inline(always)]
pub(super) unsafe fn block_sums(events: &[Event], block: &[u8]) -> [u32; BLOCK] {
    let mut registers = MaybeUninit::uninit();
    // SAFETY: the caller's promise; `octet` writes all of `registers`.
    let registers = unsafe {
        octet(events.as_ptr(), events.len(), block.as_ptr(), &mut registers);
        registers.assume_init()
    };
    let mut sums = [0; BLOCK];
    let (quads, _) = sums.as_chunks_mut();
    for (quad, [word, middle, upper]) in quads.iter_mut().zip(registers) {
        *quad = decode::unsigned([word.wrapping_sub(upper << 16), middle, upper]);
    }
    sums
}

/// `Σ x·word`, `Σ x·(middle half of word)`, `Σ x·(upper half of word)` over the events, of both words of a block.
///
/// # Safety
/// `len` events at `events`, `len` even and not 0; for each of them eight bytes at `block + offset`, a
/// multiple of 4.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn octet(
    events: *const Event,
    len: usize,
    block: *const u8,
    registers: &mut MaybeUninit<[[u32; 3]; 2]>,
) {
    // r0 event, r2 block, r4–r9 sums, r10 x, r3 and r11 the words, r12 a part, lr the end of the events
    naked_asm!(
        ".macro motenet_octet",
        "ldm r0!, {{r3, r10}}",
        "add r3, r3, r2",
        "ldm r3, {{r3, r11}}",
        "mla r4, r3, r10, r4",
        "ubfx r12, r3, #8, #16",
        "mla r5, r12, r10, r5",
        "lsr r3, r3, #16",
        "mla r6, r3, r10, r6",
        "mla r7, r11, r10, r7",
        "ubfx r12, r11, #8, #16",
        "mla r8, r12, r10, r8",
        "lsr r11, r11, #16",
        "mla r9, r11, r10, r9",
        ".endm",
        "push {{r3-r11, lr}}",
        "add lr, r0, r1, lsl #3",
        "movs r4, #0",
        "movs r5, #0",
        "movs r6, #0",
        "movs r7, #0",
        "mov r8, r4",
        "mov r9, r4",
        "2:",
        "motenet_octet",
        "motenet_octet",
        "cmp r0, lr",
        "bne 2b",
        "pop {{r3}}",
        "stm r3, {{r4-r9}}",
        "pop {{r4-r11, pc}}",
        ".purgem motenet_octet",
    )
}
