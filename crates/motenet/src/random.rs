//! Random numbers that are the same everywhere: integers from a generator, then exact arithmetic.

use crate::kernels::Portable;
use crate::math;
use rand_core::{Rng, SeedableRng};
use rand_xorshift::XorShiftRng;

/// The default generator of the crate: Marsaglia's xorshift, 128 bits of state.
///
/// Its state is filled from `seed` by [`mix`], written out here, so that no update of another crate
/// changes what a seed means.
pub fn generator(seed: u64) -> XorShiftRng {
    let (low, high) = (mix(seed), mix(seed ^ 0x6D6F_7465_6E65_7421));
    let state = (u128::from(high) << 64 | u128::from(low)).to_le_bytes();
    XorShiftRng::from_seed(state)
}

/// A permutation of the 64-bit integers that scatters its input: the output function of SplitMix64
/// (Steele, Lea and Flood, 2014), its increment included. Never panics.
#[inline(always)]
pub const fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Uniform in `[0, 1)`: 24 random bits over 2²⁴, exact. Never panics.
#[inline]
pub fn uniform<R: Rng>(rng: &mut R) -> f32 {
    (rng.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// Uniform among `0..n`, by multiplication: `⌊n · u / 2³²⌋` for 32 random bits `u`.
///
/// # Accuracy
/// Exact integers; no value is more likely than another by more than one part in `2³² / n`. Returns 0
/// for `n = 0`. Never panics.
#[inline]
pub fn below<R: Rng>(rng: &mut R, n: u32) -> u32 {
    ((u64::from(n) * u64::from(rng.next_u32())) >> 32) as u32
}

/// A standard normal number, by Marsaglia's polar method (1964): for a point `(u, v)` uniform in the
/// unit disc and `s = u² + v²`, `u · √(−2 ln s / s)` is normal.
///
/// # Accuracy
/// Bit-exact across targets. The second number of each pair is dropped, so that the stream of one call
/// does not depend on the call before. Never panics.
pub fn normal<R: Rng>(rng: &mut R) -> f32 {
    loop {
        let u = 2.0 * uniform(rng) - 1.0;
        let v = 2.0 * uniform(rng) - 1.0;
        let s = u * u + v * v;
        if s > 0.0 && s < 1.0 {
            return u * math::sqrt(-2.0 * math::ln::<Portable>(s) / s);
        }
    }
}

/// Puts `items` in random order (Fisher and Yates; Durstenfeld's form, last place first). Never panics.
pub fn shuffle<R: Rng, T>(rng: &mut R, items: &mut [T]) {
    for k in (1..items.len()).rev() {
        let other = below(rng, k as u32 + 1) as usize;
        // `swap` would keep a branch that panics where code is optimised for size.
        if let Ok([item, other]) = items.get_disjoint_mut([k, other]) {
            core::mem::swap(item, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_means_the_same_for_ever() {
        let mut rng = generator(1);
        assert_eq!([rng.next_u32(), rng.next_u32()], GOLDEN);
        assert_ne!(generator(2).next_u32(), GOLDEN[0]);
    }
    const GOLDEN: [u32; 2] = [2_818_725_278, 1_755_801_663];

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let (mut rng, n) = (generator(3), 100_000);
        let (mut sum, mut squares, mut beyond_2) = (0.0f64, 0.0f64, 0);
        for _ in 0..n {
            let z = f64::from(normal(&mut rng));
            sum += z;
            squares += z * z;
            beyond_2 += u32::from(z.abs() > 2.0);
        }
        // Five standard errors: of the mean 5/√n, of the variance 5·√(2/n), of the tail (4.55 %) 5·√(p/n).
        assert!((sum / f64::from(n)).abs() < 0.016);
        assert!((squares / f64::from(n) - 1.0).abs() < 0.023);
        assert!((f64::from(beyond_2) / f64::from(n) - 0.0455).abs() < 0.0034);
    }

    #[test]
    fn shuffling_keeps_every_item() {
        let mut items: [u16; 257] = core::array::from_fn(|k| k as u16);
        shuffle(&mut generator(4), &mut items);
        assert_ne!(items[..4], [0, 1, 2, 3]);
        items.sort_unstable();
        assert!(items.iter().enumerate().all(|(k, &item)| item == k as u16));
    }

    #[test]
    fn below_reaches_both_ends() {
        let mut rng = generator(5);
        let mut seen = [0; 5];
        for _ in 0..1000 {
            seen[below(&mut rng, 5) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| (140..260).contains(&count)), "{seen:?}");
        assert_eq!(below(&mut rng, 0), 0);
    }
}
