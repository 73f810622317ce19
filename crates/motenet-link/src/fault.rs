//! What can be wrong with a frame.

/// A frame that could not be served: the chip sends it back, the host prints it.
///
/// ```
/// use motenet_link::{Fault, FaultCode};
/// let fault = Fault { code: FaultCode::Length, found: 10, expected: 784 };
/// assert_eq!(fault.to_string(), "the payload has 10 bytes, expected 784: is it the right model?");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub code: FaultCode,
    /// What was there; its meaning is the code's.
    pub found: u32,
    /// What should have been there.
    pub expected: u32,
}

/// What is wrong with a frame, and what [`Fault::found`] and [`Fault::expected`] then mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FaultCode {
    /// Ended inside a block: bytes of the block that came, and bytes it announced.
    Encoding = 1,
    /// The checksum computed, and the one in the frame.
    Checksum = 2,
    /// More bytes than the buffer holds: how many came, and how many at most.
    TooLong = 3,
    /// Fewer bytes than a kind and a checksum are: how many came, and how many at least.
    TooShort = 4,
    /// The kind found, which is none that this side takes, and the largest that it does.
    Kind = 5,
    /// A payload of the wrong length: its bytes, and how many are right.
    Length = 6,
    /// A field that holds what it must not: what it holds, and where in the payload.
    Content = 7,
    /// What was learned cannot be kept or found: 0 if the board has no place for it, 1 if nothing was saved, 2 if the flash
    /// failed, 3 if what was saved is another network's; and 0.
    Store = 8,
}

impl Fault {
    pub(crate) fn new(code: FaultCode, found: usize, expected: usize) -> Self {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Fault { code, found: narrow(found), expected: narrow(expected) }
    }

    /// A payload of `found` bytes where `expected` were right.
    pub fn length(found: usize, expected: usize) -> Self {
        Fault::new(FaultCode::Length, found, expected)
    }
}

impl FaultCode {
    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => FaultCode::Encoding,
            2 => FaultCode::Checksum,
            3 => FaultCode::TooLong,
            4 => FaultCode::TooShort,
            5 => FaultCode::Kind,
            6 => FaultCode::Length,
            7 => FaultCode::Content,
            8 => FaultCode::Store,
            _ => return None,
        })
    }
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Fault { code, found, expected } = *self;
        match code {
            FaultCode::Encoding => write!(
                f,
                "the frame ends after {found} bytes of a block of {expected}: bytes were lost, send it again"
            ),
            FaultCode::Checksum => write!(
                f,
                "the checksum is {found:#010x}, the frame says {expected:#010x}: the line is noisy, send it again"
            ),
            FaultCode::TooLong => write!(
                f,
                "the frame has {found} bytes, expected at most {expected}: is it the right model?"
            ),
            FaultCode::TooShort => write!(
                f,
                "the frame has {found} bytes, expected at least {expected}: bytes were lost, send it again"
            ),
            FaultCode::Kind => write!(
                f,
                "a message of kind {found:#04x}, expected at most {expected:#04x}: flash the firmware anew"
            ),
            FaultCode::Length => write!(
                f,
                "the payload has {found} bytes, expected {expected}: is it the right model?"
            ),
            FaultCode::Content => write!(
                f,
                "byte {expected} of the payload is {found}, which means nothing: flash the firmware anew"
            ),
            FaultCode::Store => f.write_str(match found {
                0 => "the board has no flash for what was learned: read the weights and keep them",
                1 => "found nothing saved: save first",
                3 => "what was saved is another network's: save anew, or flash the program that saved it",
                _ => "the flash failed: try again",
            }),
        }
    }
}

impl core::error::Error for Fault {}
