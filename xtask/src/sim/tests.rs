//! The measuring over pipes to a thread that plays the chip, well or badly.

use super::fuzz;
use super::line::Line;
use super::measure::{Figures, Mismatch, Task, What, ask_info, measure};
use crate::integers::Engine;
use anyhow::Result;
use motenet_link::{
    Answer, Counter, Decoder, Fault, FaultCode, Info, PROTOCOL, Reply, Request, Unit,
};
use motenet_quant::Softmax;
use std::io::{PipeWriter, Read, Write, pipe};
use std::thread;
use std::time::Duration;

/// How a chip misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Vice {
    #[default]
    None,
    /// One more on a logit of the image with this first pixel.
    Logit(u8, usize),
    Class(u8),
    Confidence(u8),
    Protocol,
    Inputs,
    Hash,
    /// Noise before every reply.
    Chatter,
    /// No reply any more, from this image on.
    Silence(u8),
    /// The line is closed at this image.
    Death(u8),
    /// A fault for this image.
    Refusal(u8),
    /// A flipped bit in the answer to this image.
    Damage(u8),
    /// Too few logits.
    Short,
}

struct Sums;

impl Engine for Sums {
    fn logits(&mut self, image: &[u8; 784]) -> [i32; 10] {
        let mut logits = [0; 10];
        for (at, &pixel) in image.iter().enumerate() {
            logits[at % 10] += i32::from(pixel) * (at as i32 % 7 - 3);
        }
        logits
    }
}

fn softmax() -> Softmax {
    Softmax::new(0.001).unwrap()
}

fn say(line: &mut PipeWriter, reply: Reply<'_>, flip: bool) {
    let mut bytes = Vec::new();
    let _: Result<(), ()> = reply.encode(|piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    });
    if flip {
        bytes[5] ^= 0x40;
    }
    // The host may have gone.
    let _ = line.write_all(&bytes);
}

fn chip(mut input: impl Read, mut output: PipeWriter, vice: Vice) {
    let mut decoder = Decoder::new([0; Decoder::<()>::buffer_bytes(784)]);
    let mut byte = [0];
    while input.read_exact(&mut byte).is_ok() {
        let Some(frame) = decoder.push(byte[0]) else { continue };
        if vice == Vice::Chatter {
            let _ = output.write_all(&[3, 1, 4, 1, 5, 0, 0, 9, 0]);
        }
        match frame.and_then(Request::decode) {
            Ok(Request::Info) => say(&mut output, Reply::Info(info(vice)), false),
            Ok(Request::Infer(image)) => match image.try_into() {
                Ok(image) => {
                    if !answer(&mut output, image, vice) {
                        return;
                    }
                }
                Err(_) => say(&mut output, Reply::Fault(Fault::length(image.len(), 784)), false),
            },
            Err(fault) => say(&mut output, Reply::Fault(fault), false),
        }
    }
}

/// Whether the chip lives on.
fn answer(output: &mut PipeWriter, image: &[u8; 784], vice: Vice) -> bool {
    let first = image[0];
    let mut logits = Sums.logits(image);
    let mut class = motenet_quant::argmax(&logits) as u16;
    let mut confidence = softmax().confidence(&logits);
    match vice {
        Vice::Silence(at) if at == first => return true,
        Vice::Death(at) if at == first => return false,
        Vice::Refusal(at) if at == first => {
            say(output, Reply::Fault(Fault::length(3, 784)), false);
            return true;
        }
        Vice::Logit(at, logit) if at == first => logits[logit] += 1,
        Vice::Class(at) if at == first => class += 1,
        Vice::Confidence(at) if at == first => confidence ^= 1,
        _ => {}
    }
    let logits = if vice == Vice::Short { &logits[..9] } else { &logits[..] };
    let answer = Answer {
        class,
        confidence,
        // Of the ten images the fourth takes longest.
        count: 1000 + if first < 10 { u32::from(first) * 3 % 10 } else { first.into() },
        stack_bytes: 40 + u32::from(first),
        stack_bytes_max: 500,
        logits: logits.into(),
    };
    say(output, Reply::Answer(answer), vice == Vice::Damage(first));
    true
}

fn info(vice: Vice) -> Info<'static> {
    Info {
        protocol: if vice == Vice::Protocol { PROTOCOL + 1 } else { PROTOCOL },
        counter: Counter::one(Unit::Instructions),
        inputs: if vice == Vice::Inputs { 64 } else { 784 },
        outputs: 10,
        flash_bytes: 1,
        ram_bytes: 2,
        static_bytes: 3,
        stack_size: 4,
        model_hash: [u8::from(vice == Vice::Hash); 32],
        firmware: "0.1.0",
        board: "thread",
        model: "sums",
    }
}

fn line(vice: Vice) -> Line {
    let (input, to_chip) = pipe().unwrap();
    let (from_chip, output) = pipe().unwrap();
    thread::spawn(move || chip(input, output, vice));
    Line::new("thread", from_chip, to_chip, Duration::from_millis(700))
}

/// Ten images, the number of each in its first pixel.
fn run(vice: Vice, ahead: usize) -> Result<Figures> {
    let mut images = [[0; 784]; 10];
    let mut labels = [0; 10];
    for (number, image) in images.iter_mut().enumerate() {
        for (at, pixel) in image.iter_mut().enumerate() {
            *pixel = if at % 3 == 0 { (at * number) as u8 } else { 0 };
        }
        image[0] = number as u8;
        labels[number] = motenet_quant::argmax(&Sums.logits(image)) as u8;
    }
    labels[9] ^= 1;
    let mut task = Task {
        engine: &mut Sums,
        softmax: softmax(),
        model_hash: [0; 32],
        images: &images,
        labels: &labels,
        ahead,
    };
    let mut seen = Vec::new();
    let figures = measure(&mut line(vice), &mut task, &mut |done| seen.push(done))?;
    assert_eq!(seen, (1..=10).collect::<Vec<_>>());
    Ok(figures)
}

#[test]
fn an_honest_chip_agrees_however_many_requests_are_under_way() {
    for ahead in [0, 1, 3, 8, 100] {
        let figures = run(Vice::None, ahead).unwrap();
        assert_eq!((figures.images, figures.right), (10, 9));
        assert_eq!((figures.logit_mismatches, figures.other_mismatches), (0, 0));
        assert_eq!(figures.first_mismatch, None);
        assert_eq!((figures.count_mean, figures.count_max), (1004.5, 1009));
        assert_eq!((figures.count_full, figures.count_empty), (1255, 1000));
        assert_eq!((figures.stack_bytes, figures.stack_bytes_max), (40 + 255, 500));
    }
}

#[test]
fn every_number_that_differs_is_counted_and_the_first_is_named() {
    let figures = run(Vice::Logit(7, 4), 8).unwrap();
    assert_eq!(figures.logit_mismatches, 1);
    let mismatch = figures.first_mismatch.unwrap();
    assert_eq!((mismatch.image, mismatch.what), (Some(7), What::Logit(4)));
    assert_eq!(mismatch.found, mismatch.expected + 1);
    assert!(mismatch.to_string().starts_with("image 7, logit 4: found "), "{mismatch}");
    // The full image as well, and an image of the same first pixel.
    let figures = run(Vice::Logit(255, 0), 1).unwrap();
    let expected = Mismatch { image: None, ..figures.first_mismatch.clone().unwrap() };
    assert_eq!(figures.first_mismatch.unwrap(), expected);
    let figures = run(Vice::Class(2), 8).unwrap();
    assert_eq!((figures.logit_mismatches, figures.other_mismatches), (0, 1));
    assert_eq!(figures.first_mismatch.unwrap().what, What::Class);
    let figures = run(Vice::Confidence(9), 8).unwrap();
    assert_eq!(figures.other_mismatches, 1);
    assert_eq!(figures.first_mismatch.unwrap().what, What::Confidence);
}

#[test]
fn a_chip_that_cannot_be_compared_is_an_error() {
    for (vice, words) in [
        (Vice::Protocol, "speaks version 2 of the protocol, expected 1"),
        (Vice::Inputs, "64 inputs and 10 outputs, expected 784 and 10"),
        (
            Vice::Hash,
            "another model, `sums` (SHA-256 0101010101010101…), expected 0000000000000000…",
        ),
        (Vice::Silence(3), "thread has not answered for 0.7 s"),
        (Vice::Death(3), "thread is gone"),
        (Vice::Refusal(5), "refused image 5: the payload has 3 bytes, expected 784"),
        (Vice::Damage(6), "answer to image 6 is damaged: the checksum"),
        (Vice::Short, "found 9 logits, expected 10"),
        (Vice::Chatter, "is damaged"),
    ] {
        let error = run(vice, 2).unwrap_err().to_string();
        assert!(error.contains(words), "{vice:?}: {error}");
    }
}

#[test]
fn what_was_on_the_line_before_does_no_harm() {
    let mut line = line(Vice::Chatter);
    line.send_bytes(vec![1, 2, 3]);
    assert_eq!(ask_info(&mut line).unwrap().board, "thread");
}

#[test]
fn noise_is_answered_and_repeatable() {
    let throw = |seed| {
        let mut line = line(Vice::None);
        let mut last = 0;
        let thrown = fuzz::throw(&mut line, 784, 200_000, seed, &mut |done| last = done).unwrap();
        assert_eq!((thrown.bytes, last), (200_000, 200_000));
        // And then it is right.
        assert_eq!(ask_info(&mut line).unwrap().model, "sums");
        thrown
    };
    let (a, b) = (throw(1), throw(1));
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
    assert_ne!(format!("{a:?}"), format!("{:?}", throw(2)));
    assert_eq!((a.pieces.len(), a.broken), (8, 0));
    // A frame after a piece without its end is lost with it.
    assert!(a.answers > 0 && a.answers <= a.pieces["whole frames"], "{a:?}");
    for code in [FaultCode::Checksum, FaultCode::TooLong, FaultCode::Encoding, FaultCode::Length] {
        assert!(a.faults[&format!("{code:?}")] > 0, "{a:?}");
    }
}

#[test]
fn a_chip_that_takes_no_more_bytes_is_noticed() {
    let (_input, to_chip) = pipe().unwrap();
    let (from_chip, _output) = pipe().unwrap();
    let mut line = Line::new("wall", from_chip, to_chip, Duration::from_millis(300));
    let error = fuzz::throw(&mut line, 784, 1_000_000, 1, &mut |_| {}).unwrap_err().to_string();
    assert_eq!(error, "wall has taken no byte for 0.3 s: it hangs");
}
