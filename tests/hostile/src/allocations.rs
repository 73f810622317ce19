//! How much a piece of work allocates, counted on its own thread.
#![allow(unsafe_code)] // a global allocator cannot be written without it

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which remembers how much a thread has in use and had at most.
struct Counting;

thread_local! {
    // Constants without destructors: reading them allocates nothing and never fails.
    static IN_USE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn take(layout: Layout) {
    let now = IN_USE.get() + layout.size() as isize;
    IN_USE.set(now);
    PEAK.set(PEAK.get().max(now));
}

// SAFETY: every call is passed on unchanged to `System`, which keeps the contract; counting touches only cells of the
// thread and never allocates. `realloc` is the provided one, which goes through these.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout);
        // SAFETY: the caller keeps the contract of `alloc`, which is that of `System.alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        take(layout);
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.set(IN_USE.get() - layout.size() as isize);
        // SAFETY: `pointer` came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `work` returns, after checking that it had at most `most` bytes more in use than before.
pub(crate) fn bounded<T>(most: usize, work: impl FnOnce() -> T) -> T {
    let before = IN_USE.get();
    PEAK.set(before);
    let result = work();
    let peak = PEAK.get() - before;
    assert!(peak <= most as isize, "{peak} bytes allocated, expected at most {most}");
    result
}
