//! Whether the kernels in assembly leave the registers of their caller as they found them. A sum does not
//! show it: on the smallest cores a compiler hardly ever uses the high ones.

use super::events::Event;
use core::arch::naked_asm;
use core::mem::MaybeUninit;

/// Calls a kernel with its four arguments and numbers in r4 to r11; 0 if they are there afterwards.
macro_rules! caller {
    ($name:ident, $kernel:path) => {
        /// # Safety
        /// As the kernel.
        #[unsafe(naked)]
        unsafe extern "C" fn $name(
            events: *const Event,
            len: usize,
            block: *const u8,
            registers: &mut MaybeUninit<[[u32; 3]; 2]>,
        ) -> u32 {
            naked_asm!(
                "push {{r4-r7, lr}}",
                "mov r4, r8",
                "mov r5, r9",
                "mov r6, r10",
                "mov r7, r11",
                "push {{r3-r7}}",
                "movs r4, #8",
                "movs r5, #9",
                "movs r6, #10",
                "movs r7, #11",
                "mov r8, r4",
                "mov r9, r5",
                "mov r10, r6",
                "mov r11, r7",
                "movs r4, #4",
                "movs r5, #5",
                "movs r6, #6",
                "movs r7, #7",
                "bl {kernel}",
                "subs r4, #4",
                "subs r5, #5",
                "subs r6, #6",
                "subs r7, #7",
                "orrs r4, r5",
                "orrs r4, r6",
                "orrs r4, r7",
                "mov r0, r8",
                "subs r0, #8",
                "orrs r4, r0",
                "mov r0, r9",
                "subs r0, #9",
                "orrs r4, r0",
                "mov r0, r10",
                "subs r0, #10",
                "orrs r4, r0",
                "mov r0, r11",
                "subs r0, #11",
                "orrs r0, r4",
                "pop {{r3-r7}}",
                "mov r8, r4",
                "mov r9, r5",
                "mov r10, r6",
                "mov r11, r7",
                "pop {{r4-r7, pc}}",
                kernel = sym $kernel,
            )
        }
    };
}

#[cfg(motenet_kernel = "armv6m")]
caller!(octet, super::armv6m::octet);
#[cfg(motenet_kernel = "armv7m")]
caller!(octet, super::armv7m::octet);
#[cfg(motenet_kernel = "armv7em")]
caller!(octet, super::armv7em::octet);
#[cfg(motenet_kernel = "armv7em")]
caller!(two, super::armv7em::two);

/// Whether they do.
pub(crate) fn are_kept() -> bool {
    #[repr(align(4))]
    struct Block([u8; 16]);
    let (events, block) = ([Event { offset: 0, x: 1 }; 4], Block([1; 16]));
    let mut out = MaybeUninit::uninit();
    // SAFETY: four events, one group for the kernel of pairs; a block with sixteen bytes, aligned, at their
    // offset.
    unsafe {
        let groups = if cfg!(motenet_kernel = "armv7em") { 1 } else { 4 };
        let kept = octet(events.as_ptr(), groups, block.0.as_ptr(), &mut out) == 0;
        #[cfg(motenet_kernel = "armv7em")]
        let kept = kept && two(events.as_ptr(), 4, block.0.as_ptr(), &mut out) == 0;
        kept
    }
}
