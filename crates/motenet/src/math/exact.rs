//! The two functions that need no approximation: a correctly rounded square root, and an integer power.

/// `√x`.
///
/// `sqrt(±0) = ±0`, `sqrt(+∞) = +∞`; a negative number or NaN gives NaN. Never panics.
///
/// # Accuracy
///
/// Correctly rounded (IEEE 754-2019, 5.4.1 `squareRoot`), hence bit-exact across targets: the standard
/// library's with the `std` feature (one instruction), `libm`'s without.
#[inline(always)]
#[must_use]
pub fn sqrt(x: f32) -> f32 {
    #[cfg(feature = "std")]
    {
        x.sqrt()
    }
    #[cfg(not(feature = "std"))]
    {
        libm::sqrtf(x)
    }
}

/// `baseⁿ` in `f64`, by repeated squaring from the lowest bit of `n` (Knuth, The Art of Computer
/// Programming, volume 2, 4.6.3, algorithm A). `powi64(x, 0) = 1` for every `x`, as IEEE 754 has it.
///
/// Never panics; at most 32 rounds.
///
/// # Accuracy
///
/// Relative error below `n·2⁻⁵³` where the result is normal (each of the `n − 1` products that the
/// power stands for rounds once); bit-exact across targets.
#[inline]
#[must_use]
pub fn powi64(base: f64, n: u32) -> f64 {
    let mut square = base;
    let mut rest = n;
    let mut power = 1.0;
    loop {
        if rest & 1 == 1 {
            power *= square;
        }
        rest >>= 1;
        if rest == 0 {
            return power;
        }
        square *= square;
    }
}

#[cfg(test)]
mod tests {
    use super::{powi64, sqrt};
    use crate::math::accuracy::Random;

    #[test]
    fn square_root_is_correctly_rounded() {
        assert_eq!(sqrt(0.0).to_bits(), 0);
        assert_eq!(sqrt(-0.0).to_bits(), 0x8000_0000);
        assert_eq!(sqrt(f32::INFINITY), f32::INFINITY);
        assert!(sqrt(-1.0).is_nan() && sqrt(f32::NAN).is_nan());
        let mut random = Random::new(5);
        for i in 0..1_000_000 {
            let x = f32::from_bits(if i < 1000 { i } else { random.next() as u32 & 0x7f7f_ffff });
            // 53 bits are more than the 2·24 + 2 that make rounding a square root twice harmless
            // (Figueroa, "When is double rounding innocuous?", SIGNUM Newsletter 30(3), 1995).
            let want = f64::from(x).sqrt() as f32;
            assert!(x.is_nan() || sqrt(x).to_bits() == want.to_bits(), "{x:e}");
            assert_eq!(sqrt(x).to_bits(), libm::sqrtf(x).to_bits(), "{x:e}");
        }
    }

    #[test]
    fn power_of_small_cases() {
        for base in [0.0, -2.0, 0.9, f64::INFINITY, f64::NAN] {
            assert_eq!(powi64(base, 0), 1.0);
        }
        assert_eq!(powi64(0.9, 1), 0.9);
        assert_eq!(powi64(0.9, 2), 0.9 * 0.9);
        assert_eq!(powi64(-3.0, 5), -243.0);
        assert_eq!(powi64(2.0, 1023), f64::MAX / (2.0 - f64::EPSILON));
        assert_eq!(powi64(2.0, 1024), f64::INFINITY);
        assert_eq!(powi64(0.5, u32::MAX), 0.0);
        assert_eq!(powi64(1.0, u32::MAX), 1.0);
        // 1 + 2^-52·n + …: exact to the first two terms.
        assert_eq!(powi64(1.0 + f64::EPSILON, 3), 1.0 + 3.0 * f64::EPSILON);
    }

    #[test]
    fn power_within_its_bound() {
        for base in [0.9, 0.95, 0.99, 0.999, 0.9999, f64::from(0.999_f32)] {
            for n in [2_u32, 3, 7, 10, 63, 64, 100, 999, 5_000] {
                let exact = (f64::from(n) * base.ln()).exp();
                let error = (powi64(base, n) / exact - 1.0).abs();
                // The oracle's own error: that of ln, times |n·ln(base)|, and that of exp.
                let oracle = (2.0 + f64::from(n) * base.ln().abs()) * f64::EPSILON;
                assert!(
                    error <= f64::from(n) * f64::EPSILON / 2.0 + oracle,
                    "{base}^{n}: {error:e}"
                );
            }
        }
    }
}
