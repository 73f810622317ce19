//! WebAssembly: `run.mjs` hands in the function that prints, and calls `_start`.

mod host {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        pub(super) fn write(bytes: *const u8, len: usize);
    }
}

// SAFETY: no other symbol has this name: there is no C library.
#[unsafe(no_mangle)]
extern "C" fn _start() {
    crate::run();
}

pub(crate) fn write(bytes: &[u8]) {
    // SAFETY: the host reads the bytes that the slice holds.
    unsafe { host::write(bytes.as_ptr(), bytes.len()) }
}

pub(crate) fn exit(_code: usize) -> ! {
    core::arch::wasm32::unreachable()
}
