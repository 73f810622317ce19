//! Linux on AArch64, by its system calls: their numbers are those of `asm-generic/unistd.h`.

use core::arch::asm;

const WRITE: usize = 64;
const EXIT: usize = 93;

/// Where Linux starts the program, with 8 MiB of stack.
// SAFETY: no other symbol has this name: there is no C library.
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    crate::run();
    exit(0)
}

/// To standard output.
pub(crate) fn write(bytes: &[u8]) {
    // SAFETY: the kernel reads the bytes that the slice holds, and changes no register but x0. What it
    // did not take, on a closed pipe say, is lost.
    unsafe {
        asm!(
            "svc 0",
            in("x8") WRITE,
            inout("x0") 1_usize => _,
            in("x1") bytes.as_ptr(),
            in("x2") bytes.len(),
            options(nostack),
        );
    }
}

pub(crate) fn exit(code: usize) -> ! {
    // SAFETY: ends the process.
    unsafe { asm!("svc 0", in("x8") EXIT, in("x0") code, options(noreturn)) }
}
