//! The half turn of the cosine that a learning-rate schedule runs down.
//!
//! The second quarter mirrors the first: `cos(πt) = −cos(π(1 − t))`, and `1 − t` is exact for `t ≥ ½`. In the
//! first, with `v = min(t, 1 − t)`, two polynomials, one selected:
//!
//! - `v < ¼`: `cos(πv) = 1 + v²·c(v²)`, so that nothing exceeds 1;
//! - else `cos(πv) = sin(πu)` with `u = ½ − v`, exact, and `sin(πu) = π·u + u³·s(u²)`, with `π` as the sum of
//!   two floats.
//!
//! `c` (degree 3) and `s` (degree 2) come from `coefficients.py`: minimax for the absolute error, 2⁻³¹ and
//! 2⁻²⁹. One sine for both was tried: near `t = 0` it was 1.1·2⁻²³ off, and above 1.

use crate::kernels::Isa;

/// π − `core::f32::consts::PI`.
const PI_LO: f32 = -8.742_278e-8;

const SINE: [f32; 3] = [-5.167_708, 2.549_753_7, -0.588_867_3];

const COSINE: [f32; 4] = [-4.934_802, 4.058_696_3, -1.334_733_5, 0.228_697_34];

/// `cos(πt)` for `0 ≤ t ≤ 1`; a `t` outside is moved to the nearer end.
///
/// `cos_pi(0) = 1`, `cos_pi(½) = 0`, `cos_pi(1) = −1`, `cos_pi(1 − t) = −cos_pi(t)` to the bit where `1 − t` is
/// exact, NaN gives NaN. Never panics.
///
/// # Accuracy
///
/// Absolute error within 0.45·2⁻²³, under half a unit in the last place of 1 (0.441·2⁻²³ over all
/// inputs); bit-exact across targets. A schedule scales and shifts the result, so the absolute error is
/// what counts.
#[inline(always)]
#[must_use]
pub fn cos_pi<I: Isa>(t: f32) -> f32 {
    let t = if t < 0.0 { 0.0 } else { t };
    let t = if t > 1.0 { 1.0 } else { t };
    let mirrored = t > 0.5;
    let v = if mirrored { 1.0 - t } else { t };

    let w = v * v;
    let c = I::fma(COSINE[3], w, COSINE[2]);
    let c = I::fma(c, w, COSINE[1]);
    let c = I::fma(c, w, COSINE[0]);
    let c = I::fma(c, w, 1.0);

    let u = 0.5 - v;
    let w = u * u;
    let s = I::fma(SINE[2], w, SINE[1]);
    let s = I::fma(s, w, SINE[0]);
    let s = I::fma(u, core::f32::consts::PI, u * I::fma(s, w, PI_LO));

    let y = if v < 0.25 { c } else { s };
    if mirrored { -y } else { y }
}

#[cfg(test)]
mod tests {
    use super::cos_pi;
    use crate::math::accuracy::Hard;

    #[test]
    fn exact_points() {
        assert_eq!(cos_pi::<Hard>(0.0), 1.0);
        assert_eq!(cos_pi::<Hard>(0.5), 0.0);
        assert_eq!(cos_pi::<Hard>(1.0), -1.0);
        assert_eq!(cos_pi::<Hard>(-3.0), 1.0);
        assert_eq!(cos_pi::<Hard>(f32::INFINITY), -1.0);
        assert!(cos_pi::<Hard>(f32::NAN).is_nan());
    }

    #[test]
    fn falls_and_stays_in_range() {
        // Every multiple of 2^-22, more finely than the steps of any run.
        let mut above = 1.0;
        for i in 0..=1 << 22 {
            let t = i as f32 / (1 << 22) as f32;
            let y = cos_pi::<Hard>(t);
            assert!(y.abs() <= 1.0, "{t}");
            assert!(y <= above, "{t}");
            assert_eq!(y, -cos_pi::<Hard>(1.0 - t), "{t}");
            above = y;
        }
    }
}
