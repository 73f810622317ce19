//! From a 32-bit sum to an 8-bit activation: the one place where integer inference rounds.

/// `y = min(255, ⌊(t·multiplier + 2^(shift − 1)) / 2^shift⌋)` with `t = ⌊max(0, min(sum, limit)) / 2^drop⌋`.
///
/// That is `round(sum·factor)`, rectified and saturated, for a positive real `factor`, in 32-bit
/// arithmetic only: a Cortex-M0 has no wider product. `limit` is a sum that gives 255 for sure, so that
/// cutting there changes nothing, and `drop` leaves 16 bits of what is below. Halves round up.
///
/// # Accuracy
/// Within `0.5 + 2⁻⁷` of `sum·factor` for sums between 0 and 255 / factor, so at most one unit from the
/// correctly rounded value, and only where that is nearly a half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Requantize {
    limit: u32,
    multiplier: u16,
    drop: u8,
    shift: u8,
}

impl Requantize {
    /// The nearest to `sum ↦ round(sum·factor)`, for a factor between 2⁻²³ and 2⁷; `None` beyond.
    ///
    /// Not for the chip: it computes in floats, once, when a model is quantized.
    pub fn new(factor: f64) -> Option<Self> {
        if !(f64::from(1u32 << 7) >= factor && factor * f64::from(1u32 << 23) >= 1.0) {
            return None;
        }
        // 255.5 / factor, rounded up: from here on the answer is 255.
        let limit = (255.5 / factor) as u32 + 1;
        let drop = (32 - limit.leading_zeros()).saturating_sub(16);
        // The largest shift whose multiplier still fits 16 bits, and whose product 32.
        let mut shift = 31;
        loop {
            let multiplier = factor * f64::from(1u32 << drop) * f64::from(1u32 << shift) + 0.5;
            let product = f64::from(limit >> drop) * multiplier + f64::from(1u32 << (shift - 1));
            if multiplier < 65_536.0 && product < 4_294_967_296.0 {
                let multiplier = multiplier as u16;
                return Some(Requantize { limit, multiplier, drop: drop as u8, shift });
            }
            shift -= 1;
            if shift == 0 {
                return None;
            }
        }
    }

    /// The activation for a sum. Never panics.
    #[inline(always)]
    pub const fn apply(self, sum: i32) -> u8 {
        if sum <= 0 {
            return 0;
        }
        let sum = if sum as u32 > self.limit { self.limit } else { sum as u32 };
        let t = sum >> (self.drop & 31);
        let half = (1u32 << (self.shift & 31)) >> 1;
        let y = t.wrapping_mul(self.multiplier as u32).wrapping_add(half) >> (self.shift & 31);
        if y > 255 { 255 } else { y as u8 }
    }

    /// The four numbers that define it: `limit, multiplier, drop, shift`.
    pub const fn parts(self) -> (u32, u16, u8, u8) {
        (self.limit, self.multiplier, self.drop, self.shift)
    }

    /// From its four numbers, as generated code writes it; `None` if some sum would overflow.
    pub const fn from_parts(limit: u32, multiplier: u16, drop: u8, shift: u8) -> Option<Self> {
        if drop > 31 || shift == 0 || shift > 31 {
            return None;
        }
        let most = (limit >> drop) as u64 * multiplier as u64 + (1u64 << (shift - 1));
        if most > u32::MAX as u64 {
            return None;
        }
        Some(Requantize { limit, multiplier, drop, shift })
    }
}
