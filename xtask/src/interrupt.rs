//! Ctrl-C: it sets a flag, so that whoever waits for a simulator can end it first.

use anyhow::{Result, bail};
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// What a shell reports of a program that Ctrl-C has ended.
pub(crate) const EXIT_CODE: u8 = 130;

/// From now on Ctrl-C makes [`check`] fail; a second one ends the program at once.
pub(crate) fn catch() {
    // It fails only if a handler is there already: ours.
    let _ = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(EXIT_CODE));
        }
    });
}

/// Whether Ctrl-C has been pressed.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// An error once Ctrl-C has been pressed.
pub(crate) fn check() -> Result<()> {
    if asked() {
        bail!("interrupted");
    }
    Ok(())
}
