//! What a host asks of a chip that learns.

use super::Parameters;
use crate::encoder::Encoder;
use crate::fields::Fields;
use crate::{Fault, FaultCode, Frame};

const INFO: u8 = 0x11;
const INIT: u8 = 0x12;
const LEARN: u8 = 0x13;
const STEP: u8 = 0x14;
const EVALUATE: u8 = 0x15;
const READ: u8 = 0x16;
const WRITE: u8 = 0x17;
const HASH: u8 = 0x18;
const SAVE: u8 = 0x19;
const LOAD: u8 = 0x1a;
const RESTART: u8 = 0x1b;

/// What the host asks of a chip that learns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LearnRequest<'a> {
    /// What are you? Answered by [`LearnReply::Info`](crate::LearnReply::Info).
    Info,
    /// Start anew, with weights drawn from this seed. Answered by [`LearnReply::Done`](crate::LearnReply::Done).
    Init {
        /// The seed.
        seed: u64,
    },
    /// Add this sample to the batch under way. Answered by [`LearnReply::Opinion`](crate::LearnReply::Opinion).
    Learn {
        /// What its gradient is multiplied by: one over the samples of the batch.
        share: f32,
        /// What it shows.
        label: u32,
        /// One byte a pixel.
        input: &'a [u8],
    },
    /// The batch is complete. Answered by [`LearnReply::Stepped`](crate::LearnReply::Stepped).
    Step {
        /// The learning rate.
        learning_rate: f32,
        /// The pull of every parameter towards zero.
        weight_decay: f32,
    },
    /// What is this? Learns nothing. Answered by [`LearnReply::Opinion`](crate::LearnReply::Opinion).
    Evaluate {
        /// What it shows, for the loss.
        label: u32,
        /// One byte a pixel.
        input: &'a [u8],
    },
    /// Give these parameters. Answered by [`LearnReply::Parameters`](crate::LearnReply::Parameters), which may be fewer, where the parameters end.
    Read {
        /// The first one's number.
        first: u32,
        /// How many.
        count: u32,
    },
    /// Take these parameters, and forget the batch under way. Answered by [`LearnReply::Done`](crate::LearnReply::Done).
    Write(Parameters<'a>),
    /// What do your weights hash to? Answered by [`LearnReply::Hash`](crate::LearnReply::Hash).
    Hash,
    /// Keep your weights in flash: what is found there at the next start. Answered by [`LearnReply::Done`](crate::LearnReply::Done).
    Save,
    /// Go back to the weights in flash, and forget the batch under way. Answered by [`LearnReply::Done`](crate::LearnReply::Done).
    Load,
    /// Start again, as after a loss of power. Answered by [`LearnReply::Done`](crate::LearnReply::Done), before.
    Restart,
}

impl<'a> LearnRequest<'a> {
    /// The longest payload that a chip with inputs of `inputs` bytes has to have room for.
    pub const fn payload_max(inputs: usize) -> usize {
        inputs + 8
    }

    /// How many parameters fit a [`Write`](LearnRequest::Write) to a chip with inputs of `inputs` bytes.
    pub const fn write_max(inputs: usize) -> usize {
        (inputs + 4) / 4
    }

    /// Writes the frame, its closing zero included, in a few pieces of at most 255 bytes.
    ///
    /// # Errors
    /// The sink's first one.
    pub fn encode<E>(&self, sink: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let kind = match self {
            LearnRequest::Info => INFO,
            LearnRequest::Init { .. } => INIT,
            LearnRequest::Learn { .. } => LEARN,
            LearnRequest::Step { .. } => STEP,
            LearnRequest::Evaluate { .. } => EVALUATE,
            LearnRequest::Read { .. } => READ,
            LearnRequest::Write(_) => WRITE,
            LearnRequest::Hash => HASH,
            LearnRequest::Save => SAVE,
            LearnRequest::Load => LOAD,
            LearnRequest::Restart => RESTART,
        };
        let mut encoder = Encoder::new(kind, sink)?;
        match *self {
            LearnRequest::Info
            | LearnRequest::Hash
            | LearnRequest::Save
            | LearnRequest::Load
            | LearnRequest::Restart => {}
            LearnRequest::Init { seed } => encoder.bytes(&seed.to_le_bytes())?,
            LearnRequest::Learn { share, label, input } => {
                encoder.numbers(&[share.to_bits(), label])?;
                encoder.bytes(input)?;
            }
            LearnRequest::Step { learning_rate, weight_decay } => {
                encoder.numbers(&[learning_rate.to_bits(), weight_decay.to_bits()])?;
            }
            LearnRequest::Evaluate { label, input } => {
                encoder.numbers(&[label])?;
                encoder.bytes(input)?;
            }
            LearnRequest::Read { first, count } => encoder.numbers(&[first, count])?,
            LearnRequest::Write(parameters) => {
                encoder.numbers(&[parameters.first])?;
                parameters.encode(&mut encoder)?;
            }
        }
        encoder.finish()
    }

    /// The request in a frame; an input may have any length.
    ///
    /// # Errors
    /// [`FaultCode::Kind`] and [`FaultCode::Length`].
    pub fn decode(frame: Frame<'a>) -> Result<Self, Fault> {
        let len = frame.payload.len();
        let mut fields = Fields::new(frame.payload);
        let request = match frame.kind {
            INFO => LearnRequest::Info,
            INIT => LearnRequest::Init { seed: u64::from_le_bytes(fields.bytes()?) },
            LEARN => {
                let (share, label) = (f32::from_bits(fields.u32()?), fields.u32()?);
                return Ok(LearnRequest::Learn { share, label, input: fields.rest() });
            }
            STEP => LearnRequest::Step {
                learning_rate: f32::from_bits(fields.u32()?),
                weight_decay: f32::from_bits(fields.u32()?),
            },
            EVALUATE => {
                let label = fields.u32()?;
                return Ok(LearnRequest::Evaluate { label, input: fields.rest() });
            }
            READ => LearnRequest::Read { first: fields.u32()?, count: fields.u32()? },
            WRITE => {
                let first = fields.u32()?;
                return Parameters::decode(first, fields, len).map(LearnRequest::Write);
            }
            HASH => LearnRequest::Hash,
            SAVE => LearnRequest::Save,
            LOAD => LearnRequest::Load,
            RESTART => LearnRequest::Restart,
            kind => return Err(Fault::new(FaultCode::Kind, kind.into(), RESTART.into())),
        };
        fields.end()?;
        Ok(request)
    }
}
