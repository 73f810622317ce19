//! The runs that have the same hash on every machine, where there is no standard library: WebAssembly,
//! and AArch64 under Linux. `cargo xtask hashes` builds and runs it.
//!
//! A line is `hash: HASH RUN LEVEL FMA`; the last is `done`.
#![no_std]
#![no_main]

use motenet::Simd;
use motenet_tests::hashes::Workspace;

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod system;
#[cfg(target_arch = "wasm32")]
#[path = "wasm.rs"]
mod system;

fn run() {
    let mut space = Workspace::ZERO;
    let simd = Simd::baseline();
    for &run in Workspace::RUNS {
        let hash = space.hash(run, simd);
        for text in ["hash: ", hash.as_str(), " ", run.name(), " baseline ", simd.fma(), "\n"] {
            system::write(text.as_bytes());
        }
    }
    system::write(b"done\n");
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    system::write(b"panic\n");
    system::exit(1)
}
