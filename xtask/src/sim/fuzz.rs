//! Noise for a chip: whatever comes, it has to answer the next question right.

use super::line::{Heard, Line, frame};
use anyhow::Result;
use motenet::random;
use motenet_link::{FaultCode, Request};
use std::collections::BTreeMap;
use std::time::Duration;

/// No more bytes than this are under way, so that a chip that stops reading is noticed.
const UNSENT_MAX: usize = 16_384;

/// What was thrown and what came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Thrown {
    /// Bytes sent.
    pub(crate) bytes: usize,
    /// Pieces of each kind.
    pub(crate) pieces: BTreeMap<&'static str, usize>,
    /// Faults that the chip reported, by their code.
    pub(crate) faults: BTreeMap<String, usize>,
    /// Inferences that it made of what was whole.
    pub(crate) answers: usize,
    /// Replies that arrived damaged.
    pub(crate) broken: usize,
}

/// Throws about `bytes` bytes drawn from `seed`, reading replies all the while, until the chip has answered
/// all of it.
///
/// # Errors
/// The line's: a chip that no longer answers.
pub(crate) fn throw(
    line: &mut Line,
    inputs: usize,
    bytes: usize,
    seed: u64,
    progress: &mut dyn FnMut(usize),
) -> Result<Thrown> {
    let mut rng = random::generator(seed);
    let mut below = |limit: usize| random::below(&mut rng, limit as u32) as usize;
    let mut thrown = Thrown::default();
    while thrown.bytes < bytes {
        let (kind, piece) = piece(inputs, &mut below);
        let piece = &piece[..piece.len().min(bytes - thrown.bytes)];
        *thrown.pieces.entry(kind).or_default() += 1;
        thrown.bytes += piece.len();
        line.send_bytes(piece.to_vec());
        while let Some(heard) = line.make_room(UNSENT_MAX)? {
            thrown.hear(&heard);
        }
        while let Some(heard) = line.receive_within(Duration::ZERO)? {
            thrown.hear(&heard);
        }
        progress(thrown.bytes);
    }
    // Nothing thrown is a whole request for it, so its answer is the end of all that came before.
    line.send_bytes(vec![0]);
    line.send(Request::Info);
    loop {
        match line.receive()? {
            Heard::Info(_) => return Ok(thrown),
            heard => thrown.hear(&heard),
        }
    }
}

impl Thrown {
    fn hear(&mut self, heard: &Heard) {
        match heard {
            Heard::Answer(_) => self.answers += 1,
            Heard::Fault(fault) => *self.faults.entry(name(fault.code)).or_default() += 1,
            Heard::Broken(_) => self.broken += 1,
            Heard::Info(_) | Heard::Learns(_) => {}
        }
    }
}

fn name(code: FaultCode) -> String {
    format!("{code:?}")
}

/// One piece of noise: bytes without order, frames damaged in each of the ways there are, and whole ones.
fn piece(inputs: usize, below: &mut impl FnMut(usize) -> usize) -> (&'static str, Vec<u8>) {
    let noise = |count: usize, below: &mut dyn FnMut(usize) -> usize| -> Vec<u8> {
        (0..count).map(|_| below(256) as u8).collect()
    };
    let image = |count: usize, below: &mut dyn FnMut(usize) -> usize| -> Vec<u8> {
        // Mostly zeros, as digits are, so that the encoding is as mixed as theirs.
        (0..count).map(|_| if below(5) == 0 { below(256) as u8 } else { 0 }).collect()
    };
    match below(8) {
        0 => {
            let count = 1 + below(2_000);
            ("noise", noise(count, below))
        }
        1 => ("whole frames", frame(Request::Infer(&image(inputs, below)))),
        2 => {
            let mut bytes = frame(Request::Infer(&image(inputs, below)));
            for _ in 0..=below(8) {
                let place = below(bytes.len());
                bytes[place] ^= 1 << below(8);
            }
            ("frames with flipped bits", bytes)
        }
        3 => {
            let mut bytes = frame(Request::Infer(&image(inputs, below)));
            bytes.truncate(below(bytes.len()));
            ("frames cut short", bytes)
        }
        4 => {
            let count = below(3 * inputs);
            ("frames of another length", frame(Request::Infer(&image(count, below))))
        }
        5 => {
            let count = 4 * inputs + below(8 * inputs);
            let huge = noise(count, below).into_iter().map(|byte| byte.max(1));
            ("huge frames", huge.chain([0]).collect())
        }
        6 => ("zeros", vec![0; 1 + below(300)]),
        _ => {
            // Joined halves: what is left when the middle was lost.
            let mut bytes = frame(Request::Infer(&image(inputs, below)));
            let (from, to) = (below(bytes.len()), below(bytes.len()));
            bytes.drain(from.min(to)..from.max(to));
            ("frames with a hole", bytes)
        }
    }
}
