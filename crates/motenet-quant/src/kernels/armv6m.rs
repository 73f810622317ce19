//! Cortex-M0, M0+ and M23: a multiplication and an addition in one cycle each, on eight low registers.
//!
//! Eight instructions for four weights: the word, its upper half and its swapped bytes cost two
//! extractions, three products and three additions, and `decode::swapped` solves the riddle. The middle half,
//! which is simpler to decode, costs two shifts. `ADD` reaches the high registers, so four of the six
//! sums live there.

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
    for (quad, registers) in quads.iter_mut().zip(registers) {
        *quad = decode::swapped(registers);
    }
    sums
}

/// `Σ x·word`, `Σ x·(word with the bytes of its halves swapped)`, `Σ x·(upper half of word)` over the events, of
/// both words of a block.
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
    // r0 event, r2 x, r6–r11 sums, r1 and r3 the words, r4 and r5 parts, r12 block, lr the end of the events
    naked_asm!(
        ".macro motenet_octet",
        "ldm r0!, {{r1, r2}}",
        "add r1, r12",
        "ldm r1, {{r1, r3}}",
        "rev16 r4, r1",
        "lsrs r5, r1, #16",
        "muls r1, r2, r1",
        "muls r4, r2, r4",
        "muls r5, r2, r5",
        "adds r6, r6, r1",
        "adds r7, r7, r4",
        "add r8, r5",
        "rev16 r4, r3",
        "lsrs r5, r3, #16",
        "muls r3, r2, r3",
        "muls r4, r2, r4",
        "muls r5, r2, r5",
        "add r9, r3",
        "add r10, r4",
        "add r11, r5",
        ".endm",
        "push {{r3-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r4-r7}}",
        "lsls r1, r1, #3",
        "adds r1, r1, r0",
        "mov lr, r1",
        "mov r12, r2",
        "movs r6, #0",
        "movs r7, #0",
        "mov r8, r6",
        "mov r9, r6",
        "mov r10, r6",
        "mov r11, r6",
        "2:",
        "motenet_octet",
        "motenet_octet",
        "cmp r0, lr",
        "bne 2b",
        "ldr r0, [sp, #16]",
        "mov r1, r8",
        "stm r0!, {{r6, r7}}",
        "mov r2, r9",
        "mov r3, r10",
        "mov r4, r11",
        "stm r0!, {{r1-r4}}",
        "pop {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r3-r7, pc}}",
        ".purgem motenet_octet",
    )
}
