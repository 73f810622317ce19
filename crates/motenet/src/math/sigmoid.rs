//! The logistic function.
//!
//! With `z = e^(−|x|)`, which never overflows, `σ(x) = 1/(1 + z)` for `x ≥ 0` and `z/(1 + z)` for `x < 0`. The
//! second form keeps the relative error small on the far left, down into the subnormals, where
//! `1/(1 + e⁻ˣ)` would have divided by infinity.

use super::exp::exp;
use crate::kernels::Isa;

/// `σ(x) = 1 / (1 + e⁻ˣ)`.
///
/// `sigmoid(±0) = ½`, `sigmoid(−∞) = 0`, `sigmoid(+∞) = 1`, NaN gives NaN. Never panics.
///
/// # Accuracy
///
/// Within 2.5 ulp (2.402 over all inputs); bit-exact across targets.
#[inline(always)]
#[must_use]
pub fn sigmoid<I: Isa>(x: f32) -> f32 {
    let z = exp::<I>(-x.abs());
    let numerator = if x < 0.0 { z } else { 1.0 };
    numerator / (1.0 + z)
}

#[cfg(test)]
mod tests {
    use super::sigmoid;
    use crate::math::accuracy::Hard;

    #[test]
    fn exact_points() {
        assert_eq!(sigmoid::<Hard>(0.0), 0.5);
        assert_eq!(sigmoid::<Hard>(-0.0), 0.5);
        assert_eq!(sigmoid::<Hard>(f32::INFINITY), 1.0);
        assert_eq!(sigmoid::<Hard>(f32::MAX), 1.0);
        assert_eq!(sigmoid::<Hard>(18.0), 1.0);
        assert_eq!(sigmoid::<Hard>(f32::NEG_INFINITY).to_bits(), 0);
        // e^-103.9 is 2^-149 and a half, rounded: still not zero.
        assert_eq!(sigmoid::<Hard>(-103.9).to_bits(), 1);
        assert!(sigmoid::<Hard>(f32::NAN).is_nan());
    }
}
