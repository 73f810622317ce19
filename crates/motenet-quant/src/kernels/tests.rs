//! What a chip's kernel does in its registers, done here: the decoding for any bytes and inputs, and all
//! arrangements of the weights; and the kernels of PCs.

use super::{decode, words};
use crate::kernels::events::{EVENTS, Event};
use crate::packing::{octets, pairs, quads};
use crate::{Requantize, naive};
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
fn all_hold<const IN: usize, const OUT: usize>() {
    let mut rng = random::generator(IN as u64);
    let rows = core::array::from_fn::<[i8; OUT], IN, _>(|_| {
        core::array::from_fn(|_| match random::below(&mut rng, 4) {
            0 => [-127, 127, -1, 0][random::below(&mut rng, 4) as usize],
            _ => (random::below(&mut rng, 255) as i32 - 127) as i8,
        })
    });
    let (mut a, mut b, mut c) = ([[0; OUT]; IN], [[0; OUT]; IN], [[0; OUT]; IN]);
    // Upwards in one, downwards in the other: the order does not matter.
    for n in 0..IN * OUT {
        let m = IN * OUT - 1 - n;
        octets::set_weight(&mut a, n / OUT, n % OUT, rows[n / OUT][n % OUT]);
        pairs::set_weight(&mut b, m / OUT, m % OUT, rows[m / OUT][m % OUT]);
        quads::set_weight(&mut c, m / OUT, m % OUT, rows[m / OUT][m % OUT]);
    }
    assert_eq!(octets::pack(&rows), a, "octets of {IN}×{OUT}");
    assert_eq!(pairs::pack(&rows), b, "pairs of {IN}×{OUT}");
    assert_eq!(quads::pack(&rows), c, "quads of {IN}×{OUT}");
    for (i, row) in rows.iter().enumerate() {
        for (o, &w) in row.iter().enumerate() {
            assert_eq!(octets::weight(&a, i, o), w, "octets of {IN}×{OUT}: {i}, {o}");
            assert_eq!(pairs::weight(&b, i, o), w, "pairs of {IN}×{OUT}: {i}, {o}");
            assert_eq!(quads::weight(&c, i, o), w, "quads of {IN}×{OUT}: {i}, {o}");
        }
    }
}

#[test]
fn weights_come_out_as_they_went_in() {
    all_hold::<1, 1>();
    all_hold::<1, 8>();
    all_hold::<2, 7>();
    all_hold::<3, 8>();
    all_hold::<7, 17>();
    all_hold::<8, 9>();
    all_hold::<9, 26>();
    all_hold::<16, 64>();
    all_hold::<17, 11>();
}

#[test]
fn the_least_byte_becomes_its_neighbour() {
    assert_eq!(octets::pack(&[[i8::MIN; 11]; 3]), octets::pack(&[[-127; 11]; 3]));
    assert_eq!(pairs::pack(&[[i8::MIN; 11]; 3]), pairs::pack(&[[-127; 11]; 3]));
    assert_eq!(quads::pack(&[[i8::MIN; 11]; 5]), quads::pack(&[[-127; 11]; 5]));
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

/// The picture in `packing::quads`, byte by byte.
#[test]
fn quads_by_hand() {
    let rows: [[i8; 2]; 6] = core::array::from_fn(|i| [1, -1].map(|sign| sign * (i as i8 + 1)));
    let expected = [1, 2, 3, 4, -1, -2, -3, -4, 5, -5, 6, -6];
    assert_eq!(quads::pack(&rows).as_flattened(), expected.map(|w: i8| w as u8));
}

/// A layer of any size: inputs, weights as rows, the bias and the exact sums.
struct Case {
    x: Vec<u8>,
    rows: Vec<Vec<i8>>,
    bias: Vec<i32>,
    expected: Vec<i32>,
}

const KINDS: u64 = 9;

fn case(inputs: usize, outputs: usize, kind: u64) -> Case {
    let mut rng = random::generator(1000 * inputs as u64 + outputs as u64);
    let mut below = |n| random::below(&mut rng, n);
    let mut x = Vec::new();
    for i in 0..inputs {
        x.push(match kind {
            0..=2 => 255,
            3 => 0,
            4 if below(5) > 0 => 0,
            // One of each four lit, in every place; then the last alone.
            5 if i % 4 != i / 4 % 4 => 0,
            6 if i + 1 < inputs => 0,
            _ => below(256) as u8,
        });
    }
    let mut weight = |i: usize, o: usize| match kind {
        0 => 127,
        1 => -127,
        2 => [-127, 127][(i + o) % 2],
        _ => (below(255) as i32 - 127) as i8,
    };
    let rows: Vec<Vec<i8>> =
        (0..inputs).map(|i| (0..outputs).map(|o| weight(i, o)).collect()).collect();
    let bias: Vec<i32> = (0..outputs).map(|_| below(1 << 20) as i32 - (1 << 19)).collect();
    let sum = |o: usize| {
        let products = rows.iter().zip(&x).map(|(row, &x)| i64::from(x) * i64::from(row[o]));
        (i64::from(bias[o]) + products.sum::<i64>()) as i32
    };
    let expected = (0..outputs).map(sum).collect();
    Case { x, rows, bias, expected }
}

/// Every size of a tail, of inputs and of outputs, and some that need more than one list.
fn sizes() -> impl Iterator<Item = (usize, usize)> {
    let small = (0..=9).flat_map(|inputs| (0..=17).map(move |outputs| (inputs, outputs)));
    let wide = (18..=68).chain([127, 128, 129, 200]).map(|outputs| (11, outputs));
    let long = [31, 32, 33, 63, 65, 127, 129, 254, 255, 256, 257, 258, 259, 260, 319, 321, 1023]
        .into_iter()
        .chain([2015, 2016, 2017, 2047, 2048, 2049, 2051, 2052, 2113, 4099])
        .flat_map(|inputs| [1, 3, 10, 23].map(|outputs| (inputs, outputs)));
    small.chain(wide).chain(long)
}

#[test]
fn the_portable_kernel_equals_its_twin() {
    for (inputs, outputs) in sizes().filter(|(inputs, _)| *inputs < 600) {
        for kind in 0..KINDS {
            let Case { x, rows, bias, expected } = case(inputs, outputs, kind);
            // As `packing::octets` says, in words for the alignment.
            let mut words = std::vec![0u32; (inputs * outputs).div_ceil(4)];
            for (i, row) in rows.iter().enumerate() {
                for (o, &w) in row.iter().enumerate() {
                    let whole = outputs / 8 * 8;
                    let at =
                        if o < whole { o / 8 * 8 * inputs + 8 * i + o % 8 } else { o * inputs + i };
                    words[at / 4] |= u32::from(w as u8 ^ 0x80) << (8 * (at % 4));
                }
            }
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            // SAFETY: the portable kernel reads bytes, at any address.
            let y = {
                let mut y = bias.clone();
                unsafe { super::octets::add_products(&bytes[..inputs * outputs], &x, &mut y) };
                y
            };
            assert_eq!(y, expected, "{inputs}×{outputs}, kind {kind}");
        }
    }
}

#[cfg(motenet_kernel = "x86")]
#[test]
fn quads_equal_their_twin_at_every_level() {
    for (number, (inputs, outputs)) in sizes().enumerate() {
        for kind in 0..KINDS {
            let Case { x, rows, bias, expected } = case(inputs, outputs, kind);
            // Weights and sums between others, at any address.
            let shift = (number + kind as usize) % 7;
            let mut bytes = std::vec![0x55; shift + inputs * outputs];
            for (i, row) in rows.iter().enumerate() {
                for (o, &w) in row.iter().enumerate() {
                    let whole = inputs / 4 * 4;
                    let at = if i < whole {
                        i / 4 * 4 * outputs + 4 * o + i % 4
                    } else {
                        i * outputs + o
                    };
                    bytes[shift + at] = w as u8;
                }
            }
            for simd in crate::tests::levels() {
                let mut y = [&[-1], &bias[..], &[77; 16]].concat();
                super::quads::add_products(simd, &bytes[shift..], &x, &mut y[1..=outputs]);
                assert_eq!(y[1..=outputs], expected, "{inputs}×{outputs}, {kind}, {simd:?}");
                assert_eq!((y[0], &y[outputs + 1..]), (-1, &[77; 16][..]), "{simd:?}");
            }
        }
    }
}

/// Bounds of partial sums hold for every byte, −128 too, which a layer never has.
#[cfg(motenet_kernel = "x86")]
#[test]
fn no_partial_sum_overflows() {
    for simd in crate::tests::levels() {
        for (byte, w) in [(0x80, -128), (0x7f, 127)] {
            let mut y = [5; 20];
            super::quads::add_products(simd, &[byte; 20 * 4000], &[255; 4000], &mut y);
            assert_eq!(y, [5 + 4000 * 255 * w; 20], "{simd:?}");
        }
    }
}

#[cfg(motenet_kernel = "x86")]
#[test]
fn lengths_that_do_not_fit_change_nothing() {
    let mut y = [1, 2];
    super::quads::add_products(motenet::Simd::detect(), &[1; 9], &[1; 5], &mut y);
    assert_eq!(y, [1, 2]);
}

#[test]
fn rows_are_requantized_at_every_level() {
    const OUT: usize = 83;
    let mut rng = random::generator(9);
    for _ in 0..200 {
        let mut below = |n| random::below(&mut rng, n);
        let rules = core::array::from_fn::<_, OUT, _>(|_| {
            loop {
                let (limit, multiplier) = (below(u32::MAX) >> below(32), below(1 << 16) as u16);
                let rule =
                    Requantize::from_parts(limit, multiplier, below(32) as u8, 1 + below(31) as u8);
                if let Some(rule) = rule {
                    return rule;
                }
            }
        });
        let sums = core::array::from_fn::<_, OUT, _>(|o| match below(8) {
            0 => [i32::MIN, i32::MAX, -1, 0][below(4) as usize],
            1 | 2 => (rules[o].parts().0 >> 1) as i32,
            _ => below(u32::MAX) as i32 >> below(32),
        });
        let expected: [u8; OUT] =
            core::array::from_fn(|o| naive::requantize(rules[o], i64::from(sums[o])));
        assert_eq!(core::array::from_fn(|o| rules[o].apply(sums[o])), expected);
        for simd in crate::tests::levels() {
            let mut y = [7; OUT];
            super::requantize(simd, &rules, &sums, &mut y);
            assert_eq!(y, expected, "{simd:?}");
        }
    }
}
