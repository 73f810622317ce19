//! What ends a command early: one line for the user.

use std::fmt;

/// A failure, as the line that follows `error: `.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        // A file name may hold anything, but an error stays on its line and cannot steer the terminal.
        let text: String = text.into();
        Failure(text.replace(|c: char| c.is_control(), " "))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::new(error.to_string())
    }
}

/// `fail!("...", ...)` is `Err(Failure::new(format!(...)))`.
macro_rules! fail {
    ($($part:tt)*) => { Err($crate::failure::Failure::new(format!($($part)*))) };
}
pub(crate) use fail;
