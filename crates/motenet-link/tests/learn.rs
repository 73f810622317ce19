//! The language of a chip that learns: what goes in comes out, to the last bit, and whatever else arrives is a fault.

use motenet_link::{
    Cost, Counter, Decoder, Fault, FaultCode, Frame, LearnInfo, LearnReply, LearnRequest, Opinion,
    PROTOCOL, Parameters, Reply, Request, Unit,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn request(request: LearnRequest<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    let sent: Result<(), ()> = request.encode(|bytes| {
        line.extend_from_slice(bytes);
        Ok(())
    });
    sent.unwrap();
    line
}

fn reply(reply: LearnReply<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    let sent: Result<(), ()> = reply.encode(|bytes| {
        line.extend_from_slice(bytes);
        Ok(())
    });
    sent.unwrap();
    line
}

/// The kind and the payload of the one frame on a line.
fn inside(line: &[u8], room: usize) -> (u8, Vec<u8>) {
    let mut decoder = Decoder::new(vec![0; Decoder::<()>::buffer_bytes(room)]);
    let mut frames: Vec<_> = line
        .iter()
        .filter_map(|&byte| decoder.push(byte).map(|f| f.map(|f| (f.kind, f.payload.to_vec()))))
        .collect();
    assert_eq!(frames.len(), 1);
    frames.remove(0).unwrap()
}

fn back(sent: LearnRequest<'_>, room: usize) {
    let (kind, payload) = inside(&request(sent), room);
    assert_eq!(LearnRequest::decode(Frame { kind, payload: &payload }), Ok(sent));
    // The other language does not know it.
    let other = Request::decode(Frame { kind, payload: &payload });
    assert_eq!(other.unwrap_err().code, FaultCode::Kind);
}

proptest! {
    #[test]
    fn requests_come_out_as_they_went_in(
        seed in any::<u64>(),
        (share, rate) in (-1e9f32..1e9, -1e9f32..1e9),
        (label, count) in any::<(u32, u32)>(),
        input in vec(any::<u8>(), 0..800),
        bits in vec(any::<u32>(), 0..197),
    ) {
        let numbers: Vec<f32> = bits.iter().map(|&bits| f32::from_bits(bits)).collect();
        let room = LearnRequest::payload_max(784) + 16;
        back(LearnRequest::Init { seed }, room);
        for bare in [LearnRequest::Save, LearnRequest::Load, LearnRequest::Restart] {
            back(bare, room);
        }
        back(LearnRequest::Learn { share, label, input: &input }, room);
        back(LearnRequest::Step { learning_rate: rate, weight_decay: share }, room);
        back(LearnRequest::Evaluate { label, input: &input }, room);
        back(LearnRequest::Read { first: label, count }, room);
        back(LearnRequest::Write(Parameters::new(label, &numbers)), room);
    }

    #[test]
    fn replies_come_out_as_they_went_in(
        (class, number, steps) in any::<(u32, u32, u32)>(),
        (count, stack_bytes, stack_bytes_max) in any::<(u32, u32, u32)>(),
        loss in -1e9f32..1e9,
        sha256 in any::<[u8; 32]>(),
        bits in vec(any::<u32>(), 0..300),
    ) {
        let numbers: Vec<f32> = bits.iter().map(|&bits| f32::from_bits(bits)).collect();
        let cost = Cost { count, stack_bytes, stack_bytes_max };
        let logits = Parameters::new(0, &numbers);
        for sent in [
            LearnReply::Done,
            LearnReply::Opinion(Opinion { class, loss, cost, logits }),
            LearnReply::Stepped { number, cost },
            LearnReply::Parameters(Parameters::new(number, &numbers)),
            LearnReply::Hash { steps, sha256 },
            LearnReply::Fault(Fault { code: FaultCode::Content, found: class, expected: number }),
        ] {
            let (kind, payload) = inside(&reply(sent), 1300);
            prop_assert_eq!(LearnReply::decode(Frame { kind, payload: &payload }), Ok(sent));
        }
    }

    #[test]
    fn anything_decodes_or_is_a_fault(kind in any::<u8>(), payload in vec(any::<u8>(), 0..120)) {
        let frame = Frame { kind, payload: &payload };
        let _ = (LearnRequest::decode(frame), LearnReply::decode(frame));
    }
}

#[test]
fn the_bytes_are_those_of_the_table() {
    let cases: [(LearnRequest<'_>, u8, &[u8]); 9] = [
        (LearnRequest::Info, 0x11, &[]),
        (LearnRequest::Init { seed: 0x0102 }, 0x12, &[2, 1, 0, 0, 0, 0, 0, 0]),
        (
            LearnRequest::Learn { share: 1.0, label: 7, input: &[9, 8] },
            0x13,
            &[0, 0, 128, 63, 7, 0, 0, 0, 9, 8],
        ),
        (LearnRequest::Evaluate { label: 3, input: &[5] }, 0x15, &[3, 0, 0, 0, 5]),
        (LearnRequest::Write(Parameters::new(6, &[-2.0])), 0x17, &[6, 0, 0, 0, 0, 0, 0, 192]),
        (LearnRequest::Hash, 0x18, &[]),
        (LearnRequest::Save, 0x19, &[]),
        (LearnRequest::Load, 0x1a, &[]),
        (LearnRequest::Restart, 0x1b, &[]),
    ];
    for (sent, kind, payload) in cases {
        assert_eq!(inside(&request(sent), 64), (kind, payload.to_vec()));
    }
    assert_eq!(LearnRequest::payload_max(784), 4 + 4 + 784);
    assert_eq!(4 + 4 * LearnRequest::write_max(784), LearnRequest::payload_max(784));
}

#[test]
fn info_comes_out_as_it_went_in_and_is_not_the_other_one() {
    let info = LearnInfo {
        protocol: PROTOCOL,
        counter: Counter { unit: Unit::Instructions, numerator: 40, denominator: 128 },
        inputs: 784,
        outputs: 10,
        parameters: 12_730,
        ram_bytes: 105_336,
        static_bytes: 5,
        stack_size: 6,
        model_hash: core::array::from_fn(|k| k as u8),
        firmware: "0.1.0",
        board: "mps2-an386",
        task: "network",
    };
    let (kind, payload) = inside(&reply(LearnReply::Info(info)), 200);
    let frame = Frame { kind, payload: &payload };
    assert_eq!(LearnReply::decode(frame), Ok(LearnReply::Info(info)));
    assert_eq!(Reply::decode(frame).unwrap_err().code, FaultCode::Kind);
    // A byte more or less anywhere at the end is seen.
    for len in 0..payload.len() {
        let short = LearnReply::decode(Frame { kind, payload: &payload[..len] });
        assert_eq!(short.unwrap_err().code, FaultCode::Length, "{len}");
    }
    let long: Vec<u8> = payload.iter().copied().chain([0]).collect();
    assert_eq!(
        LearnReply::decode(Frame { kind, payload: &long }),
        Err(Fault::length(long.len(), payload.len()))
    );
}

#[test]
fn what_is_wrong_is_named() {
    let decode = |kind, payload: &[u8]| LearnRequest::decode(Frame { kind, payload }).unwrap_err();
    let kind = |found| Fault { code: FaultCode::Kind, found, expected: 0x1b };
    assert_eq!((decode(2, &[]), decode(0x1c, &[])), (kind(2), kind(0x1c)));
    assert_eq!(decode(0x19, &[1]), Fault::length(1, 0));
    assert_eq!(decode(0x11, &[1]), Fault::length(1, 0));
    assert_eq!(decode(0x12, &[0; 7]), Fault::length(7, 8));
    assert_eq!(decode(0x13, &[0; 7]), Fault::length(7, 8));
    assert_eq!(decode(0x14, &[0; 9]), Fault::length(9, 8));
    // Half a number.
    assert_eq!(decode(0x17, &[0; 10]), Fault::length(10, 8));
    let opinion = LearnReply::decode(Frame { kind: 0x93, payload: &[0; 23] });
    assert_eq!(opinion, Err(Fault::length(23, 20)));
    for (found, words) in [(0, "no flash"), (1, "nothing saved"), (2, "the flash failed")] {
        let fault = Fault { code: FaultCode::Store, found, expected: 0 };
        let line = reply(LearnReply::Fault(fault));
        let (kind, payload) = inside(&line, 64);
        let heard = LearnReply::decode(Frame { kind, payload: &payload });
        assert_eq!(heard, Ok(LearnReply::Fault(fault)));
        assert!(fault.to_string().contains(words), "{fault}");
    }
}
