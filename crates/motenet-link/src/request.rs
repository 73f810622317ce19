//! What the host asks.

use crate::encoder::Encoder;
use crate::fields::Fields;
use crate::{Fault, FaultCode, Frame};

const INFO: u8 = 0x01;
const INFER: u8 = 0x02;

/// What the host asks of the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// What are you? Answered by [`Reply::Info`](crate::Reply::Info).
    Info,
    /// What is this? One byte an input. Answered by [`Reply::Answer`](crate::Reply::Answer).
    Infer(&'a [u8]),
}

impl<'a> Request<'a> {
    /// Writes the frame, its closing zero included, in a few pieces of at most 255 bytes.
    ///
    /// # Errors
    /// The sink's first one.
    pub fn encode<E>(&self, sink: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let (kind, payload): (_, &[u8]) = match self {
            Request::Info => (INFO, &[]),
            Request::Infer(input) => (INFER, input),
        };
        let mut encoder = Encoder::new(kind, sink)?;
        encoder.bytes(payload)?;
        encoder.finish()
    }

    /// The request in a frame; the input of [`Infer`](Request::Infer) may have any length.
    ///
    /// # Errors
    /// [`FaultCode::Kind`] and [`FaultCode::Length`].
    pub fn decode(frame: Frame<'a>) -> Result<Self, Fault> {
        match frame.kind {
            INFO => {
                Fields::new(frame.payload).end()?;
                Ok(Request::Info)
            }
            INFER => Ok(Request::Infer(frame.payload)),
            kind => Err(Fault::new(FaultCode::Kind, kind.into(), INFER.into())),
        }
    }
}
