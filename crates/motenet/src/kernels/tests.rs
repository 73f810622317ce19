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

fn same<const K: usize>(found: &[[f32; K]], expected: &[[f32; K]], what: &str, simd: Simd) {
    for (n, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
            let level = simd.name();
            assert_eq!(found.to_bits(), expected.to_bits(), "{what} at [{n}][{k}], {level}");
        }
    }
}

/// Batches that fill tiles, leave every remainder, and none.
const BATCHES: [usize; 10] = [0, 1, 2, 5, 6, 7, 16, 17, 64, 65];

fn check<const IN: usize, const OUT: usize>() {
    let w: Box<[[f32; OUT]; IN]> = rows::<OUT>(1, IN).try_into().unwrap();
    let bias = rows::<OUT>(2, 1)[0];
    for n in BATCHES {
        let (x, dy) = (rows::<IN>(3, n), rows::<OUT>(4, n));
        let (start_y, start_dx) = (rows::<OUT>(5, n), rows::<IN>(6, n));
        // A gradient never begins with −0, and no kernel leaves one.
        let start_dw: Vec<_> = rows::<OUT>(7, IN).iter().map(|row| row.map(|x| x + 0.0)).collect();
        for bias in [Some(&bias), None] {
            let mut expected = start_y.clone();
            naive::affine(&x, &w, bias, &mut expected);
            for simd in Simd::available() {
                let mut y = start_y.clone();
                affine(simd, &x, &w, bias, &mut y);
                same(&y, &expected, &format!("affine {n}×{IN}×{OUT}"), simd);
            }
        }
        let mut expected = start_dx.clone();
        naive::mul_transposed(&w, &dy, &mut expected);
        for simd in Simd::available() {
            let mut dx = start_dx.clone();
            mul_transposed(simd, &w, &dy, &mut dx);
            same(&dx, &expected, &format!("mul_transposed {n}×{IN}×{OUT}"), simd);
        }
        for first in [0, 1, IN / 2, IN] {
            let mut expected = start_dw[first..].to_vec();
            naive::add_outer(&x, &dy, first, &mut expected);
            for simd in Simd::available() {
                let mut dw = start_dw[first..].to_vec();
                add_outer(simd, &x, &dy, first, &mut dw);
                same(&dw, &expected, &format!("add_outer {n}×{IN}×{OUT}"), simd);
            }
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
// overrun a panel (1 to 130 outputs), and all heights that leave another remainder of rows.
shapes! {
    products_from_1 1 1 2 17 64;
    products_from_2 2 3 33;
    products_from_7 7 9 65;
    products_from_8 8 7 80;
    products_from_9 9 8 16;
    products_from_17 17 17 129;
    products_from_64 64 10;
    products_from_65 65 66;
    products_from_130 130 10 70;
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
