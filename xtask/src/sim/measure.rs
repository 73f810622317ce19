//! Streams images to a chip and compares every number that comes back.

use super::line::{Answer, Heard, Info, Line};
use crate::elf::Sizes;
use crate::integers::Engine;
use anyhow::{Result, bail};
use motenet_link::{PROTOCOL, Request};
use motenet_quant::Softmax;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What is sent to a chip, and what is right.
pub(crate) struct Task<'a> {
    /// The host's network.
    pub(crate) engine: &'a mut dyn Engine,
    /// From its logits to how sure they are.
    pub(crate) softmax: Softmax,
    /// SHA-256 of the model's file.
    pub(crate) model_hash: [u8; 32],
    /// Images.
    pub(crate) images: &'a [[u8; 784]],
    /// What they show.
    pub(crate) labels: &'a [u8],
    /// How many requests may be under way at a time: 1 where a line has no flow control.
    pub(crate) ahead: usize,
}

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    /// What the chip says it is.
    pub(crate) info: Info,
    /// Images compared.
    pub(crate) images: usize,
    /// Images whose class was their label.
    pub(crate) right: usize,
    /// Logits that differ from the host's.
    pub(crate) logit_mismatches: usize,
    /// Classes and confidences that differ from the host's.
    pub(crate) other_mismatches: usize,
    /// The first difference.
    pub(crate) first_mismatch: Option<Mismatch>,
    /// Cycles or instructions: mean over the images.
    pub(crate) count_mean: f64,
    /// The most of any image.
    pub(crate) count_max: u32,
    /// Of an image whose every pixel is lit.
    pub(crate) count_full: u32,
    /// Of an image without a lit pixel.
    pub(crate) count_empty: u32,
    /// The most stack of any inference.
    pub(crate) stack_bytes: u32,
    /// The most stack of the whole firmware.
    pub(crate) stack_bytes_max: u32,
    /// How long it took here; says nothing about the chip.
    pub(crate) time: Duration,
}

/// A number that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Which image, from 0; `None` for the full and the empty one.
    pub(crate) image: Option<usize>,
    /// Which number of its answer.
    pub(crate) what: What,
    /// The chip's.
    pub(crate) found: i64,
    /// The host's.
    pub(crate) expected: i64,
}

/// A number of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A logit, from 0.
    Logit(usize),
    /// The class.
    Class,
    /// The confidence.
    Confidence,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.image {
            Some(image) => write!(f, "image {image}, ")?,
            None => f.write_str("an image of one grey, ")?,
        }
        match self.what {
            What::Logit(logit) => write!(f, "logit {logit}")?,
            What::Class => f.write_str("class")?,
            What::Confidence => f.write_str("confidence")?,
        }
        write!(f, ": found {}, expected {}", self.found, self.expected)
    }
}

/// Sends every image of the task, then a full and an empty one, and compares the answers with the host's.
///
/// # Errors
/// The line's; a fault that the chip reports; a chip that is not the one expected. Numbers that differ are no
/// error here: they are counted.
pub(crate) fn measure(
    line: &mut Line,
    task: &mut Task<'_>,
    progress: &mut dyn FnMut(usize),
) -> Result<Figures> {
    let start = Instant::now();
    let info = ask_info(line)?;
    check_info(&info, task)?;
    let Task { engine, softmax, images: digits, labels, ahead, .. } = task;
    let mut tally = Tally::new(&mut **engine, *softmax);
    let (full, empty) = ([255; 784], [0; 784]);
    let images = digits.iter().chain([&full, &empty]);
    let mut under_way = VecDeque::new();
    let mut to_send = images.enumerate();
    let mut grey = Vec::new();
    loop {
        while under_way.len() < (*ahead).max(1)
            && let Some((index, image)) = to_send.next()
        {
            line.send(Request::Infer(image));
            under_way.push_back((index, image));
        }
        let Some((index, image)) = under_way.pop_front() else { break };
        let answer = match line.receive()? {
            Heard::Answer(answer) => answer,
            Heard::Fault(fault) => bail!("the board refused image {index}: {fault}"),
            Heard::Broken(fault) => {
                bail!("the board's answer to image {index} is damaged: {fault}")
            }
            Heard::Info(_) => bail!("the board answered image {index} by saying what it is"),
            Heard::Learns(_) => bail!("the board answered image {index} as one that learns does"),
        };
        let number = (index < digits.len()).then_some(index);
        tally.compare(number, image, &answer)?;
        match number {
            Some(index) => {
                tally.count(&answer, labels.get(index).copied());
                progress(index + 1);
            }
            None => grey.push(answer.count),
        }
    }
    Ok(tally.figures(info, &grey, start.elapsed()))
}

/// What the chip says it is.
pub(crate) fn ask_info(line: &mut Line) -> Result<Info> {
    // Ends whatever a line may have picked up before.
    line.send_bytes(vec![0]);
    line.send(Request::Info);
    loop {
        match line.receive()? {
            Heard::Info(info) => return Ok(info),
            // What was under way before we came.
            Heard::Fault(_) | Heard::Answer(_) | Heard::Broken(_) | Heard::Learns(_) => {}
        }
    }
}

/// What the chip says of its memory against what the linker has written down.
pub(crate) fn check_sizes(info: &Info, sizes: &Sizes) -> Result<()> {
    let (found, expected) = (u64::from(info.static_bytes), sizes.static_bytes);
    if found != expected {
        bail!(
            "{} says that its .data and .bss have {found} bytes, expected {expected} as in its file: its memory is damaged",
            info.board
        );
    }
    Ok(())
}

fn check_info(info: &Info, task: &Task<'_>) -> Result<()> {
    if info.protocol != PROTOCOL {
        bail!(
            "{} speaks version {} of the protocol, expected {PROTOCOL}: flash it anew",
            info.board,
            info.protocol
        );
    }
    let (inputs, outputs) = (info.inputs, info.outputs);
    if (inputs, outputs) != (784, 10) {
        bail!(
            "{} runs a model with {inputs} inputs and {outputs} outputs, expected 784 and 10: flash it anew",
            info.board,
        );
    }
    if info.model_hash != task.model_hash {
        let short = |hash: &[u8; 32]| crate::firmware::hex(&hash[..8]);
        bail!(
            "{} runs another model, `{}` (SHA-256 {}…), expected {}…: flash it anew",
            info.board,
            info.model,
            short(&info.model_hash),
            short(&task.model_hash)
        );
    }
    Ok(())
}

/// Counts while the answers come in.
struct Tally<'a> {
    engine: &'a mut dyn Engine,
    softmax: Softmax,
    images: usize,
    right: usize,
    logit_mismatches: usize,
    other_mismatches: usize,
    first_mismatch: Option<Mismatch>,
    count_sum: u64,
    count_max: u32,
    stack_bytes: u32,
    stack_bytes_max: u32,
}

impl<'a> Tally<'a> {
    fn new(engine: &'a mut dyn Engine, softmax: Softmax) -> Self {
        Tally {
            engine,
            softmax,
            images: 0,
            right: 0,
            logit_mismatches: 0,
            other_mismatches: 0,
            first_mismatch: None,
            count_sum: 0,
            count_max: 0,
            stack_bytes: 0,
            stack_bytes_max: 0,
        }
    }

    fn compare(&mut self, image: Option<usize>, pixels: &[u8; 784], answer: &Answer) -> Result<()> {
        let logits = self.engine.logits(pixels);
        if answer.logits.len() != logits.len() {
            bail!("found {} logits, expected {}", answer.logits.len(), logits.len());
        }
        let expected = logits.iter().zip(&answer.logits).enumerate();
        let mut differences: Vec<Mismatch> = expected
            .filter(|(_, (expected, found))| expected != found)
            .map(|(logit, (&expected, &found))| Mismatch {
                image,
                what: What::Logit(logit),
                found: found.into(),
                expected: expected.into(),
            })
            .collect();
        self.logit_mismatches += differences.len();
        let mut other = |what, found: u16, expected: i64| {
            if i64::from(found) != expected {
                self.other_mismatches += 1;
                differences.push(Mismatch { image, what, found: found.into(), expected });
            }
        };
        other(What::Class, answer.class, motenet_quant::argmax(&logits) as i64);
        other(What::Confidence, answer.confidence, self.softmax.confidence(&logits).into());
        self.first_mismatch = self.first_mismatch.take().or(differences.into_iter().next());
        self.stack_bytes = self.stack_bytes.max(answer.stack_bytes);
        self.stack_bytes_max = self.stack_bytes_max.max(answer.stack_bytes_max);
        Ok(())
    }

    fn count(&mut self, answer: &Answer, label: Option<u8>) {
        self.images += 1;
        self.right += usize::from(label.map(u16::from) == Some(answer.class));
        self.count_sum += u64::from(answer.count);
        self.count_max = self.count_max.max(answer.count);
    }

    fn figures(self, info: Info, grey: &[u32], time: Duration) -> Figures {
        Figures {
            info,
            images: self.images,
            right: self.right,
            logit_mismatches: self.logit_mismatches,
            other_mismatches: self.other_mismatches,
            first_mismatch: self.first_mismatch,
            count_mean: self.count_sum as f64 / self.images.max(1) as f64,
            count_max: self.count_max,
            count_full: grey.first().copied().unwrap_or(0),
            count_empty: grey.last().copied().unwrap_or(0),
            stack_bytes: self.stack_bytes,
            stack_bytes_max: self.stack_bytes_max,
            time,
        }
    }
}
