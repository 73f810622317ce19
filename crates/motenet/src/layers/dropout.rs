//! Dropout (Srivastava et al., 2014), scaled in training so that inference is the identity.
//!
//! ```text
//! y[k] = x[k]·mask[k] / (1 − p),   mask[k] = 1 with probability 1 − p, else 0
//! dx[k] = dy[k]·mask[k] / (1 − p)
//! ```
//!
//! The mask is not stored. It is a pure function of (seed, layer, sample, k), made anew in the backward
//! pass: it costs no memory and does not depend on how a batch is split.

use crate::first_layer::FirstLayer;
use crate::layer::{Layer, LayerInfo, Noise, Pass, Train};
use crate::random::mix;
use crate::tensor::{first, first_mut};
use crate::{Init, Scheme, Shard};
use rand_core::Rng;

/// Zeroes each element with probability `PERCENT / 100` while training; the identity in inference.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dropout<const N: usize, const PERCENT: u32>;

impl<const LEN: usize, const PERCENT: u32> Dropout<LEN, PERCENT> {
    /// Elements are kept whose 32 random bits lie below this: `2³²·(1 − p)`.
    const KEEP: u64 = {
        assert!(PERCENT < 100, "Dropout: PERCENT must be below 100, or nothing is left");
        (1 << 32) * (100 - PERCENT as u64) / 100
    };
    const SCALE: f32 = 100.0 / (100 - PERCENT) as f32;

    /// `y[n][k] = x[n][k]·mask[n][k] / (1 − p)`
    fn mask(noise: Noise, x: &[[f32; LEN]], y: &mut [[f32; LEN]]) {
        for ((x, y), sample) in x.iter().zip(y).zip(0..) {
            let row = mix(noise.key ^ mix(noise.first_sample.wrapping_add(sample)));
            for ((x, y), k) in x.iter().zip(y).zip(0..) {
                let kept = mix(row.wrapping_add(k)) >> 32 < Self::KEEP;
                *y = if kept { x * Self::SCALE } else { 0.0 };
            }
        }
    }

    #[inline]
    fn apply(pass: Pass, x: &[[f32; LEN]], y: &mut [[f32; LEN]]) {
        match pass.noise() {
            Some(noise) => Self::mask(noise, x, y),
            None => {
                for (x, y) in x.iter().zip(y) {
                    *y = *x;
                }
            }
        }
    }
}

impl<const LEN: usize, const PERCENT: u32> Layer for Dropout<LEN, PERCENT> {
    type Input = [f32; LEN];
    type Output = [f32; LEN];
    type Acts<const N: usize> = [[f32; LEN]; N];

    /// `y = x·mask / (1 − p)`
    fn forward<const N: usize>(&self, pass: Pass, x: &[[f32; LEN]], y: &mut [[f32; LEN]; N]) {
        debug_assert!(x.len() <= N, "a batch of {} does not fit a workspace of {N}", x.len());
        Self::apply(pass, x, first_mut(y, x.len()));
    }

    fn describe(visit: &mut dyn FnMut(LayerInfo)) {
        visit(LayerInfo { name: "Dropout", input_len: LEN, output_len: LEN, params: 0, macs: 0 });
    }
}

impl<const LEN: usize, const PERCENT: u32> Train for Dropout<LEN, PERCENT> {
    /// `dx = dy·mask / (1 − p)`
    fn backward<const N: usize>(
        &self,
        pass: Pass,
        x: &[[f32; LEN]],
        _y: &[[f32; LEN]; N],
        dy: &mut [[f32; LEN]; N],
        dx: Option<&mut [[f32; LEN]]>,
    ) {
        if let Some(dx) = dx {
            Self::apply(pass, first(dy, x.len()), dx);
        }
    }

    fn accumulate<const N: usize>(
        _: Pass,
        _: &[[f32; LEN]],
        _: &[[f32; LEN]; N],
        _: &[[f32; LEN]; N],
        _: Shard<'_>,
    ) {
    }
}

impl<const LEN: usize, const PERCENT: u32> FirstLayer for Dropout<LEN, PERCENT> {}

impl<const N: usize, const PERCENT: u32> Init for Dropout<N, PERCENT> {
    const GAIN: f32 = 1.0;

    fn init<R: Rng>(&mut self, _: Scheme, _: f32, _: &mut R) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seq, Simd, Zero};

    type Layer30 = Dropout<1000, 30>;

    fn forward(pass: Pass, samples: usize) -> std::vec::Vec<[f32; 1000]> {
        let mut y = [[0.0; 1000]; 8];
        Layer30 {}.forward(pass, &[[1.0; 1000]; 8][..samples], &mut y);
        y[..samples].to_vec()
    }

    #[test]
    fn inference_is_the_identity() {
        assert_eq!(forward(Pass::infer(Simd::baseline()), 2), [[1.0; 1000]; 2]);
    }

    #[test]
    fn keeps_its_share_and_its_mean() {
        let y = forward(Pass::train(Simd::baseline(), 5, 0), 8);
        let kept = y.as_flattened().iter().filter(|y| **y > 0.0).count();
        // 8,000 draws at 0.7: five standard deviations are 205.
        assert!((5395..=5805).contains(&kept), "{kept} of 8000 kept at 70 %");
        assert!(y.as_flattened().iter().all(|&y| y == 0.0 || y == 1.0 / 0.7));
    }

    #[test]
    fn masks_follow_the_sample_not_the_batch() {
        let all = forward(Pass::train(Simd::baseline(), 5, 100), 4);
        for (sample, y) in (100..).zip(&all) {
            assert_eq!(forward(Pass::train(Simd::baseline(), 5, sample), 1), [*y]);
        }
        assert_ne!(all[0], all[1]);
        assert_ne!(forward(Pass::train(Simd::baseline(), 6, 100), 4), all);
    }

    #[test]
    fn two_in_a_row_drop_different_elements() {
        type Two = Seq![Dropout<1000, 50>, Dropout<1000, 50>];
        let mut acts = <Two as Layer>::Acts::<1>::ZERO;
        let pass = Pass::train(Simd::baseline(), 5, 0);
        Two::ZERO.forward(pass, &[[1.0; 1000]], &mut acts);
        let kept = crate::Acts::output(&acts)[0].iter().filter(|y| **y > 0.0).count();
        assert!((181..=319).contains(&kept), "{kept} of 1000 kept at 25 %"); // five deviations
    }

    #[test]
    fn backward_passes_what_forward_kept() {
        let pass = Pass::train(Simd::baseline(), 9, 3);
        let y = forward(pass, 1);
        let (mut dy, mut dx) = ([[2.0; 1000]], [[0.0; 1000]]);
        Layer30 {}.backward(pass, &[[1.0; 1000]], &[y[0]], &mut dy, Some(&mut dx));
        assert!(y[0].iter().zip(dx[0]).all(|(y, dx)| 2.0 * y == dx));
    }
}
