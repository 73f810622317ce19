//! Tests only: how far each function is from the truth, against one table of budgets.
//!
//! An error in ulp is `|got − want|` divided by the distance of neighbouring `f32` at `want`, where `want`
//! is the standard library's function in `f64`, whose own error is some 10⁻⁹ ulp of `f32`. A budget of
//! which less than half is used fails too: a bound that does not bite says nothing.

use super::{cos_pi, exp, fma_soft, ln, ln_1p, sigmoid, tanh};
use crate::kernels::{Isa, one_lane};
use std::{format, println, string::String, vec::Vec};

/// The standard library's fused multiply-add: the machine's instruction where it has one.
#[derive(Clone, Copy)]
pub(super) struct Hard;

impl Isa for Hard {
    one_lane!();

    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}

/// Our own.
#[derive(Clone, Copy)]
pub(super) struct Soft;

impl Isa for Soft {
    one_lane!();

    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        fma_soft(a, b, c)
    }
}

/// Seeded 64-bit numbers: the splitmix of Steele, Lea and Flood (OOPSLA 2014).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// How an error is measured.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    /// The distance of neighbouring floats at the true value.
    Ulp,
    /// 2⁻²³, the ulp of 1, whatever the true value.
    UlpOfOne,
}

struct Row {
    name: &'static str,
    hard: fn(f32) -> f32,
    soft: fn(f32) -> f32,
    oracle: fn(f64) -> f64,
    unit: Unit,
    budget: f64,
}

macro_rules! row {
    ($f:ident, $oracle:expr, $unit:ident, $budget:literal) => {
        Row {
            name: stringify!($f),
            hard: $f::<Hard>,
            soft: $f::<Soft>,
            oracle: $oracle,
            unit: Unit::$unit,
            budget: $budget,
        }
    };
}

/// The same bounds as in the table of `math/mod.rs`.
const TABLE: [Row; 6] = [
    row!(exp, f64::exp, Ulp, 1.0),
    row!(ln, f64::ln, Ulp, 1.0),
    row!(ln_1p, f64::ln_1p, Ulp, 1.0),
    row!(tanh, f64::tanh, Ulp, 1.5),
    row!(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), Ulp, 2.5),
    row!(cos_pi, |t| (core::f64::consts::PI * t.clamp(0.0, 1.0)).cos(), UlpOfOne, 0.45),
];

fn error(unit: Unit, got: f32, want: f64) -> f64 {
    if want.is_nan() || got.is_nan() {
        return if want.is_nan() && got.is_nan() { 0.0 } else { f64::INFINITY };
    }
    // Beyond the largest float the grid goes on to 2^128, which stands for infinity.
    let end = 2.0 * f64::from(f32::from_bits(0x7f00_0000));
    let got = f64::from(got).clamp(-end, end);
    let want = want.clamp(-end, end);
    let binade = f64::from_bits(want.to_bits() & (0x7ff << 52));
    let scale = match unit {
        Unit::Ulp => binade.clamp(f64::from(f32::MIN_POSITIVE), end / 2.0),
        Unit::UlpOfOne => 1.0,
    };
    (got - want).abs() / (scale * f64::from(f32::EPSILON))
}

/// The largest error over the bit patterns, and where.
fn worst(row: &Row, patterns: impl Iterator<Item = u32>) -> (f64, f32) {
    let mut worst = (0.0, 0.0);
    for bits in patterns {
        let x = f32::from_bits(bits);
        let e = error(row.unit, (row.hard)(x), (row.oracle)(f64::from(x)));
        if e > worst.0 {
            worst = (e, x);
        }
    }
    worst
}

fn verdict(row: &Row, (e, x): (f64, f32)) -> Result<(), String> {
    println!("{}: {e:.4} at {x:e} ({:#010x})", row.name, x.to_bits());
    if e > row.budget {
        return Err(format!("{}({x:e}) is {e} ulp off, {} allowed", row.name, row.budget));
    }
    if e < row.budget / 2.0 {
        return Err(format!(
            "{}: worst {e} ulp leaves more than half of {} unused",
            row.name, row.budget
        ));
    }
    Ok(())
}

/// Patterns around every power of two, and around the ends of the functions' intervals.
fn edges() -> Vec<u32> {
    let mut centres: Vec<u32> = (0..512).map(|e| e << 23).collect();
    let ends = [
        88.722_84,
        -103.972_08,
        -87.336_55,
        0.346_573_6,
        0.6,
        core::f32::consts::FRAC_1_SQRT_2,
        core::f32::consts::SQRT_2,
        9.01,
        16.6,
        0.25,
    ];
    centres.extend(ends.iter().flat_map(|x: &f32| [x.to_bits(), (-x).to_bits()]));
    centres.iter().flat_map(|&c| (0..9).map(move |i| c.wrapping_add(i).wrapping_sub(4))).collect()
}

#[test]
fn within_budget_and_budget_bites() {
    // One pattern in 379, a prime: every last byte occurs.
    for row in &TABLE {
        let spaced = (0..=u32::MAX / 379).map(|i| i * 379 + 5);
        if let Err(message) = verdict(row, worst(row, spaced.chain(edges()))) {
            panic!("{message}");
        }
    }
}

#[test]
#[ignore = "all 2^32 inputs of each function: minutes"]
fn within_budget_over_all_inputs() {
    std::thread::scope(|scope| {
        for row in &TABLE {
            scope.spawn(move || {
                if let Err(message) = verdict(row, worst(row, 0..=u32::MAX)) {
                    panic!("{message}");
                }
            });
        }
    });
}

#[test]
fn same_bits_with_software_and_hardware_fma() {
    for row in &TABLE {
        let mut random = Random::new(6);
        for i in 0..1_000_000 {
            let r = random.next();
            // Every second one in [-128, 128), where most functions are busy.
            let x = if i % 2 == 0 {
                f32::from_bits(r as u32)
            } else {
                (r as i32) as f32 / (1 << 24) as f32
            };
            let (h, s) = ((row.hard)(x), (row.soft)(x));
            assert!(
                h.to_bits() == s.to_bits() || (h.is_nan() && s.is_nan()),
                "{}({x:e}): {h:e}, {s:e}",
                row.name
            );
        }
    }
}

#[test]
fn the_measure_of_errors() {
    assert_eq!(error(Unit::Ulp, 1.0 + f32::EPSILON, 1.0), 1.0);
    assert_eq!(error(Unit::Ulp, 1.0, 1.0 - f64::from(f32::EPSILON) / 4.0), 0.5);
    assert_eq!(error(Unit::Ulp, f32::from_bits(3), 0.0), 3.0);
    assert_eq!(error(Unit::Ulp, f32::INFINITY, 1e300), 0.0);
    assert_eq!(error(Unit::Ulp, f32::INFINITY, f64::from(f32::MAX)), 1.0);
    assert_eq!(error(Unit::Ulp, f32::NAN, 1.0), f64::INFINITY);
    assert_eq!(error(Unit::UlpOfOne, f32::EPSILON, 0.0), 1.0);
}
