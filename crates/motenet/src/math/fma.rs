//! The fused multiply-add in software: what decides the bits where the machine has none.
//!
//! `fma(a, b, c)` is `a·b + c` rounded once. In `f64` the product of two `f32` is exact: 24 + 24 bits
//! fit in 53, and exponents from 2⁻²⁹⁸ to 2²⁵⁶ are far from either end. Only the sum can be inexact,
//! and rounding it to `f64` and then to `f32` would round twice: a sum just above the middle of two
//! `f32` may round to the middle in `f64`, and then to the wrong neighbour.
//!
//! The way out is to round the `f64` sum *to odd* (Boldo and Melquiond, "Emulation of FMA and
//! correctly rounded sums: proved algorithms using rounding to odd", IEEE Transactions on Computers
//! 57(4), 2008): truncate towards zero, and if anything was cut off, set the last bit. Proof that the
//! second rounding is then right:
//!
//! - Where a `f64` has at least two bits more than the `f32` it becomes (it has 29 more, and more
//!   still where the `f32` is subnormal), every `f32` and every middle of two neighbouring `f32` is a
//!   `f64` whose last bit is 0.
//! - Write `v` for the exact sum and `o` for `v` rounded to odd. If `v` is a `f64` then `o = v` and
//!   nothing was lost.
//! - If not, `v` lies strictly between two neighbouring `f64`, and `o` is the one of them with the
//!   last bit 1. By the first point, neither that one nor anything strictly between the two is a
//!   `f32` or a middle, so no decision of the second rounding lies between `v` and `o`: both round to
//!   the same `f32`.
//!
//! What was cut off comes from the two-sum of Knuth (The Art of Computer Programming, volume 2,
//! 4.2.2, theorem B): for `s = RN(p + c)` it gives `e = p + c − s` exactly. `s` rounds to nearest;
//! truncating needs one step towards zero exactly when `e` and `s` have different signs, and a step
//! towards zero is one less in the bit pattern of a nonzero number. `s` is not zero when `e` is not:
//! a sum that small would be exact.

/// `a·b + c`, rounded once to nearest even, from `f64` arithmetic alone.
///
/// Never panics; branch-free, so that a loop over it vectorises where there are two `f64` lanes.
///
/// # Accuracy
///
/// Bit-exact with IEEE 754-2019 `fusedMultiplyAdd` for every input: infinities, signed zeros,
/// subnormal results, overflow. A NaN is a NaN with no promise about its payload.
#[inline(always)]
#[must_use]
pub fn fma_soft(a: f32, b: f32, c: f32) -> f32 {
    let p = f64::from(a) * f64::from(b);
    let c = f64::from(c);
    let s = p + c;
    let c_part = s - p;
    let e = (p - (s - c_part)) + (c - c_part);
    // Two comparisons, because `e` is NaN when `s` is infinite or NaN: those pass unchanged.
    let inexact = u64::from((e < 0.0) | (e > 0.0));
    let opposite = (s.to_bits() ^ e.to_bits()) >> 63;
    let odd = s.to_bits().wrapping_sub(inexact & opposite) | inexact;
    f64::from_bits(odd) as f32
}

#[cfg(test)]
mod tests {
    use super::fma_soft;
    use crate::math::accuracy::Random;
    use std::vec::Vec;

    /// A magnitude as an integer of 640 bits, low limb first, in units of 2^-298, the smallest product.
    type Wide = [u64; 10];

    /// `mantissa · 2^shift`.
    fn wide(mantissa: u64, shift: u32) -> Wide {
        let mut w = [0; 10];
        let both = u128::from(mantissa) << (shift % 64);
        w[(shift / 64) as usize] = both as u64;
        w[(shift / 64) as usize + 1] = (both >> 64) as u64;
        w
    }

    /// `x + y`, or `x - y` for `x >= y`.
    fn combine(x: Wide, y: Wide, subtract: bool) -> Wide {
        let mut carry = u128::from(subtract);
        core::array::from_fn(|i| {
            let y = if subtract { !y[i] } else { y[i] };
            let sum = u128::from(x[i]) + u128::from(y) + carry;
            carry = sum >> 64;
            sum as u64
        })
    }

    /// Mantissa and exponent of a finite number: `|x| = m · 2^(e - 149)`.
    fn parts(x: f32) -> (u64, u32) {
        let (exponent, fraction) = ((x.to_bits() >> 23) & 0xff, u64::from(x.to_bits() & 0x7f_ffff));
        if exponent == 0 { (fraction, 0) } else { (fraction | 0x80_0000, exponent - 1) }
    }

    /// The oracle: the exact sum as an integer, rounded half to even by looking at its bits.
    fn exact(a: f32, b: f32, c: f32) -> f32 {
        if !(a.is_finite() && b.is_finite() && c.is_finite()) {
            // No rounding there, and no overflow of the product that the naive form would invent.
            return (f64::from(a) * f64::from(b) + f64::from(c)) as f32;
        }
        let ((ma, ea), (mb, eb), (mc, ec)) = (parts(a), parts(b), parts(c));
        let (p, z) = (wide(ma * mb, ea + eb), wide(mc, ec + 149));
        let (p_minus, z_minus) =
            (a.is_sign_negative() != b.is_sign_negative(), c.is_sign_negative());
        let p_larger = p.iter().rev().ge(z.iter().rev());
        let (large, small) = if p_larger { (p, z) } else { (z, p) };
        let sum = combine(large, small, p_minus != z_minus);
        let bit = |i: u32| (sum[(i / 64) as usize] >> (i % 64)) & 1 == 1;
        let Some(top) = (0..640).rev().find(|&i| bit(i)) else {
            return if p_minus && z_minus { -0.0 } else { 0.0 };
        };
        // 24 bits from the top, but none below 2^-149.
        let last = (top.max(23) - 23).max(149);
        let mut m = (last..=top).rev().fold(0_u64, |m, i| m << 1 | u64::from(bit(i)));
        let sticky = (0..last - 1).any(bit);
        m += u64::from(bit(last - 1) && (sticky || m & 1 == 1));
        // m ≤ 2^24 and the power of two are exact, and so is their product, or it overflows.
        let magnitude = m as f64 * 2_f64.powi(last as i32 - 298);
        let minus = if p_larger { p_minus } else { z_minus };
        (if minus { -magnitude } else { magnitude }) as f32
    }

    /// The machine's instruction, directly or through the C library, and the oracle. Not `libm::fmaf`:
    /// its software form rounds some subnormal results twice (0.2.16; `fma(0x007fffff, 0x33800001,
    /// 0x0000ffff)` as bit patterns is 0x0000ffff).
    fn check(a: f32, b: f32, c: f32) {
        same(a, b, c, fma_soft(a, b, c), a.mul_add(b, c));
    }

    fn check_exact(a: f32, b: f32, c: f32) {
        same(a, b, c, fma_soft(a, b, c), exact(a, b, c));
    }

    fn same(a: f32, b: f32, c: f32, got: f32, want: f32) {
        assert!(
            got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan()),
            "fma({a:e}, {b:e}, {c:e}): got {got:e} {:#010x}, want {want:e} {:#010x}",
            got.to_bits(),
            want.to_bits(),
        );
    }

    fn edges() -> Vec<f32> {
        let positive = [
            0x0000_0000, // 0
            0x0000_0001, // smallest subnormal
            0x0000_0002,
            0x0000_0003,
            0x0000_ffff,
            0x0040_0000,
            0x007f_ffff, // largest subnormal
            0x0080_0000, // smallest normal
            0x0080_0001,
            0x0100_0000,
            0x1a00_0000, // 2^-75: a square is half of the smallest subnormal
            0x1a00_0001,
            0x2000_0000, // 2^-63
            0x3300_0000, // 2^-25
            0x3380_0000, // 2^-24: half an ulp of 1
            0x3380_0001,
            0x337f_ffff,
            0x3400_0000, // 2^-23: an ulp of 1
            0x3980_0800, // 2^-12 and a bit: squares end halfway
            0x3f00_0000, // 1/2
            0x3f7f_ffff, // 1 - ulp
            0x3f80_0000, // 1
            0x3f80_0001, // 1 + ulp
            0x3f80_0800, // 1 + 2^-12: its square has the bit 2^-24, halfway
            0x3fc0_0000, // 1.5
            0x3fff_ffff, // 2 - ulp
            0x4000_0000, // 2
            0x4b7f_ffff, // 2^24 - 1
            0x4b80_0001, // 2^24 + 2
            0x5f00_0000, // 2^63
            0x7f00_0000, // 2^127
            0x7f7f_ffff, // largest
            0x7f80_0000, // infinity
            0x7fc0_0000, // NaN
        ];
        let both = positive.iter().flat_map(|&bits| [bits, bits | 0x8000_0000]);
        both.map(f32::from_bits).collect()
    }

    #[test]
    fn equals_machine_and_oracle_on_all_triples_of_edge_values() {
        let edges = edges();
        for &a in &edges {
            for &b in &edges {
                for &c in &edges {
                    check(a, b, c);
                    check_exact(a, b, c);
                }
            }
        }
    }

    /// Fewer where the machine is likely to be simulated.
    const RANDOM: u32 = if cfg!(target_arch = "x86_64") { 100_000_000 } else { 5_000_000 };

    #[test]
    fn equals_the_machine_on_random_bit_patterns() {
        let mut random = Random::new(1);
        for i in 0..RANDOM {
            let (x, y) = (random.next(), random.next());
            let (a, b) = (f32::from_bits(x as u32), f32::from_bits((x >> 32) as u32));
            let c = f32::from_bits(y as u32);
            check(a, b, c);
            if i % 512 == 0 {
                check_exact(a, b, c);
            }
        }
    }

    #[test]
    fn equals_the_machine_where_the_sum_nearly_cancels() {
        let mut random = Random::new(2);
        for _ in 0..2_000_000 {
            let (x, y) = (random.next(), random.next());
            let a = f32::from_bits(x as u32);
            let b = f32::from_bits((x >> 32) as u32);
            // c is -a·b, up to two units either way.
            let c = -(a * b);
            check(a, b, f32::from_bits(c.to_bits().wrapping_add((y & 3) as u32).wrapping_sub(2)));
        }
    }

    #[test]
    fn equals_the_machine_next_to_the_middle_of_two_floats() {
        // a·b is a float plus half a unit (17 significant bits times 8), and c a hair beside it: the
        // case that rounding twice gets wrong.
        let mut random = Random::new(3);
        let mut twice_wrong = 0;
        for _ in 0..2_000_000 {
            let (x, y) = (random.next(), random.next());
            let a = ((x & 0x1_ffff) | 0x1_0001) as f32;
            let b = (((x >> 20) & 0xff) | 0x81) as f32;
            let tiny = f32::from_bits((((y >> 8) % 0x3f) as u32) << 23 | (y as u32 & 0x8000_0000));
            check(a, b, tiny);
            let naive = (f64::from(a) * f64::from(b) + f64::from(tiny)) as f32;
            twice_wrong += u32::from(naive != fma_soft(a, b, tiny));
        }
        assert!(twice_wrong > 1000, "only {twice_wrong} cases tell the two roundings apart");
    }
}
