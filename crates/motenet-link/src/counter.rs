//! What a chip counts while it infers.

/// From ticks of a chip's counter to what they mean: `count = ⌊(ticks·numerator + denominator/2) / denominator⌋`.
///
/// ```
/// use motenet_link::{Counter, Unit};
/// // SysTick at 25 MHz in a simulator that runs one instruction in 64 ns.
/// const SYSTICK: Counter = Counter { unit: Unit::Instructions, numerator: 40, denominator: 64 };
/// assert_eq!(SYSTICK.count(16), 10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// What is counted.
    pub unit: Unit,
    /// What a difference of ticks is multiplied by.
    pub numerator: u32,
    /// What the product is divided by; 0 is read as 1.
    pub denominator: u32,
}

impl Counter {
    /// Ticks that are what they count.
    pub const fn one(unit: Unit) -> Self {
        Counter { unit, numerator: 1, denominator: 1 }
    }

    /// The count for a difference of ticks, rounded to nearest, a half up. Never panics; saturates.
    #[inline]
    pub const fn count(self, ticks: u32) -> u32 {
        let denominator = if self.denominator == 0 { 1 } else { self.denominator as u64 };
        let product = ticks as u64 * self.numerator as u64 + denominator / 2;
        let count = product / denominator;
        if count > u32::MAX as u64 { u32::MAX } else { count as u32 }
    }
}

/// What a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Unit {
    /// Clock cycles: real time on a real chip.
    Cycles = 1,
    /// Executed instructions, in a simulator: exact and repeatable, but not time.
    Instructions = 2,
}

impl Unit {
    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Unit::Cycles),
            2 => Some(Unit::Instructions),
            _ => None,
        }
    }
}

impl core::fmt::Display for Unit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Unit::Cycles => "cycles",
            Unit::Instructions => "instructions",
        })
    }
}
