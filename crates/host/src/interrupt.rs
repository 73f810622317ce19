//! Ctrl-C: the first asks the run to save and stop, the second ends the program at once.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a shell reports of a program that Ctrl-C has ended.
pub(crate) const EXIT_CODE: u8 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);
static PATIENT: AtomicBool = AtomicBool::new(false);

/// Until this returns a guard, and after the guard is gone, Ctrl-C ends the program at once.
pub(crate) fn catch() -> Guard {
    PATIENT.store(true, Ordering::SeqCst);
    // It fails only if a handler is there already: ours.
    let _ = ctrlc::set_handler(|| {
        let patient = PATIENT.load(Ordering::SeqCst);
        if ASKED.swap(true, Ordering::SeqCst) || !patient {
            std::process::exit(i32::from(EXIT_CODE));
        }
    });
    Guard
}

/// While this lives, the first Ctrl-C only sets a flag.
pub(crate) struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        PATIENT.store(false, Ordering::SeqCst);
    }
}

/// Whether Ctrl-C has been pressed.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// [`asked`], as a training run wants to hear it.
pub(crate) fn check() -> ControlFlow<()> {
    if asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}
