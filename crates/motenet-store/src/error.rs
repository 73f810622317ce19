//! Why a save or a load did not come about.

use crate::Identity;
use core::fmt;

/// Why a save or a load did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error<E> {
    /// The flash's own.
    Flash(E),
    /// The areas lie where pages do not begin, or beyond the flash, or hold no record.
    Layout {
        /// The first byte of the first area.
        first: u32,
        /// The bytes of each area.
        bytes: u32,
    },
    /// More bytes than an area holds, its record apart; or, on loading, other bytes than were asked for.
    Length {
        /// How many there are.
        found: usize,
        /// How many there may be.
        expected: usize,
    },
    /// What was saved is another network's, or another program's.
    Identity {
        /// Whose it is.
        found: Identity,
        /// Whose it should be.
        expected: Identity,
    },
    /// What was written reads back as something else.
    Worn,
    /// Nothing was saved yet, or nothing whole is left.
    Empty,
}

impl<E: fmt::Debug> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Flash(error) => write!(f, "the flash failed ({error:?}): try again"),
            Error::Layout { first, bytes } => write!(
                f,
                "found two areas of {bytes} bytes at {first:#x}, expected whole pages inside the flash: move them"
            ),
            Error::Length { found, expected } => write!(
                f,
                "found {found} bytes to keep, expected {expected}: is it the right network, and are the areas large enough?"
            ),
            Error::Identity { found, expected } => {
                let [found, expected] = [*found, *expected].map(u64::from_be_bytes);
                write!(
                    f,
                    "found the weights of {found:016x}, expected those of {expected:016x}: save anew, or go back to the program that saved"
                )
            }
            Error::Worn => f.write_str(
                "what was written reads back otherwise: the flash is worn, move the areas",
            ),
            Error::Empty => f.write_str("found nothing saved: save first"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for Error<E> {}

impl<E> From<E> for Error<E> {
    fn from(error: E) -> Self {
        Error::Flash(error)
    }
}
