//! Cortex-M4 and M7: `SMLAD` multiplies two inputs with their weights and adds both products.
//!
//! Two words hold four weights of two inputs. `SMLAD` of each word as it is gives `a` and `c` of
//! `decode::signed`; for `b`, an `AND` with a shift moves the lower bytes of the second word up, and `SXTAB16` adds
//! the upper bytes of the first: five instructions for eight products. All fourteen registers are in
//! use, so the loop is counted in the lowest byte of the mask, where the shifted word is zero.
//!
//! Lost: four sums in four registers, by `SXTB16` and a fourth `SMLAD`, take six instructions instead of five;
//! `asm!` blocks of one instruction each, between which the compiler moves registers, took nearly twice as many
//! in all.

use super::decode;
use super::events::Event;
use crate::packing::BLOCK;
use core::arch::naked_asm;
use core::mem::MaybeUninit;

/// `Σ x·w` over the events, of each output of a block; `offset` is `128·Σ x`.
///
/// # Safety
/// There must be events, a multiple of four of them, and at the offset of each sixteen bytes of `block`, at
/// an address that is a multiple of 4.
#[inline(always)]
pub(super) unsafe fn block_sums(events: &[Event], block: &[u8], offset: u32) -> [u32; BLOCK] {
    let mut registers = MaybeUninit::uninit();
    // SAFETY: the caller's promise; `octet` writes all of `registers`.
    let registers = unsafe {
        octet(events.as_ptr(), events.len() / 4, block.as_ptr(), &mut registers);
        registers.assume_init()
    };
    let mut sums = [0; BLOCK];
    let (quads, _) = sums.as_chunks_mut::<4>();
    for (quad, registers) in quads.iter_mut().zip(registers) {
        *quad = decode::signed(registers).map(|sum| sum as u32);
        quad[0] = quad[0].wrapping_sub(offset);
    }
    sums
}

/// `Σ x·w` over the events, of two outputs that are left over.
///
/// # Safety
/// There must be events, an even number of them, and at a quarter of the offset of each four bytes of `words`.
#[inline(always)]
pub(super) unsafe fn two_sums(events: &[Event], words: &[u8]) -> [u32; 2] {
    // SAFETY: the caller's promise.
    let sums = unsafe { two(events.as_ptr(), events.len(), words.as_ptr()) };
    let (low, both) = (sums as u32, (sums >> 32) as u32);
    // `both` is `S₀ + 256·S₁` modulo 2³², and `|256·S₁| < 2³¹`.
    [low, (both.wrapping_sub(low) as i32 >> 8) as u32]
}

/// Of both halves of a block, what `decode::signed` takes.
///
/// # Safety
/// `4·groups` events at `events`, `groups` from 1 to 255; for each of them sixteen bytes at
/// `block + offset`, a multiple of 4.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn octet(
    events: *const Event,
    groups: usize,
    block: *const u8,
    registers: &mut MaybeUninit<[[i32; 3]; 2]>,
) {
    // r0 event, r1 mask and groups to go, r2 block, r4–r9 sums, r10 x, r3 r11 r12 lr the words
    naked_asm!(
        ".macro motenet_pair",
        "ldm r0!, {{r3, r10}}",
        "add r3, r3, r2",
        "ldm r3, {{r3, r11, r12, lr}}",
        "smlad r4, r3, r10, r4",
        "smlad r6, r11, r10, r6",
        "and r11, r1, r11, lsl #8",
        "sxtab16 r3, r11, r3, ror #8",
        "smlad r5, r3, r10, r5",
        "smlad r7, r12, r10, r7",
        "smlad r9, lr, r10, r9",
        "and lr, r1, lr, lsl #8",
        "sxtab16 r12, lr, r12, ror #8",
        "smlad r8, r12, r10, r8",
        ".endm",
        "push {{r3-r11, lr}}",
        "orr r1, r1, #0xff00ff00",
        "movs r4, #0",
        "movs r5, #0",
        "movs r6, #0",
        "movs r7, #0",
        "mov r8, r4",
        "mov r9, r4",
        "2:",
        "motenet_pair",
        "motenet_pair",
        "motenet_pair",
        "motenet_pair",
        "subs r1, r1, #1",
        "lsls r3, r1, #24",
        "bne 2b",
        "pop {{r3}}",
        "stm r3, {{r4-r9}}",
        "pop {{r4-r11, pc}}",
        ".purgem motenet_pair",
    )
}

/// The sum over the lower weight of each lane in the lower half of the result, that over the lanes as they
/// are in the upper half.
///
/// # Safety
/// `len` events at `events`, `len` even and not 0; for each of them four bytes at `words + offset/4`.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn two(events: *const Event, len: usize, words: *const u8) -> u64 {
    // r0 sum, r1 end of the events, r2 words, r3 word, r4 event, r5 sum, r12 x
    naked_asm!(
        ".macro motenet_two",
        "ldm r4!, {{r3, r12}}",
        "add r3, r2, r3, lsr #2",
        "ldr r3, [r3]",
        "smlad r5, r3, r12, r5",
        "sxtb16 r3, r3",
        "smlad r0, r3, r12, r0",
        ".endm",
        "push {{r4, r5, r6, lr}}",
        "mov r4, r0",
        "add r6, r0, r1, lsl #3",
        "movs r0, #0",
        "movs r5, #0",
        "2:",
        "motenet_two",
        "motenet_two",
        "cmp r4, r6",
        "bne 2b",
        "mov r1, r5",
        "pop {{r4, r5, r6, pc}}",
        ".purgem motenet_two",
    )
}
