//! What a chip that learns answers.

use super::Parameters;
use crate::encoder::Encoder;
use crate::fields::Fields;
use crate::{Counter, Fault, FaultCode, Frame, Unit};

const INFO_IS: u8 = 0x91;
const DONE: u8 = 0x92;
const OPINION: u8 = 0x93;
const STEPPED: u8 = 0x94;
const PARAMETERS: u8 = 0x96;
const HASH_IS: u8 = 0x98;
const FAULT: u8 = 0xff;

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
