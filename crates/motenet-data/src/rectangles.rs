//! Grey rectangles and their mean: a dataset whose right answer is known exactly.
//!
//! Each rectangle is `N` grey values, uniform in [0, 1] and rounded to one decimal, and its target
//! is their mean. One neuron with the weights 1/N solves it, so it shows that a model learns before
//! anything else is known about it.
//!
//! # Limits
//! The mean of many values varies little: its standard deviation is √(0.085/N), so for N = 10,000
//! always answering 0.5 is off by 0.003 only. Compare a loss with that.

use crate::random::Random;

/// Keeps these random numbers apart from those of other datasets under the same seed.
const STREAM: u64 = 0x7265_6374;

/// Rectangles of `N` grey values with their means.
///
/// # Memory
/// `4·(N + 1)` bytes a rectangle, on the heap. No array of `N` is ever made on the stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Rectangles<const N: usize> {
    pixels: Vec<f32>,
    means: Vec<f32>,
}

impl<const N: usize> Rectangles<N> {
    /// The rectangles: `pixels()[k]` belongs to `means()[k]`. Each value is the `f32` nearest to
    /// 0, 0.1, … 1.
    pub fn pixels(&self) -> &[[f32; N]] {
        self.pixels.as_chunks().0
    }

    /// The targets: `means()[k]` = (Σᵢ `pixels()[k][i]`)/N, summed in ascending `i`.
    pub fn means(&self) -> &[f32] {
        &self.means
    }

    /// How many rectangles there are.
    pub fn len(&self) -> usize {
        self.means.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.means.is_empty()
    }
}

/// Makes `count` rectangles; rectangle k depends on (`seed`, k, `N`) alone.
///
/// Rounding a uniform value gives 0 and 1 half the chance of the nine values between.
/// `N` = 0 does not compile.
///
/// # Accuracy
/// Bit-exact across targets.
///
/// # Panics
/// Where `count·N` values exceed the address space, as any allocation does.
///
/// ```
/// let set = motenet_data::rectangles::rectangles::<4>(1, 3);
/// let [a, b, c, d] = set.pixels()[2];
/// assert_eq!(set.means()[2], (a + b + c + d) / 4.0);
/// ```
pub fn rectangles<const N: usize>(seed: u64, count: usize) -> Rectangles<N> {
    let length = N.checked_mul(count).expect("count·N overflows usize");
    let mut pixels = vec![0.0; length];
    let mut means = Vec::with_capacity(count);
    for (k, row) in pixels.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        let mut random = Random::new(seed, STREAM, k as u64);
        let mut sum = 0.0;
        for value in row.iter_mut() {
            // 20 equal parts of [0, 1] rounded: 0 | 1 1 | 2 2 | … | 9 9 | 10.
            *value = random.below(20).div_ceil(2) as f32 / 10.0;
            sum += *value;
        }
        means.push(sum / N as f32);
    }
    Rectangles { pixels, means }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_the_eleven_tenths_with_the_right_frequencies() {
        let set = rectangles::<1000>(3, 100);
        let mut seen = [0_u32; 11];
        for &value in set.pixels().as_flattened() {
            let tenth = (f64::from(value) * 10.0).round() as usize;
            // The literal parsed by the compiler is the nearest f32.
            let nearest: f32 = format!("{}.{}", tenth / 10, tenth % 10).parse().unwrap();
            assert_eq!(value.to_bits(), nearest.to_bits());
            seen[tenth] += 1;
        }
        for (tenth, &n) in seen.iter().enumerate() {
            // Five standard deviations of a binomial with 100,000 trials.
            let expected = if tenth % 10 == 0 { 5_000 } else { 10_000 };
            assert!(n.abs_diff(expected) < 480, "{tenth}: {n}");
        }
    }

    #[test]
    fn means_agree_with_double_precision() {
        let set = rectangles::<10_000>(5, 7);
        for (row, &mean) in set.pixels().iter().zip(set.means()) {
            let exact: f64 = row.iter().map(|&v| f64::from(v)).sum::<f64>() / 10_000.0;
            // An ascending f32 sum of 10,000 terms: at most n·2⁻²⁴ relative, in truth far less.
            assert!((f64::from(mean) - exact).abs() < 6e-4 * exact);
        }
    }

    #[test]
    fn a_longer_set_starts_with_the_shorter_one() {
        let (short, long) = (rectangles::<7>(1, 3), rectangles::<7>(1, 9));
        assert_eq!(short.pixels(), &long.pixels()[..3]);
        assert_eq!(short.means(), &long.means()[..3]);
        assert_ne!(short, rectangles::<7>(2, 3));
        assert!(rectangles::<7>(1, 0).is_empty());
    }

    #[test]
    fn a_big_rectangle_fits_a_small_stack() {
        let made = std::thread::Builder::new()
            .stack_size(256 * 1024)
            .spawn(|| rectangles::<1_000_000>(1, 2).len());
        assert_eq!(made.unwrap().join().unwrap(), 2);
    }

    #[test]
    fn bits_are_pinned() {
        // Computed by a separate program from the definitions of SplitMix64 and xorshift128.
        let expected = [4, 5, 0, 5, 1, 0, 8, 2, 4, 1, 2, 3, 7, 7, 6];
        let set = rectangles::<3>(1, 5);
        let tenths = set.pixels().as_flattened().iter().map(|v| (v * 10.0).round() as u8);
        assert_eq!(tenths.collect::<Vec<_>>(), expected);
    }
}
