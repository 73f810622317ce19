//! What a chip that learns and its host say to each other.
//!
//! | kind | message | payload |
//! |---|---|---|
//! | `0x11` | [`LearnRequest::Info`] | nothing |
//! | `0x12` | [`LearnRequest::Init`] | seed `u64` |
//! | `0x13` | [`LearnRequest::Learn`] | share `f32`, label `u32`, the input, one byte a pixel |
//! | `0x14` | [`LearnRequest::Step`] | learning rate `f32`, weight decay `f32` |
//! | `0x15` | [`LearnRequest::Evaluate`] | label `u32`, the input |
//! | `0x16` | [`LearnRequest::Read`] | first parameter `u32`, how many `u32` |
//! | `0x17` | [`LearnRequest::Write`] | first parameter `u32`, then `f32` each |
//! | `0x18` | [`LearnRequest::Hash`] | nothing |
//! | `0x91` | [`LearnReply::Info`] | see [`LearnInfo`]: protocol `u8`, counter (as in `Info`), then `u32` each: inputs, outputs, parameters, RAM, static RAM, stack; 32 bytes SHA-256; three texts: firmware, board, task |
//! | `0x92` | [`LearnReply::Done`] | nothing |
//! | `0x93` | [`LearnReply::Opinion`] | see [`Opinion`]: class `u32`, loss `f32`, cost (`u32` each: count, stack, largest stack), logits `f32` each |
//! | `0x94` | [`LearnReply::Stepped`] | number `u32`, cost |
//! | `0x96` | [`LearnReply::Parameters`] | first parameter `u32`, then `f32` each |
//! | `0x98` | [`LearnReply::Hash`] | steps `u32`, 32 bytes SHA-256 |
//!
//! An `f32` is its IEEE 754 bits, lowest byte first, so that nothing is lost on the way. An input begins eight or four
//! bytes into its payload, so that it is as aligned as the buffer is.

use crate::encoder::Encoder;
use crate::fields::Fields;
use crate::{Counter, Fault, FaultCode, Frame, Unit};

const INFO: u8 = 0x11;
const INIT: u8 = 0x12;
const LEARN: u8 = 0x13;
const STEP: u8 = 0x14;
const EVALUATE: u8 = 0x15;
const READ: u8 = 0x16;
const WRITE: u8 = 0x17;
const HASH: u8 = 0x18;

const INFO_IS: u8 = 0x91;
const DONE: u8 = 0x92;
const OPINION: u8 = 0x93;
const STEPPED: u8 = 0x94;
const PARAMETERS: u8 = 0x96;
const HASH_IS: u8 = 0x98;
const FAULT: u8 = 0xff;

/// What the host asks of a chip that learns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LearnRequest<'a> {
    /// What are you? Answered by [`LearnReply::Info`].
    Info,
    /// Start anew, with weights drawn from this seed. Answered by [`LearnReply::Done`].
    Init {
        /// The seed.
        seed: u64,
    },
    /// Add this sample to the batch under way. Answered by [`LearnReply::Opinion`].
    Learn {
        /// What its gradient is multiplied by: one over the samples of the batch.
        share: f32,
        /// What it shows.
        label: u32,
        /// One byte a pixel.
        input: &'a [u8],
    },
    /// The batch is complete. Answered by [`LearnReply::Stepped`].
    Step {
        /// The learning rate.
        learning_rate: f32,
        /// The pull of every parameter towards zero.
        weight_decay: f32,
    },
    /// What is this? Learns nothing. Answered by [`LearnReply::Opinion`].
    Evaluate {
        /// What it shows, for the loss.
        label: u32,
        /// One byte a pixel.
        input: &'a [u8],
    },
    /// Give these parameters. Answered by [`LearnReply::Parameters`], which may be fewer, where the parameters end.
    Read {
        /// The first one's number.
        first: u32,
        /// How many.
        count: u32,
    },
    /// Take these parameters, and forget the batch under way. Answered by [`LearnReply::Done`].
    Write(Parameters<'a>),
    /// What do your weights hash to? Answered by [`LearnReply::Hash`].
    Hash,
}

/// What a chip that learns answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LearnReply<'a> {
    /// What it is.
    Info(LearnInfo<'a>),
    /// As you said.
    Done,
    /// What it made of a sample, before it learned from it.
    Opinion(Opinion<'a>),
    /// A step was taken.
    Stepped {
        /// Its number, from 1.
        number: u32,
        /// What it cost.
        cost: Cost,
    },
    /// A run of the parameters.
    Parameters(Parameters<'a>),
    /// The weights, as one number.
    Hash {
        /// Steps taken so far.
        steps: u32,
        /// SHA-256 of the weights as bytes, lowest first.
        sha256: [u8; 32],
    },
    /// What was wrong with the frame that came.
    Fault(Fault),
}

/// What a chip that learns is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnInfo<'a> {
    /// The version of the wire format: [`PROTOCOL`](crate::PROTOCOL) of the firmware.
    pub protocol: u8,
    /// What [`Cost::count`] counts. The ratio is applied already; it tells the counter's resolution.
    pub counter: Counter,
    /// Bytes of an input.
    pub inputs: u32,
    /// Logits of an opinion.
    pub outputs: u32,
    /// Parameters that learn.
    pub parameters: u32,
    /// RAM of learning: weights, gradient, workspace.
    pub ram_bytes: u32,
    /// RAM of the whole firmware without the stack: `.data` and `.bss`.
    pub static_bytes: u32,
    /// RAM that is left for the stack.
    pub stack_size: u32,
    /// SHA-256 of the file of the layers that do not learn; zeros if all do.
    pub model_hash: [u8; 32],
    /// The version of the firmware.
    pub firmware: &'a str,
    /// The name of the board.
    pub board: &'a str,
    /// What learns: `network`, or `head` for the last layer of the model.
    pub task: &'a str,
}

/// What a piece of work cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Cycles or instructions from the input in RAM to the end of the work.
    pub count: u32,
    /// The most stack that it used, below its caller.
    pub stack_bytes: u32,
    /// The most stack that the whole firmware has used so far.
    pub stack_bytes_max: u32,
}

/// What the network made of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opinion<'a> {
    /// The index of the largest logit.
    pub class: u32,
    /// The loss.
    pub loss: f32,
    /// What the opinion cost, and the learning if it was asked for.
    pub cost: Cost,
    /// The logits, numbered from 0.
    pub logits: Parameters<'a>,
}

/// A run of numbers: `f32`s on one side, the bytes of a frame on the other.
#[derive(Clone, Copy)]
pub struct Parameters<'a> {
    /// The first one's number.
    pub first: u32,
    source: Source<'a>,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Numbers(&'a [f32]),
    Bytes(&'a [[u8; 4]]),
}

impl<'a> Parameters<'a> {
    /// These numbers, the first of which is number `first`.
    pub const fn new(first: u32, numbers: &'a [f32]) -> Self {
        Parameters { first, source: Source::Numbers(numbers) }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        match self.source {
            Source::Numbers(numbers) => numbers.len(),
            Source::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = f32> + use<'a> {
        let (numbers, bytes): (&[f32], &[[u8; 4]]) = match self.source {
            Source::Numbers(numbers) => (numbers, &[]),
            Source::Bytes(bytes) => (&[], bytes),
        };
        numbers.iter().copied().chain(bytes.iter().map(|&bytes| f32::from_le_bytes(bytes)))
    }

    fn encode<E, F: FnMut(&[u8]) -> Result<(), E>>(
        &self,
        encoder: &mut Encoder<F>,
    ) -> Result<(), E> {
        self.iter().try_for_each(|number| encoder.bytes(&number.to_le_bytes()))
    }

    /// What is left of a payload of `len` bytes.
    fn decode(first: u32, fields: Fields<'a>, len: usize) -> Result<Self, Fault> {
        let (numbers, odd) = fields.rest().as_chunks();
        if !odd.is_empty() {
            return Err(Fault::length(len, len.saturating_sub(odd.len())));
        }
        Ok(Parameters { first, source: Source::Bytes(numbers) })
    }
}

/// The same bits, which for NaN is not the same as equal numbers.
impl PartialEq for Parameters<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.first == other.first
            && self.iter().map(f32::to_bits).eq(other.iter().map(f32::to_bits))
    }
}

impl core::fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: ", self.first)?;
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Cost {
    fn numbers(self) -> [u32; 3] {
        [self.count, self.stack_bytes, self.stack_bytes_max]
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Self, Fault> {
        Ok(Cost {
            count: fields.u32()?,
            stack_bytes: fields.u32()?,
            stack_bytes_max: fields.u32()?,
        })
    }
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
        };
        let mut encoder = Encoder::new(kind, sink)?;
        match *self {
            LearnRequest::Info | LearnRequest::Hash => {}
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
            kind => return Err(Fault::new(FaultCode::Kind, kind.into(), HASH.into())),
        };
        fields.end()?;
        Ok(request)
    }
}

impl<'a> LearnReply<'a> {
    /// Writes the frame, its closing zero included, in a few pieces of at most 255 bytes.
    ///
    /// Texts are cut after 255 bytes.
    ///
    /// # Errors
    /// The sink's first one.
    pub fn encode<E>(&self, sink: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let kind = match self {
            LearnReply::Info(_) => INFO_IS,
            LearnReply::Done => DONE,
            LearnReply::Opinion(_) => OPINION,
            LearnReply::Stepped { .. } => STEPPED,
            LearnReply::Parameters(_) => PARAMETERS,
            LearnReply::Hash { .. } => HASH_IS,
            LearnReply::Fault(_) => FAULT,
        };
        let mut encoder = Encoder::new(kind, sink)?;
        match self {
            LearnReply::Info(info) => {
                encoder.bytes(&[info.protocol, info.counter.unit as u8])?;
                encoder.numbers(&[
                    info.counter.numerator,
                    info.counter.denominator,
                    info.inputs,
                    info.outputs,
                    info.parameters,
                    info.ram_bytes,
                    info.static_bytes,
                    info.stack_size,
                ])?;
                encoder.bytes(&info.model_hash)?;
                encoder.text(info.firmware)?;
                encoder.text(info.board)?;
                encoder.text(info.task)?;
            }
            LearnReply::Done => {}
            LearnReply::Opinion(opinion) => {
                encoder.numbers(&[opinion.class, opinion.loss.to_bits()])?;
                encoder.numbers(&opinion.cost.numbers())?;
                opinion.logits.encode(&mut encoder)?;
            }
            LearnReply::Stepped { number, cost } => {
                encoder.numbers(&[*number])?;
                encoder.numbers(&cost.numbers())?;
            }
            LearnReply::Parameters(parameters) => {
                encoder.numbers(&[parameters.first])?;
                parameters.encode(&mut encoder)?;
            }
            LearnReply::Hash { steps, sha256 } => {
                encoder.numbers(&[*steps])?;
                encoder.bytes(sha256)?;
            }
            LearnReply::Fault(fault) => {
                encoder.bytes(&[fault.code as u8])?;
                encoder.numbers(&[fault.found, fault.expected])?;
            }
        }
        encoder.finish()
    }

    /// The reply in a frame. The protocol of a [`LearnInfo`] is for the caller to compare.
    ///
    /// # Errors
    /// [`FaultCode::Kind`], [`FaultCode::Length`] and [`FaultCode::Content`]. The chip's own fault is
    /// not an error here but [`LearnReply::Fault`].
    pub fn decode(frame: Frame<'a>) -> Result<Self, Fault> {
        let len = frame.payload.len();
        let mut fields = Fields::new(frame.payload);
        let reply = match frame.kind {
            INFO_IS => LearnReply::Info(LearnInfo {
                protocol: fields.u8()?,
                counter: Counter {
                    unit: fields.code(Unit::from_code)?,
                    numerator: fields.u32()?,
                    denominator: fields.u32()?,
                },
                inputs: fields.u32()?,
                outputs: fields.u32()?,
                parameters: fields.u32()?,
                ram_bytes: fields.u32()?,
                static_bytes: fields.u32()?,
                stack_size: fields.u32()?,
                model_hash: fields.bytes()?,
                firmware: fields.text()?,
                board: fields.text()?,
                task: fields.text()?,
            }),
            DONE => LearnReply::Done,
            OPINION => {
                let (class, loss) = (fields.u32()?, f32::from_bits(fields.u32()?));
                let cost = Cost::decode(&mut fields)?;
                let logits = Parameters::decode(0, fields, len)?;
                return Ok(LearnReply::Opinion(Opinion { class, loss, cost, logits }));
            }
            STEPPED => {
                LearnReply::Stepped { number: fields.u32()?, cost: Cost::decode(&mut fields)? }
            }
            PARAMETERS => {
                let first = fields.u32()?;
                return Parameters::decode(first, fields, len).map(LearnReply::Parameters);
            }
            HASH_IS => LearnReply::Hash { steps: fields.u32()?, sha256: fields.bytes()? },
            FAULT => LearnReply::Fault(Fault {
                code: fields.code(FaultCode::from_code)?,
                found: fields.u32()?,
                expected: fields.u32()?,
            }),
            kind => return Err(Fault::new(FaultCode::Kind, kind.into(), FAULT.into())),
        };
        fields.end()?;
        Ok(reply)
    }
}
