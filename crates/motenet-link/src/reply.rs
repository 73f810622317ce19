//! What the chip answers.

use crate::encoder::Encoder;
use crate::fields::Fields;
use crate::row::Row;
use crate::{Counter, Fault, FaultCode, Frame, Unit};

const INFO: u8 = 0x81;
const ANSWER: u8 = 0x82;
const FAULT: u8 = 0xff;

/// What the chip answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// What it is.
    Info(Info<'a>),
    /// What it thinks the input is.
    Answer(Answer<'a>),
    /// What was wrong with the frame that came.
    Fault(Fault),
}

/// What a chip and its model are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info<'a> {
    /// The version of the wire format: [`PROTOCOL`](crate::PROTOCOL) of the firmware.
    pub protocol: u8,
    /// What [`Answer::count`] counts. The ratio is applied already; it tells the counter's resolution.
    pub counter: Counter,
    /// Bytes of an input.
    pub inputs: u32,
    /// Logits of an answer.
    pub outputs: u32,
    /// Flash of the model: weights, biases, scales.
    pub flash_bytes: u32,
    /// RAM that one inference needs, input and sums included.
    pub ram_bytes: u32,
    /// RAM of the whole firmware without the stack: `.data` and `.bss`.
    pub static_bytes: u32,
    /// RAM that is left for the stack.
    pub stack_size: u32,
    /// SHA-256 of the file that the model was built from.
    pub model_hash: [u8; 32],
    /// The version of the firmware.
    pub firmware: &'a str,
    /// The name of the board.
    pub board: &'a str,
    /// The name of the model.
    pub model: &'a str,
}

/// An inference and what it cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The index of the largest logit.
    pub class: u16,
    /// How sure the model is, in 65536ths; 65535 is certain.
    pub confidence: u16,
    /// Cycles or instructions from the input in RAM to logits and class.
    pub count: u32,
    /// The most stack that this inference used, below its caller.
    pub stack_bytes: u32,
    /// The most stack that the whole firmware has used so far.
    pub stack_bytes_max: u32,
    /// The logits.
    pub logits: Logits<'a>,
}

/// A row of logits: numbers on the chip, the bytes of a frame on the host.
#[derive(Clone, Copy)]
pub struct Logits<'a>(Row<'a, i32>);

impl<'a> Logits<'a> {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = i32> + use<'a> {
        self.0.iter()
    }
}

impl<'a> From<&'a [i32]> for Logits<'a> {
    fn from(numbers: &'a [i32]) -> Self {
        Logits(Row::Numbers(numbers))
    }
}

impl PartialEq for Logits<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Logits<'_> {}

impl core::fmt::Debug for Logits<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

impl<'a> Reply<'a> {
    /// Writes the frame, its closing zero included, in a few pieces of at most 255 bytes.
    ///
    /// Texts are cut after 255 bytes.
    ///
    /// # Errors
    /// The sink's first one.
    pub fn encode<E>(&self, sink: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let kind = match self {
            Reply::Info(_) => INFO,
            Reply::Answer(_) => ANSWER,
            Reply::Fault(_) => FAULT,
        };
        let mut encoder = Encoder::new(kind, sink)?;
        match self {
            Reply::Info(info) => {
                encoder.bytes(&[info.protocol, info.counter.unit as u8])?;
                encoder.numbers(&[
                    info.counter.numerator,
                    info.counter.denominator,
                    info.inputs,
                    info.outputs,
                    info.flash_bytes,
                    info.ram_bytes,
                    info.static_bytes,
                    info.stack_size,
                ])?;
                encoder.bytes(&info.model_hash)?;
                encoder.text(info.firmware)?;
                encoder.text(info.board)?;
                encoder.text(info.model)?;
            }
            Reply::Answer(answer) => {
                encoder.bytes(&answer.class.to_le_bytes())?;
                encoder.bytes(&answer.confidence.to_le_bytes())?;
                encoder.numbers(&[answer.count, answer.stack_bytes, answer.stack_bytes_max])?;
                answer.logits.iter().try_for_each(|logit| encoder.bytes(&logit.to_le_bytes()))?;
            }
            Reply::Fault(fault) => {
                encoder.bytes(&[fault.code as u8])?;
                encoder.numbers(&[fault.found, fault.expected])?;
            }
        }
        encoder.finish()
    }

    /// The reply in a frame. The protocol of an [`Info`] is for the caller to compare.
    ///
    /// # Errors
    /// [`FaultCode::Kind`], [`FaultCode::Length`] and [`FaultCode::Content`]. The chip's own fault is
    /// not an error here but [`Reply::Fault`].
    pub fn decode(frame: Frame<'a>) -> Result<Self, Fault> {
        let mut fields = Fields::new(frame.payload);
        match frame.kind {
            INFO => {
                let info = Info {
                    protocol: fields.u8()?,
                    counter: Counter {
                        unit: fields.code(Unit::from_code)?,
                        numerator: fields.u32()?,
                        denominator: fields.u32()?,
                    },
                    inputs: fields.u32()?,
                    outputs: fields.u32()?,
                    flash_bytes: fields.u32()?,
                    ram_bytes: fields.u32()?,
                    static_bytes: fields.u32()?,
                    stack_size: fields.u32()?,
                    model_hash: fields.bytes()?,
                    firmware: fields.text()?,
                    board: fields.text()?,
                    model: fields.text()?,
                };
                fields.end()?;
                Ok(Reply::Info(info))
            }
            ANSWER => {
                let (class, confidence) = (fields.u16()?, fields.u16()?);
                let (count, stack_bytes, stack_bytes_max) =
                    (fields.u32()?, fields.u32()?, fields.u32()?);
                let (logits, odd) = fields.rest().as_chunks();
                if !odd.is_empty() {
                    let len = frame.payload.len();
                    return Err(Fault::length(len, len.saturating_sub(odd.len())));
                }
                let logits = Logits(Row::Bytes(logits));
                Ok(Reply::Answer(Answer {
                    class,
                    confidence,
                    count,
                    stack_bytes,
                    stack_bytes_max,
                    logits,
                }))
            }
            FAULT => {
                let fault = Fault {
                    code: fields.code(FaultCode::from_code)?,
                    found: fields.u32()?,
                    expected: fields.u32()?,
                };
                fields.end()?;
                Ok(Reply::Fault(fault))
            }
            kind => Err(Fault::new(FaultCode::Kind, kind.into(), FAULT.into())),
        }
    }
}
