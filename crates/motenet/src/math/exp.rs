//! The exponential function.
//!
//! Range reduction (Cody and Waite, "Software Manual for the Elementary Functions", 1980, chapter 6):
//! with `k = round(x / ln 2)` and `r = x − k·ln 2`, `eˣ = 2ᵏ·eʳ` and `|r| ≤ ln 2 / 2`. `ln 2` is the sum
//! of `LN2_HI`, 16 bits, whose product with any `k` is exact, and `LN2_LO`, and what rounding
//! takes from `r` is kept beside it (without it the error reaches 1.013 ulp).
//!
//! `eʳ = 1 + (r + r²·q(r))`, with `q` of degree 4 from `coefficients.py`: minimax for the relative error of
//! `eʳ`, 2⁻²⁸·². The parenthesis is at most 0.42, so its own rounding costs a quarter unit or less, and
//! the sum with 1 half a unit.
//!
//! `2ᵏ` is two factors, each a normal number: the first product is exact, and the second rounds once,
//! to a subnormal, to zero or to infinity where the result is one.

use crate::kernels::Isa;

/// Adding this to a number below 2²² in magnitude rounds it to an integer, which the low bits then
/// hold: 1.5·2²³, where neighbouring floats are 1 apart.
const ROUND: f32 = 12_582_912.0;

/// ln 2 to 16 bits.
pub(super) const LN2_HI: f32 = 0.693_145_75;
/// ln 2 − `LN2_HI`.
pub(super) const LN2_LO: f32 = 1.428_606_8e-6;

/// Below this `eˣ` rounds to 0 (half the smallest subnormal is e^−103.97).
const LOW: f32 = -104.0;
/// Above this `eˣ` rounds to infinity (the largest float is e^88.72).
const HIGH: f32 = 89.0;

const Q: [f32; 5] = [0.499_999_94, 0.166_665_21, 0.041_668_262, 0.008_368_669, 0.001_382_102_4];

/// `eˣ`.
///
/// `exp(±0) = 1`, `exp(−∞) = 0`, `exp(+∞) = +∞`; overflow gives `+∞`, underflow goes through the
/// subnormals to 0; NaN gives NaN. Never panics.
///
/// # Accuracy
///
/// Within 1 ulp (0.876 over all inputs); bit-exact across targets.
#[inline(always)]
#[must_use]
pub fn exp<I: Isa>(x: f32) -> f32 {
    let x = if x < LOW { LOW } else { x };
    let x = if x > HIGH { HIGH } else { x };
    let shifted = I::fma(x, core::f32::consts::LOG2_E, ROUND);
    let k = shifted - ROUND;
    let exact = I::fma(k, -LN2_HI, x);
    let r = I::fma(k, -LN2_LO, exact);
    let lost = I::fma(k, -LN2_LO, exact - r);

    let q = I::fma(Q[4], r, Q[3]);
    let q = I::fma(q, r, Q[2]);
    let q = I::fma(q, r, Q[1]);
    let q = I::fma(q, r, Q[0]);
    let e_r = 1.0 + (r + I::fma(r * r, q, lost));

    // For a NaN these are some integers; the product is NaN whatever they are.
    let k = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let half = k >> 1;
    e_r * power_of_two(half) * power_of_two(k.wrapping_sub(half))
}

/// `2ᵏ` for `−126 ≤ k ≤ 127`.
#[inline(always)]
pub(super) fn power_of_two(k: i32) -> f32 {
    f32::from_bits((k.wrapping_add(127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::exp;
    use crate::math::accuracy::Hard;

    #[test]
    fn exact_points() {
        assert_eq!(exp::<Hard>(0.0), 1.0);
        assert_eq!(exp::<Hard>(-0.0), 1.0);
        assert_eq!(exp::<Hard>(1.0), core::f32::consts::E);
        assert_eq!(exp::<Hard>(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp::<Hard>(f32::NEG_INFINITY).to_bits(), 0);
        assert!(exp::<Hard>(f32::NAN).is_nan());
        assert!(exp::<Hard>(-f32::NAN).is_nan());
    }

    #[test]
    fn ends_where_floats_end() {
        // ln of the largest float is 88.722839…, between these two.
        assert!(exp::<Hard>(88.722_83).is_finite());
        assert_eq!(exp::<Hard>(88.722_84), f32::INFINITY);
        // ln of 2^-149 is -103.2789…; half of it, -103.9720…, is where zero begins.
        assert_eq!(exp::<Hard>(-103.278_93).to_bits(), 1);
        assert_eq!(exp::<Hard>(-103.972_07).to_bits(), 1);
        assert_eq!(exp::<Hard>(-103.972_09).to_bits(), 0);
        assert_eq!(exp::<Hard>(f32::MAX), f32::INFINITY);
        assert_eq!(exp::<Hard>(f32::MIN).to_bits(), 0);
    }
}
