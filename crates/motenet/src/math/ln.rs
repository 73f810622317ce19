//! The natural logarithm, of `x` and of `1 + x`.
//!
//! Range reduction: `x = 2ᵏ·m` with `√½ ≤ m < √2`, read off the bits, and `f = m − 1`, exact. Then
//! `ln x = k·ln 2 + ln(1 + f)`, with `ln 2 = LN2_HI + LN2_LO` and `k·LN2_HI` exact.
//!
//! `ln(1 + f) = f + f²·q(f)` with `q` of degree 8 from `coefficients.py`: minimax for the relative error,
//! 2⁻²⁷·⁸. The large parts, `k·LN2_HI` and `f`, are added with their rounding error kept (the fast
//! two-sum of Dekker, Numerische Mathematik 18, 1971), and it goes in with the small parts, so that
//! only the last addition rounds at the scale of the result.
//!
//! `ln(1 + x)` rounds `u = 1 + x`, whose error `d = 1 + x − u` is exact by Knuth's two-sum, and uses
//! `ln(u + d) ≈ ln u + d/u`. For a tiny `x`, `u` is 1 and `d` is `x`: nothing is lost.

use super::exp::{LN2_HI, LN2_LO, power_of_two};
use crate::kernels::Isa;

/// The bits of √½, rounded up: subtracting them makes the exponent field count from √½.
const SQRT_HALF: i32 = 0x3f35_04f4;

const Q: [f32; 9] = [
    -0.499_999_88,
    0.333_333_25,
    -0.250_016,
    0.200_020_02,
    -0.166_087_64,
    0.141_811_77,
    -0.132_446_27,
    0.129_087_86,
    -0.076_233_976,
];

/// `ln x`.
///
/// `ln(1) = +0`, `ln(±0) = −∞`, `ln(+∞) = +∞`; a negative number or NaN gives NaN. Subnormals count.
/// Never panics.
///
/// # Accuracy
///
/// Within 1 ulp (0.876 over all inputs); bit-exact across targets.
#[inline(always)]
#[must_use]
pub fn ln<I: Isa>(x: f32) -> f32 {
    let subnormal = x < f32::MIN_POSITIVE;
    let scaled = if subnormal { x * 8_388_608.0 } else { x };
    let (k, m) = split(scaled);
    let k = if subnormal { k.wrapping_sub(23) } else { k };
    let y = assemble::<I>(k as f32, m - 1.0, 0.0);
    let y = if x == f32::INFINITY { x } else { y };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if (x < 0.0) | x.is_nan() { f32::NAN } else { y }
}

/// `ln(1 + x)`, accurate where `x` is small and `1 + x` would forget it.
///
/// `ln_1p(±0) = ±0`, `ln_1p(−1) = −∞`, `ln_1p(+∞) = +∞`; below −1, or NaN, gives NaN. Never panics.
///
/// # Accuracy
///
/// Within 1 ulp (0.958 over all inputs); bit-exact across targets.
#[inline(always)]
#[must_use]
pub fn ln_1p<I: Isa>(x: f32) -> f32 {
    let u = 1.0 + x;
    let x_part = u - 1.0;
    let d = (1.0 - (u - x_part)) + (x - x_part);
    let (k, m) = split(u);
    // d/u = (d·2^−k)/m. Beyond 2^100, d is nothing beside u, and the bound keeps the factor finite.
    let d = d * power_of_two(if k > 100 { -100 } else { k.wrapping_neg() });
    // 1/m to 7 %: d is below half a unit of m, so that is a thirtieth of a unit.
    let f = m - 1.0;
    let d_over_m = d * (1.0 + I::fma(f, f, -f));
    let y = assemble::<I>(k as f32, f, d_over_m);
    let y = if x == f32::INFINITY { x } else { y };
    let y = if x == -1.0 { f32::NEG_INFINITY } else { y };
    let y = if x == 0.0 { x } else { y };
    if (x < -1.0) | x.is_nan() { f32::NAN } else { y }
}

/// `k` and `m` with `x = 2ᵏ·m`, `√½ ≤ m < √2`, for a normal positive `x`; something for any other.
#[inline(always)]
fn split(x: f32) -> (i32, f32) {
    let bits = x.to_bits() as i32;
    let k = bits.wrapping_sub(SQRT_HALF) >> 23;
    (k, f32::from_bits(bits.wrapping_sub(k << 23) as u32))
}

/// `k·ln 2 + ln(1 + f) + small`.
#[inline(always)]
fn assemble<I: Isa>(k: f32, f: f32, small: f32) -> f32 {
    let q = I::fma(Q[8], f, Q[7]);
    let q = I::fma(q, f, Q[6]);
    let q = I::fma(q, f, Q[5]);
    let q = I::fma(q, f, Q[4]);
    let q = I::fma(q, f, Q[3]);
    let q = I::fma(q, f, Q[2]);
    let q = I::fma(q, f, Q[1]);
    let q = I::fma(q, f, Q[0]);

    // |k·LN2_HI| is 0 or at least 0.69, above |f|: the order that the fast two-sum asks for.
    let high = k * LN2_HI;
    let sum = high + f;
    let lost = f - (sum - high);
    let small = I::fma(k, LN2_LO, small + lost);
    sum + I::fma(f * f, q, small)
}

#[cfg(test)]
mod tests {
    use super::{ln, ln_1p};
    use crate::math::accuracy::Hard;

    #[test]
    fn exact_points() {
        assert_eq!(ln::<Hard>(1.0).to_bits(), 0);
        assert_eq!(ln::<Hard>(2.0), core::f32::consts::LN_2);
        assert_eq!(ln::<Hard>(0.5), -core::f32::consts::LN_2);
        assert_eq!(ln::<Hard>(10.0), core::f32::consts::LN_10);
        assert_eq!(ln::<Hard>(0.0), f32::NEG_INFINITY);
        assert_eq!(ln::<Hard>(-0.0), f32::NEG_INFINITY);
        assert_eq!(ln::<Hard>(f32::INFINITY), f32::INFINITY);
        for x in [-1.0, -f32::MIN_POSITIVE, -f32::from_bits(1), f32::NEG_INFINITY, f32::NAN] {
            assert!(ln::<Hard>(x).is_nan(), "{x}");
        }
    }

    #[test]
    fn exact_points_of_one_plus() {
        for x in [0.0, -0.0, f32::from_bits(1), -f32::from_bits(1), f32::MIN_POSITIVE, 1e-20] {
            assert_eq!(ln_1p::<Hard>(x).to_bits(), x.to_bits(), "{x}");
        }
        assert_eq!(ln_1p::<Hard>(1.0), core::f32::consts::LN_2);
        assert_eq!(ln_1p::<Hard>(-0.5), -core::f32::consts::LN_2);
        assert_eq!(ln_1p::<Hard>(-1.0), f32::NEG_INFINITY);
        assert_eq!(ln_1p::<Hard>(f32::INFINITY), f32::INFINITY);
        assert_eq!(ln_1p::<Hard>(f32::MAX), 88.722_84);
        for x in [-1.0 - f32::EPSILON, -2.0, f32::NEG_INFINITY, f32::NAN] {
            assert!(ln_1p::<Hard>(x).is_nan(), "{x}");
        }
    }
}
