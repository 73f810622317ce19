//! How sure a row of logits is: softmax in integers.

/// `p[k] = 2^−t[k] / Σ_j 2^−t[j]` with `t[k] = (max − y[k])·scale·log₂e`: softmax, in 32-bit integers.
///
/// `scale` is what one unit of the logits is worth as a real number. `t` is kept in steps of 2⁻¹⁰; its
/// whole part is a shift, its fraction is read off a table of 33 numbers with a straight line between
/// neighbours. Beyond `t = 16` a class counts nothing.
///
/// # Accuracy
/// Within 0.001 of the real softmax, for up to 64 classes (tested against `f64`). Bit-exact across
/// targets.
///
/// # Memory
/// 12 bytes, and a table of 66 bytes.
///
/// ```
/// use motenet_quant::Softmax;
/// let softmax = Softmax::new(0.001).unwrap(); // 693 units are ln 2: twice as likely
/// assert_eq!(softmax.confidence(&[0, 0]), 32_768); // a half
/// assert!(softmax.confidence(&[693, 0]).abs_diff(43_690) < 20); // two thirds
/// assert_eq!(softmax.confidence(&[100_000, 0]), 65_535); // certain
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    limit: u32,
    multiplier: u16,
    drop: u8,
    shift: u8,
}

/// From here on `2^−t` is nothing beside 2¹⁵: 16, in steps of 2⁻¹⁰.
const MOST: u32 = 16 << 10;

impl Softmax {
    /// `2¹⁵·2^(−k/32)`, rounded.
    pub const POWERS: [u16; 33] = [
        32768, 32066, 31379, 30706, 30048, 29405, 28774, 28158, 27554, 26964, 26386, 25821, 25268,
        24726, 24196, 23678, 23170, 22674, 22188, 21713, 21247, 20792, 20347, 19911, 19484, 19066,
        18658, 18258, 17867, 17484, 17109, 16743, 16384,
    ];

    /// For logits whose unit is worth `scale`, between 2⁻²⁷ and 1; `None` beyond.
    ///
    /// Not for the chip: it computes in floats, once, when a model is quantized.
    pub fn new(scale: f64) -> Option<Self> {
        if !(scale <= 1.0 && scale * f64::from(1u32 << 27) >= 1.0) {
            return None;
        }
        let factor = scale * core::f64::consts::LOG2_E * 1024.0;
        let limit = (f64::from(MOST) / factor) as u32 + 1;
        let drop = (32 - limit.leading_zeros()).saturating_sub(16);
        // The largest shift whose multiplier still fits 16 bits, and whose product 32.
        (1..32).rev().find_map(|shift| {
            let multiplier = factor * f64::from(1u32 << drop) * f64::from(1u32 << shift) + 0.5;
            if multiplier >= 65_536.0 {
                return None;
            }
            Self::from_parts(limit, multiplier as u16, drop as u8, shift)
        })
    }

    /// How likely the largest logit's class is, in 65,536ths: 65,535 means certain. 0 for an empty row.
    /// Never panics.
    pub fn confidence(&self, logits: &[i32]) -> u16 {
        let Some(&max) = logits.iter().max() else { return 0 };
        share(1 << 15, self.sum(logits, max))
    }

    /// How likely each class is, in 65,536ths; zeros beyond the shorter of the two rows. Never panics.
    pub fn probabilities(&self, logits: &[i32], p: &mut [u16]) {
        p.fill(0);
        let max = logits.iter().copied().max().unwrap_or(0);
        let sum = self.sum(logits, max);
        for (p, &y) in p.iter_mut().zip(logits) {
            *p = share(self.power(max, y), sum);
        }
    }

    fn sum(&self, logits: &[i32], max: i32) -> u32 {
        logits.iter().fold(0u32, |sum, &y| sum.saturating_add(self.power(max, y)))
    }

    /// `2¹⁵·2^−t`, rounded down.
    fn power(&self, max: i32, y: i32) -> u32 {
        let apart = max.wrapping_sub(y) as u32; // of any two `i32`, the larger first
        if apart >= self.limit {
            return 0;
        }
        let half = (1u32 << (self.shift & 31)) >> 1;
        let t = (apart >> (self.drop & 31)).wrapping_mul(u32::from(self.multiplier));
        let t = t.wrapping_add(half) >> (self.shift & 31);
        let (whole, index, rest) = (t >> 10, ((t >> 5) & 31) as usize, t & 31);
        let (above, below) = (u32::from(Self::POWERS[index]), u32::from(Self::POWERS[index + 1]));
        (above - (((above - below) * rest + 16) >> 5)) >> (whole & 31)
    }

    /// The four numbers that define it: `limit, multiplier, drop, shift`.
    pub const fn parts(self) -> (u32, u16, u8, u8) {
        (self.limit, self.multiplier, self.drop, self.shift)
    }

    /// From its four numbers, as generated code writes it; `None` if some product would overflow.
    pub const fn from_parts(limit: u32, multiplier: u16, drop: u8, shift: u8) -> Option<Self> {
        if drop > 31 || shift == 0 || shift > 31 {
            return None;
        }
        let most = (limit >> drop) as u64 * multiplier as u64 + (1u64 << (shift - 1));
        if most > u32::MAX as u64 {
            return None;
        }
        Some(Softmax { limit, multiplier, drop, shift })
    }
}

/// `power / sum` in 65,536ths, at most 65,535; `power` is at most 2¹⁵, so 32 bits hold the product.
fn share(power: u32, sum: u32) -> u16 {
    // An empty sum cannot be: the largest class alone is 2¹⁵.
    let share = (power << 16).checked_div(sum).unwrap_or(0);
    if share > 65_535 { 65_535 } else { share as u16 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use motenet::random;
    use proptest::prelude::*;

    fn real(scale: f64, logits: &[i32]) -> impl Iterator<Item = f64> {
        let max = logits.iter().copied().max().unwrap_or(0);
        let power = move |y: &i32| (scale * (f64::from(*y) - f64::from(max))).exp();
        let sum: f64 = logits.iter().map(power).sum();
        logits.iter().map(move |y| power(y) / sum)
    }

    #[test]
    fn the_table_is_powers_of_two() {
        for (k, &power) in Softmax::POWERS.iter().enumerate() {
            assert_eq!(f64::from(power), (32_768.0 * (-(k as f64) / 32.0).exp2()).round());
        }
    }

    #[test]
    fn near_the_real_softmax() {
        let mut worst = 0.0f64;
        for seed in 0..2_000 {
            let mut rng = random::generator(seed);
            let mut below = |n: u32| random::below(&mut rng, n);
            let scale = f64::from(below(1000) + 1) * 10f64.powi(-2 - below(6) as i32);
            let spread = ((1.0 + f64::from(below(20))) / scale) as u32 + 1;
            let mut logits = [0; 64];
            let classes = below(64) as usize + 1;
            for y in &mut logits {
                *y = below(spread) as i32 - (spread / 2) as i32;
            }
            let logits = &logits[..classes];
            let Some(softmax) = Softmax::new(scale) else {
                assert!(scale > 1.0);
                continue;
            };
            let mut p = [0; 64];
            softmax.probabilities(logits, &mut p);
            for (p, real) in p.iter().zip(real(scale, logits)) {
                worst = worst.max((f64::from(*p) / 65_536.0 - real).abs());
            }
            let most = real(scale, logits).fold(0.0, f64::max);
            let confidence = f64::from(softmax.confidence(logits)) / 65_536.0;
            worst = worst.max((confidence - most).abs());
        }
        assert!(worst < 1e-3, "{worst:e}");
    }

    proptest! {
        #[test]
        fn any_logits_are_fine(
            logits in prop::collection::vec(any::<i32>(), 0..12), exponent in -27.0..0.0f64,
        ) {
            let softmax = Softmax::new(exponent.exp2()).unwrap();
            let (limit, multiplier, drop, shift) = softmax.parts();
            prop_assert_eq!(Softmax::from_parts(limit, multiplier, drop, shift), Some(softmax));
            let confidence = softmax.confidence(&logits);
            let mut p = [0; 12];
            softmax.probabilities(&logits, &mut p);
            prop_assert_eq!(p.iter().copied().max(), Some(confidence));
            let least = 65_536 / logits.len().max(1) as u32;
            prop_assert!(logits.is_empty() || u32::from(confidence) + 1 >= least);
        }
    }

    #[test]
    fn scales_beyond_the_range_are_refused() {
        for scale in [0.0, -1.0, 1.1, f64::NAN, f64::INFINITY, 1e-10] {
            assert_eq!(Softmax::new(scale), None, "{scale}");
        }
        assert_eq!(Softmax::from_parts(u32::MAX, 65_535, 0, 1), None);
        assert_eq!(Softmax::from_parts(1, 1, 0, 0), None);
        assert_eq!(Softmax::from_parts(1, 1, 32, 1), None);
    }
}
