//! What all Cortex-M boards share.

use super::Memory;
use core::arch::asm;

// Symbols of cortex-m-rt's linker script: addresses, not values.
unsafe extern "C" {
    static __sdata: u32;
    static __edata: u32;
    static __sbss: u32;
    static __ebss: u32;
    static _stack_end: u32;
    static _stack_start: u32;
}

/// What the linker put where.
pub fn memory() -> Memory {
    let [sdata, edata, sbss, ebss] =
        [&raw const __sdata, &raw const __edata, &raw const __sbss, &raw const __ebss]
            .map(|symbol| symbol.addr());
    Memory {
        static_bytes: edata.wrapping_sub(sdata).wrapping_add(ebss.wrapping_sub(sbss)),
        stack_low: (&raw const _stack_end).addr(),
        stack_high: (&raw const _stack_start).addr(),
    }
}

/// The stack pointer, or what it was a little earlier in the same function.
#[inline(always)]
pub fn stack_pointer() -> usize {
    let address;
    // SAFETY: copies a register, changes nothing.
    unsafe { asm!("mov {}, sp", out(reg) address, options(nomem, nostack, preserves_flags)) };
    address
}

/// Writes `word` from `low`, a multiple of 4, up to the stack pointer, and returns that.
///
/// In one block of assembly: a stack pointer read earlier may be from before the function made room for
/// what it keeps on the stack (on RISC-V it was, and the paint went over that).
///
/// # Safety
/// From `low` to the stack pointer there must be RAM of the stack.
#[inline(never)]
pub unsafe fn fill_up_to_stack_pointer(low: usize, word: u32) -> usize {
    let top;
    // SAFETY: RAM of the stack by the caller's promise, and below the stack pointer of this very moment
    // nothing is alive: neither the AAPCS nor the RISC-V ABI has a red zone, and no interrupt is enabled.
    unsafe {
        asm!(
            "mov {top}, sp",
            "2: cmp {low}, {top}",
            "bhs 3f",
            "str {word}, [{low}]",
            "adds {low}, #4",
            "b 2b",
            "3:",
            low = inout(reg) low => _,
            word = in(reg) word,
            top = out(reg) top,
            options(nostack),
        );
    }
    top
}
