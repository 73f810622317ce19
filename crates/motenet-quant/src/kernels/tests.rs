//! What a chip's kernel does in its registers, done here: the decoding for any bytes and inputs, and both
//! arrangements of the weights.

use super::{decode, words};
use crate::kernels::events::{EVENTS, Event};
use crate::packing::{octets, pairs};
use motenet::random;
use std::prelude::v1::*;

/// Bytes and inputs of one kind, as many as a list holds and twice as many.
fn numbers(seed: u64) -> impl Iterator<Item = (u32, [u8; 4])> {
    let mut rng = random::generator(seed);
    let mut below = move |n| random::below(&mut rng, n);
    let len = [1, 7, EVENTS, 2 * EVENTS][seed as usize % 4];
    (0..len).map(move |_| {
        let x = if seed.is_multiple_of(3) { 255 } else { below(256) };
        let bytes = core::array::from_fn(|k| match seed % 5 {
            0 => 255,
            1 => 0,
            2 => [0, 255, 0, 255][k],
            3 => [255, 0, 255, 0][k],
            _ => below(256) as u8,
        });
        (x, bytes)
    })
}

#[test]
fn four_sums_come_out_of_three() {
    for seed in 0..600 {
        let mut expected = [0; 4];
        let (mut whole, mut middle, mut upper, mut swapped) = (0u32, 0u32, 0u32, 0u32);
        for (x, bytes) in numbers(seed) {
            for (expected, u) in expected.iter_mut().zip(bytes) {
                *expected += x * u32::from(u);
            }
            let word = u32::from_le_bytes(bytes);
            let [a, b, c, d] = bytes;
            whole = whole.wrapping_add(word.wrapping_mul(x));
            middle = middle.wrapping_add((word << 8 >> 16) * x);
            upper = upper.wrapping_add((word >> 16).wrapping_mul(x));
            swapped = swapped.wrapping_add(u32::from_le_bytes([b, a, d, c]).wrapping_mul(x));
        }
        let first = whole.wrapping_sub(upper << 16);
        assert_eq!(decode::unsigned([first, middle, upper]), expected, "seed {seed}");
        assert_eq!(decode::swapped([whole, swapped, upper]), expected, "seed {seed}");
    }
}

/// The lanes P, Q and the one between them, as `SMLAD` sees them.
#[test]
fn four_signed_sums_come_out_of_three() {
    for seed in 0..600 {
        let mut expected = [0; 4];
        let (mut a, mut b, mut c) = (0i32, 0i32, 0i32);
        for (x, bytes) in numbers(seed) {
            let x = x as i32;
            let [u0, w1, w2, h3] = bytes;
            let (u0, w1, w2) = (i32::from(u0), i32::from(w1 as i8), i32::from(w2 as i8));
            let q = i32::from(i16::from_le_bytes([bytes[2], h3]));
            for (expected, w) in expected.iter_mut().zip([u0, w1, w2, (q - w2) >> 8]) {
                *expected += x * w;
            }
            a = a.wrapping_add((256 * w1 + u0) * x);
            b = b.wrapping_add((256 * w2 + w1) * x);
            c = c.wrapping_add(q * x);
        }
        assert_eq!(decode::signed([a, b, c]), expected, "seed {seed}");
    }
}

/// Every weight has a place of its own, and comes out as it went in.
fn both_hold<const IN: usize, const OUT: usize>() {
    let mut rng = random::generator(IN as u64);
    let rows = core::array::from_fn::<[i8; OUT], IN, _>(|_| {
        core::array::from_fn(|_| match random::below(&mut rng, 4) {
            0 => [-127, 127, -1, 0][random::below(&mut rng, 4) as usize],
            _ => (random::below(&mut rng, 255) as i32 - 127) as i8,
        })
    });
    let (mut a, mut b) = ([[0; OUT]; IN], [[0; OUT]; IN]);
    // Upwards in one, downwards in the other: the order does not matter.
    for n in 0..IN * OUT {
        let m = IN * OUT - 1 - n;
        octets::set_weight(&mut a, n / OUT, n % OUT, rows[n / OUT][n % OUT]);
        pairs::set_weight(&mut b, m / OUT, m % OUT, rows[m / OUT][m % OUT]);
    }
    assert_eq!(octets::pack(&rows), a, "octets of {IN}×{OUT}");
    assert_eq!(pairs::pack(&rows), b, "pairs of {IN}×{OUT}");
    for (i, row) in rows.iter().enumerate() {
        for (o, &w) in row.iter().enumerate() {
            assert_eq!(octets::weight(&a, i, o), w, "octets of {IN}×{OUT}: {i}, {o}");
            assert_eq!(pairs::weight(&b, i, o), w, "pairs of {IN}×{OUT}: {i}, {o}");
        }
    }
}

#[test]
fn weights_come_out_as_they_went_in() {
    both_hold::<1, 1>();
    both_hold::<1, 8>();
    both_hold::<2, 7>();
    both_hold::<3, 8>();
    both_hold::<7, 17>();
    both_hold::<8, 9>();
    both_hold::<9, 26>();
    both_hold::<16, 64>();
    both_hold::<17, 11>();
}

#[test]
fn the_least_byte_becomes_its_neighbour() {
    assert_eq!(octets::pack(&[[i8::MIN; 11]; 3]), octets::pack(&[[-127; 11]; 3]));
    assert_eq!(pairs::pack(&[[i8::MIN; 11]; 3]), pairs::pack(&[[-127; 11]; 3]));
}

/// The picture in `packing::pairs`, byte by byte.
#[test]
fn pairs_by_hand() {
    let mut bytes = [[0; 11]; 3];
    for i in 0..3 {
        for o in 0..11 {
            pairs::set_weight(&mut bytes, i, o, (100 * (i % 2) + o) as i8 - 50);
        }
    }
    let w = |i: usize, o: usize| (100 * (i % 2) + o) as i8 - 50;
    let p = |i, o| [w(i, o) as u8 ^ 0x80, w(i, o + 1) as u8];
    let q = |i, o| (256 * i16::from(w(i, o + 1)) + i16::from(w(i, o))).to_le_bytes();
    let expected = [
        [p(0, 0), p(1, 0), q(0, 2), q(1, 2), p(0, 4), p(1, 4), q(0, 6), q(1, 6)].as_flattened(),
        [p(2, 0), q(2, 2), p(2, 4), q(2, 6)].as_flattened(),
        [q(0, 8), q(1, 8), q(2, 8)].as_flattened(),
        &[0, 1, 2].map(|i| w(i, 10) as u8),
    ]
    .concat();
    assert_eq!(bytes.as_flattened(), expected);
}

/// The kernel of RISC-V is plain Rust, so it runs here too.
#[test]
fn words_are_sums_of_bytes() {
    #[repr(align(4))]
    struct Blocks([u8; 4 * 8 * 9]);
    let mut rng = random::generator(3);
    let blocks = Blocks(core::array::from_fn(|_| random::below(&mut rng, 256) as u8));
    let events: [Event; 12] = core::array::from_fn(|_| Event {
        offset: 8 * random::below(&mut rng, 9),
        x: random::below(&mut rng, 256),
    });
    // SAFETY: nine inputs have eight bytes each in all four blocks.
    let sums = unsafe { words::sums::<4>(&events, &blocks.0, 9) };
    for (b, sums) in sums.iter().enumerate() {
        for (k, &sum) in sums.iter().enumerate() {
            let byte = |event: &Event| blocks.0[72 * b + event.offset as usize + k];
            let twin: u32 = events.iter().map(|event| event.x * u32::from(byte(event))).sum();
            assert_eq!(sum, twin);
        }
    }
}
