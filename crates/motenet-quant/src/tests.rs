//! Layers against their twins in 64-bit integers, edges of saturation and odd sizes included.

use crate::{QDense, QDenseRelu, Requantize, argmax, naive, selftest};
use motenet::{Acts, Layer, Pass, Simd, Zero, random};
use proptest::prelude::*;

/// Every level that this CPU has, without and with `VPDPBUSD`.
pub(crate) fn levels() -> impl Iterator<Item = Simd> {
    #[cfg(target_arch = "x86_64")]
    return Simd::available().flat_map(|simd| [simd.without_vnni(), simd]);
    #[cfg(not(target_arch = "x86_64"))]
    return Simd::available();
}

/// Weights and inputs of one kind: random, all at an end, or mostly zero.
fn fill<const IN: usize, const OUT: usize>(seed: u64) -> (QDenseRelu<IN, OUT>, [u8; IN]) {
    let mut rng = random::generator(seed);
    let mut below = |n| random::below(&mut rng, n);
    let mut layer = QDenseRelu::ZERO;
    for i in 0..IN {
        for o in 0..OUT {
            let w = match seed % 4 {
                0 => 127,
                1 => -127,
                _ => (below(255) as i32 - 127) as i8,
            };
            layer.dense.set_weight(i, o, w);
        }
    }
    for (bias, rule) in layer.dense.bias.iter_mut().zip(&mut layer.requantize) {
        *bias = below(1 << 16) as i32 - (1 << 15);
        *rule = Requantize::new(f64::from(below(1000) + 1) * 1e-5).unwrap();
    }
    let x = core::array::from_fn(|_| match seed % 3 {
        0 => 255,
        1 if below(5) > 0 => 0,
        _ => below(256) as u8,
    });
    (layer, x)
}

fn check<const IN: usize, const OUT: usize>() {
    for (simd, seed) in levels().flat_map(|simd| (0..12).map(move |seed| (simd, seed))) {
        let (layer, x) = fill::<IN, OUT>(seed);
        let pass = Pass::infer(simd);
        let what = std::format!("{IN}×{OUT}, seed {seed}, {simd:?}");
        let mut acts = [[0; OUT]; 1];
        layer.forward(pass, &[x], &mut acts);
        assert_eq!(acts.output()[0], naive::dense_relu(&layer, &x), "{what}");
        let mut logits = [[0; OUT]; 1];
        layer.dense.forward(pass, &[x], &mut logits);
        assert_eq!(logits.output()[0].map(i64::from), naive::dense(&layer.dense, &x), "{what}");
    }
}

#[test]
fn layers_equal_their_twins() {
    check::<1, 1>();
    check::<1, 17>();
    check::<7, 8>();
    check::<8, 7>();
    check::<9, 9>();
    check::<17, 1>();
    check::<64, 10>();
    check::<784, 64>();
    check::<1000, 3>();
    check::<30, 131>();
}

#[test]
fn the_largest_layer_fits_32_bits() {
    static LARGE: QDense<32_768, 1> = QDense::new(&[[127]; 32_768], [1 << 30]);
    let expected = naive::dense(&LARGE, &[255; 32_768]);
    for simd in levels() {
        let mut y = [[0]];
        LARGE.forward(Pass::infer(simd), &[[255; 32_768]], &mut y);
        assert_eq!(y[0].map(i64::from), expected, "{simd:?}");
    }
}

/// A layer that a person can follow: more than one block, and some outputs left over.
#[test]
fn sums_by_hand() {
    let rows: [[i8; 11]; 3] =
        core::array::from_fn(|i| core::array::from_fn(|o| (10 * i + o) as i8));
    let layer = QDense::new(&rows, [1000; 11]);
    let mut y = [0; 11];
    layer.sums(&[1, 0, 2], &mut y);
    assert_eq!(y, core::array::from_fn(|o| 1000 + o as i32 + 2 * (20 + o as i32)));
}

#[test]
fn the_chip_test_passes_here() {
    for simd in levels() {
        let mut differences = 0;
        let cases = selftest::run_at(simd, &mut |_, same| differences += u32::from(!same));
        assert!(cases > 600, "{cases}");
        assert_eq!(differences, 0, "{simd:?}");
    }
}

/// A batch is its samples one by one.
#[test]
fn a_batch_is_its_samples() {
    let (layer, _) = fill::<37, 21>(5);
    let x: [_; 5] = core::array::from_fn(|n| fill::<37, 21>(n as u64).1);
    for simd in levels() {
        let mut acts = [[0; 21]; 5];
        layer.forward(Pass::infer(simd), &x, &mut acts);
        assert_eq!(acts, x.map(|x| naive::dense_relu(&layer, &x)));
    }
}

#[test]
#[should_panic(expected = "no such weight")]
fn a_weight_beyond_the_layer_panics() {
    QDense::<2, 3>::ZERO.weight(0, 3); // inside of the array, but the next input's
}

#[test]
fn the_least_byte_is_no_weight() {
    let mut layer = QDense::new(&[[i8::MIN]], [0]);
    assert_eq!(layer.weight(0, 0), -127);
    layer.set_weight(0, 0, i8::MIN);
    assert_eq!(layer.weight(0, 0), -127);
}

#[test]
fn requantizing_by_hand() {
    let half = Requantize::new(0.5).unwrap();
    let cases = [(-5, 0), (0, 0), (1, 1), (2, 1), (3, 2), (509, 255), (510, 255), (i32::MAX, 255)];
    for (sum, expected) in cases {
        assert_eq!(half.apply(sum), expected, "{sum}"); // halves round up
    }
    assert_eq!(half.apply(i32::MIN), 0);
    assert_eq!(Requantize::ZERO.apply(i32::MAX), 0);
}

#[test]
fn factors_out_of_range_are_refused() {
    for factor in [0.0, -1.0, 1e-8, 129.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Requantize::new(factor), None, "{factor}");
    }
    assert!(Requantize::from_parts(u32::MAX, u16::MAX, 0, 5).is_none());
    assert!(Requantize::from_parts(1, 1, 0, 0).is_none());
    assert!(Requantize::from_parts(1, 1, 32, 1).is_none());
}

proptest! {
    /// Equal to the twin, close to the real product, and never falling as the sum grows.
    #[test]
    fn requantizing_is_rounding(exponent in -22.9f64..7.0, sum in 0..(1i32 << 25), step in 0..999i32) {
        let factor = exponent.exp2();
        let rule = Requantize::new(factor).unwrap();
        let y = rule.apply(sum);
        prop_assert_eq!(y, naive::requantize(rule, i64::from(sum)));
        prop_assert!(rule.apply(sum + step) >= y);
        let exact = f64::from(sum) * factor;
        let error = (f64::from(y) - exact.min(255.0)).abs();
        prop_assert!(error <= 0.5 + 1.0 / 128.0, "{} · {} = {}, found {}", sum, factor, exact, y);
        let (limit, multiplier, drop, shift) = rule.parts();
        prop_assert_eq!(Requantize::from_parts(limit, multiplier, drop, shift), Some(rule));
    }

    #[test]
    fn the_largest_is_the_largest(row in proptest::collection::vec(-2..3i32, 1..20)) {
        let best = argmax(&row);
        prop_assert!(row.iter().all(|value| *value <= row[best]));
        prop_assert!(row[..best].iter().all(|value| *value < row[best]));
    }
}
