//! Every kernel at every level of this machine against its naive twin, bit for bit, odd sizes included.

use super::*;
use crate::random;
use std::boxed::Box;
use std::format;
use std::vec::Vec;

/// Numbers of many magnitudes, zeros of both signs and subnormals among them.
fn number(rng: &mut impl rand_core::Rng) -> f32 {
    match random::below(rng, 10) {
        0 => 0.0,
        1 => -0.0,
        2 => random::normal(rng) * 1e-41,
        3 => random::normal(rng) * 1e12,
        _ => random::normal(rng),
    }
}

fn rows<const K: usize>(seed: u64, n: usize) -> Vec<[f32; K]> {
    let mut rng = random::generator(seed);
    (0..n).map(|_| core::array::from_fn(|_| number(&mut rng))).collect()
}

/// Inputs of which `zeros` in ten are zero (of either sign), besides those that [`rows`] has.
fn inputs<const K: usize>(seed: u64, n: usize, zeros: u32) -> Vec<[f32; K]> {
    let mut rng = random::generator(seed + 100);
    let mut x = rows(seed, n);
    for x in x.as_flattened_mut() {
        *x *= if random::below(&mut rng, 10) < zeros { 0.0 } else { 1.0 };
    }
    x
}

/// Equal to the bit, except that a NaN is a NaN.
fn same<const K: usize>(found: &[[f32; K]], expected: &[[f32; K]], what: &str, simd: Simd) {
    for (n, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
            let level = simd.name();
            assert!(
                found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan(),
                "{what} at [{n}][{k}], {level}: {found:e}, not {expected:e}"
            );
        }
    }
}

/// Batches that fill tiles, pairs, masks and copies, leave every remainder, and none; then the other odd
/// numbers up to 33.
const BATCHES: [usize; 24] = [
    0, 1, 2, 3, 5, 6, 7, 15, 16, 17, 33, 64, 65, 130, //
    9, 11, 13, 19, 21, 23, 25, 27, 29, 31,
];

fn check<const IN: usize, const OUT: usize>() {
    let w: Box<[[f32; OUT]; IN]> = rows::<OUT>(1, IN).try_into().unwrap();
    let bias = rows::<OUT>(2, 1)[0];
    // The twins take their time.
    let batches = match IN {
        0..=33 => &BATCHES[..],
        34..=200 => &BATCHES[..14],
        _ => &[1, 17, 65],
    };
    for &n in batches {
        let (dy, start_dx) = (rows::<OUT>(4, n), rows::<IN>(6, n));
        let mut expected = start_dx.clone();
        naive::mul_transposed(&w, &dy, &mut expected);
        for simd in Simd::available() {
            let mut dx = start_dx.clone();
            mul_transposed(simd, &w, &dy, &mut dx);
            same(&dx, &expected, &format!("mul_transposed {n}×{IN}×{OUT}"), simd);
        }
        let mut dx = start_dx.clone();
        plain::mul_transposed_blocks(&w, &dy, &mut dx);
        same(&dx, &expected, &format!("mul_transposed_blocks {n}×{IN}×{OUT}"), Simd::baseline());
        for zeros in [0, 8, 10] {
            let x = inputs::<IN>(3, n, zeros);
            check_affine(&x, &w, Some(&bias));
            check_affine(&x, &w, None);
            for first in [0, 1, IN / 2, IN] {
                check_add_outer(&x, &dy, first);
            }
        }
    }
}

fn check_affine<const IN: usize, const OUT: usize>(
    x: &[[f32; IN]],
    w: &[[f32; OUT]; IN],
    bias: Option<&[f32; OUT]>,
) {
    let start = rows::<OUT>(5, x.len());
    let mut expected = start.clone();
    naive::affine(x, w, bias, &mut expected);
    for simd in Simd::available() {
        let mut y = start.clone();
        affine(simd, x, w, bias, &mut y);
        same(&y, &expected, &format!("affine {}×{IN}×{OUT}", x.len()), simd);
    }
    // What a chip with an FPU runs, which `affine` does here only where the baseline has multiply-adds.
    let mut y = start;
    y.fill(bias.map_or([0.0; OUT], |bias| bias.map(|b| b + 0.0)));
    plain::affine_blocks(x, w, &mut y);
    same(&y, &expected, &format!("affine_blocks {}×{IN}×{OUT}", x.len()), Simd::baseline());
}

fn check_add_outer<const IN: usize, const OUT: usize>(
    x: &[[f32; IN]],
    dy: &[[f32; OUT]],
    first: usize,
) {
    // A gradient never begins with −0, and no kernel leaves one.
    let start = rows::<OUT>(7, IN - first);
    let start: Vec<_> = start.iter().map(|row| row.map(|dw| dw + 0.0)).collect();
    let mut expected = start.clone();
    naive::add_outer(x, dy, first, &mut expected);
    for simd in Simd::available() {
        let mut dw = start.clone();
        add_outer(simd, x, dy, first, &mut dw);
        same(&dw, &expected, &format!("add_outer {}×{IN}×{OUT} from {first}", x.len()), simd);
    }
    let mut dw = start;
    plain::add_outer_blocks(x, dy, first, &mut dw);
    let what = format!("add_outer_blocks {}×{IN}×{OUT} from {first}", x.len());
    same(&dw, &expected, &what, Simd::baseline());
}

/// Bytes, and numbers for them of which the first is `zero`.
fn coded<const IN: usize>(n: usize, zeros: u32, zero: f32) -> (Vec<[u8; IN]>, [f32; 256]) {
    let mut rng = random::generator(30 + n as u64);
    let mut byte = || match random::below(&mut rng, 10) {
        k if k < zeros => 0,
        _ => random::below(&mut rng, 256) as u8,
    };
    let codes = (0..n).map(|_| core::array::from_fn(|_| byte())).collect();
    let mut values: [f32; 256] = rows::<256>(31, 1)[0];
    values[0] = zero;
    (codes, values)
}

/// The products of bytes against the twins of those of numbers.
fn check_coded<const IN: usize, const OUT: usize>(n: usize, zeros: u32, zero: f32, bad: f32) {
    let (codes, values) = coded::<IN>(n, zeros, zero);
    let x: Vec<[f32; IN]> = codes.iter().map(|row| row.map(|code| values[code as usize])).collect();
    let mut w: Box<[[f32; OUT]; IN]> = rows::<OUT>(32, IN).try_into().unwrap();
    let bias = rows::<OUT>(33, 1)[0];
    let mut dy = rows::<OUT>(34, n);
    if let Some(last) = dy.last_mut() {
        w[IN / 2][OUT / 2] *= bad;
        last[OUT - 1] *= bad;
    }
    let mut marks = std::vec![u64::MAX; n * words(IN)];
    let mut y_expected = rows::<OUT>(35, n);
    naive::affine(&x, &w, Some(&bias), &mut y_expected);
    for simd in Simd::available() {
        let rows_of_marks = marks.chunks_mut(words(IN).max(1));
        codes.iter().zip(rows_of_marks).for_each(|(codes, marks)| mark(simd, codes, marks));
        for (codes, marks) in codes.iter().zip(marks.chunks(words(IN).max(1))) {
            let is_set = |k: usize| marks[k / 64] >> (k % 64) & 1 == 1;
            assert!((0..64 * words(IN)).all(|k| is_set(k) == codes.get(k).is_some_and(|&c| c > 0)));
        }
        let x_coded = Coded { codes: codes.as_flattened(), values: &values, marks: &marks };
        let what = format!("{n}×{IN}×{OUT}, {zeros} of 10 codes 0 for {zero}");
        let mut y = rows::<OUT>(36, n);
        affine_coded(simd, x_coded, &w, Some(&bias), &mut y);
        same(&y, &y_expected, &format!("affine_coded {what}"), simd);
        for first in [0, 1, IN / 2] {
            let start = rows::<OUT>(37, IN - first);
            let mut dw: Vec<_> = start.iter().map(|row| row.map(|dw| dw + 0.0)).collect();
            let mut expected = dw.clone();
            naive::add_outer(&x, &dy, first, &mut expected);
            add_outer_coded::<IN, OUT>(simd, x_coded, &dy, first, &mut dw);
            same(&dw, &expected, &format!("add_outer_coded {what} from {first}"), simd);
        }
    }
}

fn check_coded_batches<const IN: usize, const OUT: usize>() {
    for n in BATCHES.into_iter().filter(|&n| n < 34 || IN < 100) {
        for zeros in [0, 8, 10] {
            check_coded::<IN, OUT>(n, zeros, 0.0, 1.0);
        }
        check_coded::<IN, OUT>(n, 8, -0.0, f32::INFINITY);
        check_coded::<IN, OUT>(n, 8, 0.5, 1.0);
        check_coded::<IN, OUT>(n, 8, f32::NAN, f32::NAN);
    }
}

#[test]
fn products_of_bytes() {
    check_coded_batches::<1, 32>();
    check_coded_batches::<7, 64>();
    check_coded_batches::<33, 5>();
    check_coded_batches::<63, 33>();
    check_coded_batches::<64, 32>();
    check_coded_batches::<64, 64>();
    check_coded_batches::<65, 65>();
    check_coded_batches::<145, 32>();
    check_coded_batches::<145, 128>();
}

/// A run of rows may begin and end anywhere in a word of marks.
#[test]
fn gradients_of_bytes_from_any_row_on() {
    const IN: usize = 140;
    let (codes, values) = coded::<IN>(9, 8, 0.0);
    let x: Vec<[f32; IN]> = codes.iter().map(|row| row.map(|code| values[code as usize])).collect();
    let simd = Simd::detect();
    let mut marks = std::vec![0; 9 * words(IN)];
    let rows_of_marks = marks.chunks_mut(words(IN));
    codes.iter().zip(rows_of_marks).for_each(|(codes, marks)| mark(simd, codes, marks));
    let x_coded = Coded { codes: codes.as_flattened(), values: &values, marks: &marks };
    let dy = rows::<64>(38, 9);
    for first in 0..IN {
        for len in [1, 2, 5, 63, 64, 65] {
            let mut dw = std::vec![[0.0; 64]; len.min(IN - first)];
            let mut expected = dw.clone();
            naive::add_outer(&x, &dy, first, &mut expected);
            add_outer_coded::<IN, 64>(simd, x_coded, &dy, first, &mut dw);
            same(&dw, &expected, &format!("{len} rows from {first}"), simd);
            let mut dw = std::vec![[0.0; 64]; len.min(IN - first)];
            add_outer(simd, &x, &dy, first, &mut dw);
            same(&dw, &expected, &format!("{len} rows of numbers from {first}"), simd);
        }
    }
}

macro_rules! shapes {
    ($($name:ident $in:literal $($out:literal)*;)*) => {$(
        #[test]
        fn $name() {
            $(check::<$in, $out>();)*
        }
    )*};
}
// Few pairs, because each compiles three products for every level: all widths that fill, miss or
// overrun a panel (1 to 129 outputs), all heights that leave another remainder of rows or inputs, and
// every odd number up to 33 once as each.
shapes! {
    products_from_1 1 1 2 17 33 64;
    products_from_2 2 3 33;
    products_from_3 3 31;
    products_from_5 5 29;
    products_from_7 7 9 27 65;
    products_from_8 8 7 80;
    products_from_9 9 8 16 25;
    products_from_11 11 23;
    products_from_13 13 21;
    products_from_15 15 19;
    products_from_17 17 17 129;
    products_from_19 19 15;
    products_from_21 21 13;
    products_from_23 23 11;
    products_from_25 25 9;
    products_from_27 27 7;
    products_from_29 29 5;
    products_from_31 31 3 64;
    products_from_33 33 1;
    products_from_50 50 55;
    products_from_64 64 10 64;
    products_from_65 65 66;
    products_from_130 130 10 70;
    products_from_257 257 128;
    products_from_600 600 64;
}

/// A term whose `x` is zero is left out, whatever stands on the other side; the others are not.
#[test]
fn zeros_meet_infinities() {
    const IN: usize = 40;
    const OUT: usize = 70;
    for zeros in [1, 8] {
        for n in [1, 2, 7, 64, 65] {
            for bad in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
                let x = inputs::<IN>(11, n, zeros);
                let mut w: Box<[[f32; OUT]; IN]> = rows::<OUT>(12, IN).try_into().unwrap();
                for (i, o) in [(0, 0), (7, 3), (8, 63), (9, 64), (39, 69)] {
                    w[i][o] = bad;
                }
                check_affine(&x, &w, None);
                let mut dy = rows::<OUT>(13, n);
                dy[n / 2][5] = bad;
                dy[n - 1][66] = bad;
                for first in [0, 3] {
                    check_add_outer(&x, &dy, first);
                }
                // NaN among the inputs is not zero.
                let mut x = x;
                x[n / 3][8] = bad;
                check_affine(&x, &w, None);
                check_add_outer(&x, &rows::<OUT>(14, n), 0);
            }
        }
    }
}

/// The sign of a zero does not tell which terms were computed and which were left out.
#[test]
fn zeros_come_out_positive() {
    for (x, w) in [(0.0, 1.0), (-0.0, 1.0), (0.0, -1.0), (1e-30, -1e-30), (1.0, -0.0), (2.0, 0.0)] {
        for n in [1, 16, 64] {
            // The first term makes a zero, some of another sign follow.
            let mut inputs = std::vec![[0.0; 20]; n];
            inputs.iter_mut().for_each(|row| row[0] = x);
            let (zero, w) = ([-0.0; 65], [[w; 65]; 20]);
            check_affine(&inputs, &w, Some(&zero));
            for simd in Simd::available() {
                let (mut y, mut dw) = (std::vec![[9.0; 65]; n], std::vec![[0.0; 65]; 20]);
                affine(simd, &inputs, &w, Some(&zero), &mut y);
                add_outer(simd, &inputs, &std::vec![w[0]; n], 0, &mut dw);
                for row in [y, dw] {
                    assert!(row.as_flattened().iter().all(|y| y.to_bits() == 0), "{}", simd.name());
                }
            }
        }
    }
}

/// What a panel is copied for: rows that begin between two cache lines, or just on one.
#[test]
fn where_the_weights_lie_changes_nothing() {
    let x = inputs::<200>(21, 33, 8);
    let mut room = std::vec![0.0; 200 * 64 + 16];
    for shift in [0, 1, 4, 15] {
        let (w, _) = room[shift..].as_chunks_mut::<64>();
        let w = w.first_chunk_mut::<200>().unwrap();
        w.copy_from_slice(&rows::<64>(22, 200));
        check_affine(&x, w, None);
    }
}

#[test]
fn squares_are_summed_in_sixteen_chains() {
    for n in [0, 1, 15, 16, 17, 31, 33, 1000] {
        let x: Vec<f32> = rows::<1>(8, n).as_flattened().to_vec();
        for simd in Simd::available() {
            let (sum, expected) = (sum_squares(simd, &x), naive::sum_squares(&x));
            assert_eq!(sum.to_bits(), expected.to_bits(), "{n} values, {}", simd.name());
        }
    }
}

/// Against its twin, and, what the twin does not know, against the optimizer whose step it is.
#[test]
fn descent_is_a_step_of_sgd_and_a_clear_gradient() {
    use crate::{Optimizer, Sgd, Step};
    for n in [0, 1, 7, 8, 9, 17, 1000] {
        for (rate, decay) in [(0.1, 0.0), (0.1, 1e-3), (0.0, 0.0), (0.0, 1.0), (1e-30, 0.0)] {
            let (w, g): (Vec<f32>, Vec<f32>) =
                rows::<2>(9, n).iter().map(|&[w, g]| (w, g + 0.0)).unzip();
            let (mut expected, mut clear) = (w.clone(), g.clone());
            naive::descend(rate, decay, &mut expected, &mut clear);
            let mut stepped = w.clone();
            let rule = Sgd { weight_decay: decay, ..Sgd::default() };
            let step = Step { number: 1, learning_rate: rate };
            rule.update(Simd::baseline(), step, &mut stepped, &g, &mut [], &mut []);
            for simd in Simd::available() {
                let (mut w, mut g) = (w.clone(), g.clone());
                descend(simd, rate, decay, &mut w, &mut g);
                for expected in [&expected, &stepped] {
                    same(w.as_chunks::<1>().0, expected.as_chunks::<1>().0, "descend", simd);
                }
                same(g.as_chunks::<1>().0, clear.as_chunks::<1>().0, "the gradient", simd);
                assert!(g.iter().all(|g| g.to_bits() == 0));
            }
        }
    }
}

/// Without decay a gradient of +0 moves no weight, whatever it is.
#[test]
fn descent_leaves_alone_what_has_no_gradient() {
    let w = [1.0, -0.0, 0.0, f32::INFINITY, f32::MIN_POSITIVE / 2.0, -3e38, 1e-45, 7.0, -1.0];
    for simd in Simd::available() {
        for rate in [0.0, 0.1, f32::MAX] {
            let mut found = w;
            descend(simd, rate, 0.0, &mut found, &mut [0.0; 9]);
            same(&[found], &[w], "descend", simd);
        }
    }
}

#[test]
fn every_byte_is_scaled_alike() {
    let bytes: Vec<u8> = (0..=255).chain(0..77).collect();
    for n in [0, 1, 15, 16, 17, 64, 333] {
        let mut expected = [9.0; 300];
        naive::scale_bytes(&bytes[..n], 1.0 / 255.0, &mut expected);
        for simd in Simd::available() {
            let mut x = [9.0; 300];
            scale_bytes(simd, &bytes[..n], 1.0 / 255.0, &mut x);
            same(&[x], &[expected], "scale_bytes", simd);
        }
    }
}

#[test]
fn short_slices_set_the_number_of_samples() {
    let w = [[1.0; 3]; 2];
    for simd in Simd::available() {
        let mut y = [[9.0; 3]; 4];
        affine(simd, &[[1.0; 2]; 2], &w, None, &mut y);
        assert_eq!(y, [[2.0; 3], [2.0; 3], [9.0; 3], [9.0; 3]]);
        let mut y = [[9.0; 3]; 1];
        affine(simd, &[[1.0; 2]; 2], &w, None, &mut y);
        assert_eq!(y, [[2.0; 3]]);
        let mut dw = [[0.0; 3]; 4];
        add_outer(simd, &[[1.0; 2]; 2], &[[1.0; 3]; 1], 1, &mut dw);
        assert_eq!(dw, [[1.0; 3], [0.0; 3], [0.0; 3], [0.0; 3]], "rows past the layer's stay");
        let mut dx = [[9.0; 2]; 3];
        mul_transposed(simd, &w, &[[1.0; 3]; 2], &mut dx);
        assert_eq!(dx, [[3.0; 2], [3.0; 2], [9.0; 2]]);
    }
}
