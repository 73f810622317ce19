//! The wire: what goes in comes out, and whatever else arrives is a fault and no more.

use motenet_link::{
    Aligned, Answer, Counter, Decoder, Fault, FaultCode, Frame, Info, Logits, PROTOCOL, Reply,
    Request, Unit,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// The frame of a request or a reply.
fn request(request: Request<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    let sent: Result<(), ()> = request.encode(|bytes| {
        assert!(!bytes.is_empty() && bytes.len() <= 255);
        line.extend_from_slice(bytes);
        Ok(())
    });
    sent.unwrap();
    line
}

fn reply(reply: Reply<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    let sent: Result<(), ()> = reply.encode(|bytes| {
        line.extend_from_slice(bytes);
        Ok(())
    });
    sent.unwrap();
    line
}

/// What a decoder makes of these bytes; the frames are copied out.
fn decode(decoder: &mut Decoder<Vec<u8>>, line: &[u8]) -> Vec<Result<(u8, Vec<u8>), Fault>> {
    let owned = |frame: Result<Frame<'_>, Fault>| frame.map(|f| (f.kind, f.payload.to_vec()));
    line.iter().filter_map(|&byte| decoder.push(byte).map(owned)).collect()
}

fn decoder(payload: usize) -> Decoder<Vec<u8>> {
    Decoder::new(vec![0; Decoder::<()>::buffer_bytes(payload)])
}

/// A frame by other means: the `cobs` crate and a CRC bit by bit.
fn frame_by_others(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut inside = vec![kind];
    inside.extend_from_slice(payload);
    let mut crc = u32::MAX;
    for &byte in &inside {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    inside.extend_from_slice(&(!crc).to_le_bytes());
    let mut line = cobs::encode_vec(&inside);
    line.push(0);
    line
}

/// Bytes with zeros and without, so that blocks of every length occur.
fn payload(most: usize) -> impl Strategy<Value = Vec<u8>> {
    let len = 0..=most;
    prop_oneof![
        vec(any::<u8>(), len.clone()),
        vec(1u8..=255, len.clone()),
        vec(prop_oneof![9 => Just(0u8), 1 => any::<u8>()], len),
    ]
}

proptest! {
    #[test]
    fn encodes_as_others_do(input in payload(800)) {
        prop_assert_eq!(request(Request::Infer(&input)), frame_by_others(0x02, &input));
    }

    #[test]
    fn what_goes_in_comes_out(input in payload(800)) {
        let frames = decode(&mut decoder(input.len()), &request(Request::Infer(&input)));
        prop_assert_eq!(frames, [Ok((0x02, input))]);
    }

    #[test]
    fn a_prefix_is_nothing_or_a_fault(input in payload(300), cut in any::<prop::sample::Index>()) {
        let mut line = request(Request::Infer(&input));
        line.truncate(1 + cut.index(line.len() - 2));
        let mut decoder = decoder(300);
        prop_assert_eq!(decode(&mut decoder, &line), []);
        // The next zero ends it, and the frame after it is whole again.
        line = vec![0];
        line.extend(request(Request::Info));
        let frames = decode(&mut decoder, &line);
        prop_assert!(matches!(frames.as_slice(), [Err(_), Ok((0x01, empty))] if empty.is_empty()));
    }

    /// One wrong bit: CRC-32 finds it, unless it makes or unmakes a zero and so other frames.
    #[test]
    fn a_flipped_bit_is_found(input in payload(300), at in any::<prop::sample::Index>(), bit in 0u32..8) {
        let mut line = request(Request::Infer(&input));
        let end = line.len() - 1;
        line[at.index(end)] ^= 1u8 << bit;
        let mut decoder = decoder(300);
        let frames = decode(&mut decoder, &line);
        prop_assert!(!frames.is_empty() && frames.iter().all(Result::is_err), "{:?}", frames);
        let frames = decode(&mut decoder, &request(Request::Info));
        prop_assert_eq!(frames, [Ok((0x01, vec![]))]);
    }

    #[test]
    fn noise_never_panics_and_the_next_zero_mends_it(
        noise in payload(2000), room in 0usize..300, input in payload(20),
    ) {
        let mut decoder = decoder(room.max(input.len()));
        decode(&mut decoder, &noise);
        decode(&mut decoder, &[0]);
        let frames = decode(&mut decoder, &request(Request::Infer(&input)));
        prop_assert_eq!(frames, [Ok((0x02, input))]);
    }

    /// Any payload of any kind, its checksum right: decoding the message may fail, not panic, and what
    /// decodes encodes to the same bytes.
    #[test]
    fn a_message_that_decodes_is_canonical(
        kind in prop_oneof![Just(0x01), Just(0x02), Just(0x81), Just(0x82), Just(0xff), any::<u8>()],
        payload in payload(200), short in 0u8..40,
    ) {
        let mut payload = payload;
        if let (0x81, Some(unit), Some(text)) = (kind, payload.get(1).copied(), payload.get(66).copied()) {
            // Nudged towards an info that makes sense, or none would.
            payload[1] = if unit < 250 { 1 + unit % 2 } else { unit };
            payload[66] = text % short.max(1);
        }
        let frame = Frame { kind, payload: &payload };
        if let Ok(message) = Request::decode(frame) {
            prop_assert_eq!(request(message), frame_by_others(kind, &payload));
        }
        if let Ok(message) = Reply::decode(frame) {
            prop_assert_eq!(reply(message), frame_by_others(kind, &payload));
        }
    }

    #[test]
    fn answers_round_trip(
        class in any::<u16>(), confidence in any::<u16>(), count in any::<u32>(),
        stack_bytes in any::<u32>(), stack_bytes_max in any::<u32>(), logits in vec(any::<i32>(), 0..80),
    ) {
        let logits = Logits::from(logits.as_slice());
        let sent = Reply::Answer(Answer { class, confidence, count, stack_bytes, stack_bytes_max, logits });
        let frames = decode(&mut decoder(400), &reply(sent));
        let Ok((kind, payload)) = &frames[0] else { panic!("{frames:?}") };
        prop_assert_eq!(Reply::decode(Frame { kind: *kind, payload }), Ok(sent));
    }
}

fn info() -> Info<'static> {
    Info {
        protocol: PROTOCOL,
        counter: Counter { unit: Unit::Cycles, numerator: 3, denominator: 7 },
        inputs: 784,
        outputs: 10,
        flash_bytes: 8100,
        ram_bytes: 874,
        static_bytes: 4,
        stack_size: 16_380,
        model_hash: core::array::from_fn(|i| i as u8),
        firmware: "0.1.0",
        board: "microbit",
        model: "caf\u{e9}",
    }
}

#[test]
fn info_round_trips() {
    let frames = decode(&mut decoder(400), &reply(Reply::Info(info())));
    let (kind, payload) = frames[0].clone().unwrap();
    assert_eq!(payload.len(), 66 + 6 + 9 + 6);
    assert_eq!(Reply::decode(Frame { kind, payload: &payload }), Ok(Reply::Info(info())));
    // Every prefix of it, and one byte more, has the wrong length.
    for len in 0..payload.len() {
        let fault = Reply::decode(Frame { kind, payload: &payload[..len] }).unwrap_err();
        assert_eq!((fault.code, fault.found as usize), (FaultCode::Length, len));
        assert!(fault.expected as usize > len);
    }
    let more = [payload.as_slice(), &[1]].concat();
    let fault = Reply::decode(Frame { kind, payload: &more }).unwrap_err();
    assert_eq!(fault, Fault::length(more.len(), payload.len()));
    // Not a unit; not UTF-8.
    for (at, byte) in [(1, 9), (payload.len() - 2, 0xff)] {
        let mut payload = payload.clone();
        payload[at] = byte;
        let fault = Reply::decode(Frame { kind, payload: &payload }).unwrap_err();
        assert_eq!((fault.code, fault.found), (FaultCode::Content, byte.into()));
    }
}

#[test]
fn a_long_text_is_cut_between_characters() {
    let long = "\u{e9}".repeat(200);
    let frames = decode(&mut decoder(500), &reply(Reply::Info(Info { board: &long, ..info() })));
    let (kind, payload) = frames[0].clone().unwrap();
    let Ok(Reply::Info(info)) = Reply::decode(Frame { kind, payload: &payload }) else { panic!() };
    assert_eq!(info.board, &long[..254]);
}

#[test]
fn faults_round_trip_and_say_what_to_do() {
    for code in 1..=7 {
        let payload = [code, 5, 0, 0, 0, 0, 1, 0, 0];
        let Ok(Reply::Fault(fault)) = Reply::decode(Frame { kind: 0xff, payload: &payload }) else {
            panic!("code {code}")
        };
        assert_eq!((fault.code as u8, fault.found, fault.expected), (code, 5, 256));
        assert_eq!(reply(Reply::Fault(fault)), frame_by_others(0xff, &payload));
        let text = fault.to_string();
        assert!(text.contains('5') && !text.contains('\n') && text.contains(':'), "{text}");
    }
    for found in 0..3 {
        let fault = Fault { code: FaultCode::Store, found, expected: 0 };
        let payload = [8, found as u8, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(reply(Reply::Fault(fault)), frame_by_others(0xff, &payload));
        let decoded = Reply::decode(Frame { kind: 0xff, payload: &payload });
        assert_eq!(decoded, Ok(Reply::Fault(fault)));
        assert!(fault.to_string().contains(':'), "{fault}");
    }
    let unknown = Reply::decode(Frame { kind: 0xff, payload: &[9, 0, 0, 0, 0, 0, 0, 0, 0] });
    assert_eq!(unknown, Err(Fault { code: FaultCode::Content, found: 9, expected: 0 }));
}

#[test]
fn what_is_wrong_is_named() {
    let cases: [(&[u8], FaultCode, u32, u32); 5] = [
        (&[5, 1, 2, 0], FaultCode::Encoding, 2, 4),
        (&[1, 0], FaultCode::TooShort, 0, 5),
        (&[5, 1, 2, 3, 4, 0], FaultCode::TooShort, 4, 5),
        (&[6, 1, 1, 2, 3, 4, 0], FaultCode::Checksum, 0xa505_df1b, 0x0403_0201),
        (&[11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0], FaultCode::TooLong, 10, 8),
    ];
    for (line, code, found, expected) in cases {
        assert_eq!(decode(&mut decoder(3), line), [Err(Fault { code, found, expected })]);
    }
    assert_eq!(decode(&mut decoder(3), &[0, 0, 0]), []);
    let kind = Request::decode(Frame { kind: 3, payload: &[] });
    assert_eq!(kind, Err(Fault { code: FaultCode::Kind, found: 3, expected: 2 }));
    assert_eq!(Request::decode(Frame { kind: 1, payload: &[0] }), Err(Fault::length(1, 0)));
    assert_eq!(Reply::decode(Frame { kind: 0x82, payload: &[0; 18] }), Err(Fault::length(18, 16)));
}

/// A payload as long as there is room for, and one byte longer.
#[test]
fn the_buffer_is_used_to_its_end() {
    let line = request(Request::Infer(&[9; 300]));
    assert_eq!(decode(&mut decoder(300), &line), [Ok((2, vec![9; 300]))]);
    let fault = Fault { code: FaultCode::TooLong, found: 305, expected: 304 };
    assert_eq!(decode(&mut decoder(299), &line), [Err(fault)]);
    assert_eq!(
        decode(&mut Decoder::new(vec![]), &line)[0].clone().unwrap_err().code,
        FaultCode::TooLong
    );
}

#[test]
fn a_reset_forgets() {
    let mut decoder = decoder(8);
    assert_eq!(decode(&mut decoder, &[9, 9, 9]), []);
    decoder.reset();
    assert_eq!(decode(&mut decoder, &request(Request::Info)), [Ok((1, vec![]))]);
}

#[test]
fn the_payload_starts_at_a_word() {
    let mut decoder = Decoder::new(Aligned([0; Decoder::<()>::buffer_bytes(5)]));
    let line = request(Request::Infer(&[1, 2, 3, 4, 5]));
    let mut frames = 0;
    for byte in line {
        if let Some(frame) = decoder.push(byte) {
            assert!(frame.unwrap().payload.as_ptr().cast::<u32>().is_aligned());
            frames += 1;
        }
    }
    assert_eq!(frames, 1);
}

#[test]
fn a_sink_that_fails_ends_the_frame() {
    for pieces in 0..3 {
        let mut left = pieces;
        let sent = Request::Infer(&[7; 600]).encode(|_| {
            left -= 1;
            if left < 0 { Err("the line is cut") } else { Ok(()) }
        });
        assert_eq!(sent, Err("the line is cut"));
        assert_eq!(left, -1); // nothing more was tried
    }
}

#[test]
fn counts_round_to_nearest() {
    let counter = Counter { unit: Unit::Instructions, numerator: 40, denominator: 128 };
    assert_eq!([0, 1, 2, 3, 4, 5, 6].map(|ticks| counter.count(ticks)), [0, 0, 1, 1, 1, 2, 2]);
    assert_eq!(counter.count(u32::MAX), 1_342_177_280);
    let zero = Counter { denominator: 0, ..counter };
    assert_eq!(zero.count(2), 80);
    assert_eq!(zero.count(u32::MAX), u32::MAX);
    // Every count is found again from the ticks of any phase, as the simulated boards have them.
    for (numerator, denominator, tick, step) in [(40, 128, 40.0, 128.0), (125, 256, 62.5, 128.0)] {
        let counter = Counter { unit: Unit::Instructions, numerator, denominator };
        for n in 0..2000u32 {
            for start in 0..500 {
                let ticks = |count: u32| (f64::from(count) * step / tick).floor() as u32;
                assert_eq!(counter.count(ticks(start + n) - ticks(start)), n);
            }
        }
    }
}
