//! The serial line: bytes to frames, held against a decoder written from the two papers, and frames to messages.

use crate::check_message;
use motenet_link::{
    Answer, Counter, Decoder, Fault, FaultCode, Frame, Info, LearnReply, LearnRequest, Logits,
    Opinion, PROTOCOL, Parameters, Reply, Request, Unit,
};

/// An even first byte: a line and how long its frames may be. An odd one: a kind and a payload.
pub fn check(data: &[u8]) {
    let Some((&mode, rest)) = data.split_first() else { return };
    if mode & 1 == 0 {
        line(4 * usize::from(mode >> 1), rest);
    } else if let Some((&kind, payload)) = rest.split_first() {
        message(Frame { kind, payload });
    }
}

/// Frames of every message, as a line and as a payload.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let counter = Counter { unit: Unit::Cycles, numerator: 3, denominator: 7 };
    let logits = [1, -2, 300_000, i32::MIN];
    let floats = [0.5, -1.0, f32::NAN, 1e-40];
    let parameters = Parameters::new(7, &floats);
    let cost = motenet_link::Cost { count: 70_000, stack_bytes: 600, stack_bytes_max: 900 };
    let info = Info {
        protocol: PROTOCOL,
        counter,
        inputs: 784,
        outputs: 10,
        flash_bytes: 8100,
        ram_bytes: 874,
        static_bytes: 4,
        stack_size: 16_380,
        model_hash: [9; 32],
        firmware: "0.1.0",
        board: "microbit",
        model: "caf\u{e9}",
    };
    let learn_info = motenet_link::LearnInfo {
        protocol: PROTOCOL,
        counter,
        inputs: 784,
        outputs: 10,
        parameters: 7_960,
        ram_bytes: 70_000,
        static_bytes: 4,
        stack_size: 16_380,
        model_hash: [0; 32],
        firmware: "0.1.0",
        board: "mps2-an386",
        task: "head",
    };
    for request in [Request::Info, Request::Infer(&[0, 7, 255])] {
        lines.push(frame(|sink| request.encode(sink)));
    }
    let long = [5; 600];
    lines.push(frame(|sink| Request::Infer(&long).encode(sink)));
    let answer = Answer {
        class: 2,
        confidence: 65_535,
        count: 90_000,
        stack_bytes: 400,
        stack_bytes_max: 700,
        logits: Logits::from(&logits[..]),
    };
    let fault = Fault { code: FaultCode::Length, found: 10, expected: 784 };
    for reply in [Reply::Info(info), Reply::Answer(answer), Reply::Fault(fault)] {
        lines.push(frame(|sink| reply.encode(sink)));
    }
    for request in [
        LearnRequest::Info,
        LearnRequest::Init { seed: 1 },
        LearnRequest::Learn { share: 0.03, label: 7, input: &[0, 9, 0, 255] },
        LearnRequest::Step { learning_rate: 0.1, weight_decay: 3e-4 },
        LearnRequest::Evaluate { label: 300, input: &[1, 2] },
        LearnRequest::Read { first: 3, count: 9 },
        LearnRequest::Write(parameters),
        LearnRequest::Hash,
    ] {
        lines.push(frame(|sink| request.encode(sink)));
    }
    for reply in [
        LearnReply::Info(learn_info),
        LearnReply::Done,
        LearnReply::Opinion(Opinion {
            class: 1,
            loss: 2.5,
            cost,
            logits: Parameters::new(0, &floats),
        }),
        LearnReply::Stepped { number: 4, cost },
        LearnReply::Parameters(parameters),
        LearnReply::Hash { steps: 4, sha256: [0xab; 32] },
        LearnReply::Fault(fault),
    ] {
        lines.push(frame(|sink| reply.encode(sink)));
    }
    let mut seeds = Vec::new();
    for line in &lines {
        seeds.push([&[254], line.as_slice()].concat());
        let inside = unstuff(&line[..line.len() - 1]).expect("our own frame");
        seeds.push([&[1], &inside[..inside.len() - 4]].concat());
    }
    // Several in a row, with noise and lone zeros between, and little room.
    let noise = [&[0, 0, 3, 9, 0][..], &[1, 0]].concat();
    seeds.push([&[20], lines[0].as_slice(), &noise, &lines[1]].concat());
    seeds
}

/// What a decoder with room for `room` bytes of payload makes of a line.
fn line(room: usize, line: &[u8]) {
    let mut decoder = Decoder::new(vec![0; Decoder::<()>::buffer_bytes(room)]);
    let mut chunk = Vec::new();
    for &byte in line {
        let found = decoder.push(byte);
        if byte != 0 {
            assert_eq!(found, None);
            chunk.push(byte);
            continue;
        }
        let expected = expected(&chunk, room);
        match (&expected, found) {
            (None, None) => {}
            (Some(Ok(inside)), Some(Ok(frame))) => {
                assert_eq!((inside[0], &inside[1..]), (frame.kind, frame.payload));
                assert!(frame.payload.len() <= room);
                message(frame);
            }
            (Some(Err(code)), Some(Err(fault))) => {
                assert_eq!(*code, fault.code);
                check_message(&fault);
            }
            (expected, found) => panic!("{found:?}, expected {expected:?}"),
        }
        chunk.clear();
    }
    // Whatever came before, a zero and the next frame is whole.
    decoder.push(0);
    let next = frame(|sink| Request::Info.encode(sink));
    let (last, start) = next.split_last().expect("a frame has bytes");
    assert!(start.iter().all(|&byte| decoder.push(byte).is_none()));
    assert_eq!(decoder.push(*last), Some(Ok(Frame { kind: 1, payload: &[] })));
}

/// Kind and payload of what stands between two zeros, or what is wrong with it; `None` if nothing does.
fn expected(chunk: &[u8], room: usize) -> Option<Result<Vec<u8>, FaultCode>> {
    if chunk.is_empty() {
        return None;
    }
    let Some(mut inside) = unstuff(chunk) else { return Some(Err(FaultCode::Encoding)) };
    if inside.len() > 1 + room + 4 {
        return Some(Err(FaultCode::TooLong));
    }
    let Some(at) = inside.len().checked_sub(4).filter(|&at| at >= 1) else {
        return Some(Err(FaultCode::TooShort));
    };
    let checksum = inside.split_off(at);
    let right = crc32(&inside).to_le_bytes() == checksum[..];
    Some(if right { Ok(inside) } else { Err(FaultCode::Checksum) })
}

/// A message that decodes is the only one with these bytes; one that does not is a fault about this payload.
fn message(frame: Frame<'_>) {
    let line = stuffed(frame);
    macro_rules! check {
        ($($message:ident)*) => { $(match $message::decode(frame) {
            Ok(message) => {
                assert!(!format!("{message:?}").is_empty());
                assert_eq!(self::frame(|sink| message.encode(sink)), line, "{message:?}");
            }
            Err(fault) => refused(frame, fault),
        })* };
    }
    check!(Request Reply LearnRequest LearnReply);
}

fn refused(frame: Frame<'_>, fault: Fault) {
    check_message(&fault);
    let len = frame.payload.len() as u32;
    match fault.code {
        FaultCode::Kind => assert_eq!(fault.found, u32::from(frame.kind)),
        FaultCode::Length => assert!(fault.found == len && fault.expected != len, "{fault:?}"),
        FaultCode::Content => {
            let byte = frame.payload[fault.expected as usize];
            assert_eq!(fault.found, u32::from(byte), "{fault:?}");
        }
        code => panic!("{code:?} of a whole frame"),
    }
}

/// The bytes that `encode` writes, in pieces of 1 to 255.
fn frame(
    encode: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), ()>) -> Result<(), ()>,
) -> Vec<u8> {
    let mut line = Vec::new();
    let sent = encode(&mut |bytes| {
        assert!((1..=255).contains(&bytes.len()));
        line.extend_from_slice(bytes);
        Ok(())
    });
    sent.expect("the sink takes everything");
    line
}

/// The frame by the book: Consistent Overhead Byte Stuffing around kind, payload and CRC-32.
fn stuffed(frame: Frame<'_>) -> Vec<u8> {
    let mut inside = [&[frame.kind], frame.payload].concat();
    inside.extend(crc32(&inside).to_le_bytes());
    let mut line = Vec::new();
    let mut blocks = inside.split(|&byte| byte == 0).peekable();
    while let Some(mut block) = blocks.next() {
        let empty = block.is_empty();
        while let Some((full, rest)) = block.split_first_chunk::<254>() {
            line.push(255);
            line.extend(full);
            block = rest;
        }
        // Behind a full block there is nothing, unless a zero is.
        if empty || !block.is_empty() || blocks.peek().is_some() {
            line.push(block.len() as u8 + 1);
            line.extend(block);
        }
    }
    line.push(0);
    line
}

/// What was stuffed into these bytes, none of which is zero; `None` if the last block is cut.
fn unstuff(mut chunk: &[u8]) -> Option<Vec<u8>> {
    let mut inside = Vec::new();
    while let Some((&code, rest)) = chunk.split_first() {
        let (block, rest) = rest.split_at_checked(usize::from(code) - 1)?;
        inside.extend(block);
        if code < 255 && !rest.is_empty() {
            inside.push(0);
        }
        chunk = rest;
    }
    Some(inside)
}

/// CRC-32 as ISO-HDLC has it, bit by bit.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}
