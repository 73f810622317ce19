//! A `static` that is handed out once, to be written: what is too large for the stack.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

/// A value for whoever asks first.
pub struct Once<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached by `take` alone, which gives it away once: every board here runs one core and
// no interrupt handler of ours, so nothing comes between its load and its store.
unsafe impl<T: Send> Sync for Once<T> {}

impl<T> Once<T> {
    /// A value that waits to be taken; for a `static`.
    pub const fn new(value: T) -> Self {
        Once { taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// The value, the first time; then `None`.
    pub fn take(&'static self) -> Option<&'static mut T> {
        // Not `swap`, which some of the cores do not have.
        if self.taken.load(Ordering::Relaxed) {
            return None;
        }
        self.taken.store(true, Ordering::Relaxed);
        // SAFETY: the first and only reference, as `taken` shows.
        Some(unsafe { &mut *self.value.get() })
    }
}
