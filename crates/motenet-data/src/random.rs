//! Random numbers that no update of a crate can change.
//!
//! xorshift128 (Marsaglia, "Xorshift RNGs", 2003) comes from `rand_xorshift` through
//! `from_seed`, whose bits are the algorithm's own. What `rand` builds on top (ranges, floats,
//! `seed_from_u64`) may change between versions, so that part is here.

use rand_core::{Rng, SeedableRng};
use rand_xorshift::XorShiftRng;

/// The random numbers of item `k` of a dataset: a pure function of (`seed`, `stream`, `k`).
pub(crate) struct Random(XorShiftRng);

impl Random {
    /// `stream` keeps apart numbers that serve different purposes under one seed.
    pub(crate) fn new(seed: u64, stream: u64, k: u64) -> Self {
        // Each word is mixed before the next is added, so that (1, 2) and (2, 1) differ.
        let mut state = split_mix(seed);
        state = split_mix(state ^ stream);
        state = split_mix(state ^ k);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&split_mix(state).to_le_bytes());
        bytes[8..].copy_from_slice(&split_mix(!state).to_le_bytes());
        Self(XorShiftRng::from_seed(bytes))
    }

    /// Uniform in 0..`n`, with a bias under `n`/2³².
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(n)) >> 32) as u32
    }

    /// Uniform in [0, 1): a multiple of 2⁻²⁴, so exact in `f32`.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / 16_777_216.0
    }

    /// Uniform in [`low`, `high`), up to rounding.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Nearly normal, mean 0, variance 1, within ±3.5: the sum of four uniforms, scaled.
    pub(crate) fn bell(&mut self) -> f32 {
        // Var(uniform) = 1/12, so the sum of four has variance 1/3. The literal is √3 in f32.
        let sum = self.unit() + self.unit() + self.unit() + self.unit();
        (sum - 2.0) * 1.732_050_8
    }
}

/// The output step of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", 2014), a bijection on 64 bits.
fn split_mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_mix_gives_the_known_first_number_of_seed_0() {
        // First output of the reference implementation for seed 0.
        assert_eq!(split_mix(0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn seed_stream_and_item_are_not_interchangeable() {
        let first = |s, t, k| Random::new(s, t, k).below(u32::MAX);
        let all = [first(1, 2, 3), first(1, 3, 2), first(2, 1, 3), first(3, 2, 1), first(0, 0, 0)];
        for (i, a) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|b| a != b));
        }
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut random = Random::new(7, 0, 0);
        let n = 100_000;
        let (mut unit, mut bell, mut square) = (0.0_f64, 0.0_f64, 0.0_f64);
        for _ in 0..n {
            let u = random.unit();
            assert!((0.0..1.0).contains(&u));
            unit += f64::from(u);
            let b = f64::from(random.bell());
            assert!(b.abs() <= 3.5);
            bell += b;
            square += b * b;
        }
        let n = f64::from(n);
        // Five standard errors: 5·√(1/12/n), 5·√(1/n), 5·√(2/n).
        assert!((unit / n - 0.5).abs() < 0.0046);
        assert!((bell / n).abs() < 0.016);
        assert!((square / n - 1.0).abs() < 0.023);
    }

    #[test]
    fn below_reaches_every_value_and_no_other() {
        let mut random = Random::new(0, 0, 0);
        let mut seen = [0_u32; 7];
        for _ in 0..7_000 {
            seen[random.below(7) as usize] += 1;
        }
        assert!(seen.iter().all(|&n| (850..1150).contains(&n)), "{seen:?}");
    }
}
