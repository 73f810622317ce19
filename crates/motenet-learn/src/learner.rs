//! The learner: forward, loss, backward, accumulate; and at the end of a batch a step.

use motenet::kernels::{descend, scale_bytes};
use motenet::{
    Acts, Init, Loss, Pass, Scheme, Shard, Simd, SoftmaxCrossEntropy, Tensor, Train, random,
};
use sha2::{Digest, Sha256};

/// What one unit of an input byte is worth: a pixel is `byte / 255`.
const SCALE: f32 = 1.0 / 255.0;

/// A network that learns to tell classes apart, with room for `N` samples at a time.
///
/// A batch may come in any number of calls of [`learn`](Learner::learn), and ends with a [`step`](Learner::step).
///
/// # Accuracy
/// Weights, losses and logits are bit-exact across targets, [`Simd`] levels and `N`.
///
/// # Memory
/// With `N = 1`: [`TrainFootprint::TRAIN_RAM_BYTES`](crate::TrainFootprint::TRAIN_RAM_BYTES). All bytes are zero at
/// first, so a `static` of it costs no flash.
#[derive(Clone, Debug)]
pub struct Learner<M: Train, const N: usize = 1> {
    weights: M,
    grad: M,
    x: [M::Input; N],
    acts: M::Acts<N>,
    d_acts: M::Acts<N>,
    losses: [f32; N],
    seed: u64,
    /// Samples learned from since the start.
    seen: u32,
    steps: u32,
}

impl<M: Train, const N: usize> Learner<M, N> {
    /// All weights zero: [`init`](Learner::init) or write them before learning.
    pub const fn new() -> Self {
        use motenet::Zero;
        Learner {
            weights: M::ZERO,
            grad: M::ZERO,
            x: [const { <M::Input as Zero>::ZERO }; N],
            acts: M::Acts::<N>::ZERO,
            d_acts: M::Acts::<N>::ZERO,
            losses: [0.0; N],
            seed: 0,
            seen: 0,
            steps: 0,
        }
    }

    /// The weights, one after the other.
    pub fn weights(&self) -> &[f32] {
        self.weights.flat()
    }

    /// The weights, to be written: a network that goes on from where another stopped.
    pub fn weights_mut(&mut self) -> &mut [f32] {
        self.weights.flat_mut()
    }

    /// The logits of the samples of the last call of `learn` or `evaluate`, in order; of rows past those the last
    /// values they had.
    pub fn logits(&self) -> &[M::Output] {
        self.acts.output()
    }

    /// The loss `−ln p[label]` of each of those samples.
    pub fn losses(&self) -> &[f32] {
        &self.losses
    }

    /// Steps taken since the start.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Starts anew with weights drawn from `seed` (He et al., 2015).
    pub fn init(&mut self, seed: u64)
    where
        M: Init,
    {
        self.weights.init(Scheme::KaimingNormal, 1.0, &mut random::generator(seed));
        self.restart(seed);
    }

    /// Forgets the batch under way and counts samples and steps from 0, with the weights as they are; `seed` is what
    /// the masks of a [`Dropout`](motenet::Dropout) are drawn from.
    pub fn restart(&mut self, seed: u64) {
        self.grad.flat_mut().fill(0.0);
        (self.seed, self.seen, self.steps) = (seed, 0, 0);
    }

    /// Adds `share` times the gradient of each sample's loss: `share` is one over the samples of the batch. A sample is
    /// its bytes and its label.
    ///
    /// # Shapes
    /// At most `N` samples, further ones are left out; bytes past the input's length as well, and missing ones are 0. A
    /// label that is no class counts as one that is never right. Never panics.
    pub fn learn(&mut self, simd: Simd, samples: &[(&[u8], u8)], share: f32)
    where
        SoftmaxCrossEntropy: Loss<M::Output, Target = u8>,
    {
        let pass = Pass::train(simd, self.seed, self.seen.into());
        let labels = self.forward(pass, samples);
        let Learner { weights, grad, x, acts, d_acts, losses, .. } = self;
        let x = x.get(..samples.len()).unwrap_or(x);
        let loss = SoftmaxCrossEntropy::default();
        let (targets, dy) = (labels.get(..x.len()).unwrap_or(&labels), d_acts.output_mut());
        loss.gradient(simd, acts.output(), targets, share, dy, losses);
        weights.backward(pass, x, acts, d_acts, None);
        M::accumulate(pass, x, acts, d_acts, Shard::whole(grad));
        self.seen = self.seen.wrapping_add(x.len() as u32);
    }

    /// What the network makes of samples: their logits and losses. The gradient under way stays as it is.
    pub fn evaluate(&mut self, simd: Simd, samples: &[(&[u8], u8)])
    where
        SoftmaxCrossEntropy: Loss<M::Output, Target = u8>,
    {
        let labels = self.forward(Pass::infer(simd), samples);
        let Learner { acts, d_acts, losses, .. } = self;
        let targets = labels.get(..samples.len()).unwrap_or(&labels);
        let loss = SoftmaxCrossEntropy::default();
        loss.gradient(simd, acts.output(), targets, 1.0, d_acts.output_mut(), losses);
    }

    /// Loads the samples and runs them; returns their labels.
    fn forward(&mut self, pass: Pass, samples: &[(&[u8], u8)]) -> [u8; N] {
        let mut labels = [0; N];
        let rows = self.x.iter_mut().zip(&mut labels);
        for ((x, label), &(bytes, of)) in rows.zip(samples) {
            let x = M::Input::flatten_mut(core::slice::from_mut(x));
            // Only where a caller has given too few.
            x.get_mut(bytes.len()..).unwrap_or_default().fill(0.0);
            scale_bytes(pass.simd, bytes, SCALE, x);
            *label = of;
        }
        let x = self.x.get(..samples.len()).unwrap_or(&self.x);
        self.weights.forward(pass, x, &mut self.acts);
        labels
    }

    /// The end of a batch: `w ← w − η·(g + λ·w)`, and the gradient is zero again. `learning_rate` is η, `weight_decay` λ.
    ///
    /// Plain descent, [`descend`], which costs a third less where λ is 0.
    pub fn step(&mut self, simd: Simd, learning_rate: f32, weight_decay: f32) {
        self.steps = self.steps.wrapping_add(1);
        descend(simd, learning_rate, weight_decay, self.weights.flat_mut(), self.grad.flat_mut());
    }

    /// SHA-256 of the weights as bytes, lowest first.
    pub fn sha256(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for weight in self.weights() {
            hash.update(weight.to_le_bytes());
        }
        hash.finalize().into()
    }
}

impl<M: Train, const N: usize> Default for Learner<M, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DigitNetwork;
    use motenet::{Dense, Dropout, Relu, Seq};
    use std::boxed::Box;
    use std::vec::Vec;

    /// Pictures that are mostly dark, as digits are.
    fn pictures<const LEN: usize>(count: usize) -> Vec<([u8; LEN], u8)> {
        let mut rng = random::generator(7);
        let mut below = |n| random::below(&mut rng, n) as u8;
        (0..count)
            .map(|_| {
                let pixels = core::array::from_fn(|_| if below(5) == 0 { below(256) } else { 0 });
                (pixels, below(10))
            })
            .collect()
    }

    /// Two steps in batches of `batch`, as learners with room for `N` and for one take them.
    fn both<M: Train + Init, const LEN: usize, const N: usize>(batch: usize) -> [[u8; 32]; 2]
    where
        SoftmaxCrossEntropy: Loss<M::Output, Target = u8>,
    {
        let (mut one, mut many) = (Box::new(Learner::<M>::new()), Box::new(Learner::<M, N>::new()));
        one.init(3);
        many.init(3);
        let pictures = pictures::<LEN>(2 * batch);
        for batch in pictures.chunks(batch) {
            let share = 1.0 / batch.len() as f32;
            let samples: Vec<(&[u8], u8)> = batch.iter().map(|(x, y)| (&x[..], *y)).collect();
            for part in samples.chunks(N) {
                many.learn(Simd::detect(), part, share);
                for (at, sample) in part.iter().enumerate() {
                    one.learn(Simd::baseline(), &[*sample], share);
                    assert_eq!(one.losses()[0].to_bits(), many.losses()[at].to_bits());
                    let logits = |rows| Vec::from(M::Output::flatten(rows));
                    assert_eq!(logits(&one.logits()[..1]), logits(&many.logits()[at..=at]));
                }
            }
            one.step(Simd::baseline(), 0.2, 1e-4);
            many.step(Simd::detect(), 0.2, 1e-4);
        }
        assert_eq!((one.steps(), many.steps()), (2, 2));
        [one.sha256(), many.sha256()]
    }

    #[test]
    fn a_batch_equals_its_samples_one_by_one() {
        let [one, many] = both::<DigitNetwork, 784, 8>(13);
        assert_eq!(one, many);
        // Masks are drawn by the number of the sample.
        type Net = Seq![Dense<17, 9>, Relu<9>, Dropout<9, 40>, Dense<9, 10>];
        let [one, many] = both::<Net, 17, 5>(7);
        assert_eq!(one, many);
    }

    #[test]
    fn it_learns_and_evaluating_changes_nothing() {
        type Net = Seq![Dense<6, 5>, Relu<5>, Dense<5, 3>];
        let mut learner = Learner::<Net>::new();
        learner.init(1);
        let samples: [(&[u8], u8); 3] =
            [(&[200, 0, 0, 0, 9, 0], 0), (&[0, 0, 250, 0, 0, 0], 1), (&[0, 90, 0, 0, 0, 255], 2)];
        for _ in 0..200 {
            for sample in samples {
                learner.learn(Simd::baseline(), &[sample], 1.0 / 3.0);
            }
            learner.step(Simd::baseline(), 0.5, 0.0);
        }
        let hash = learner.sha256();
        for (x, label) in samples {
            learner.evaluate(Simd::baseline(), &[(x, label)]);
            assert_eq!(motenet::argmax(&learner.logits()[0]), usize::from(label));
            assert!(learner.losses()[0] < 0.05);
        }
        learner.step(Simd::baseline(), 0.5, 0.0);
        assert_eq!(hash, learner.sha256());
        learner.init(1);
        assert_ne!(hash, learner.sha256());
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        type Net = Dense<3, 2>;
        let learn = |samples: &[(&[u8], u8)]| {
            let mut learner = Learner::<Net, 2>::new();
            learner.init(5);
            // What an earlier sample leaves behind is not seen.
            learner.evaluate(Simd::baseline(), &[(&[9, 9, 9], 0), (&[8, 8, 8], 0)]);
            learner.learn(Simd::baseline(), samples, 1.0);
            learner.step(Simd::baseline(), 1.0, 0.0);
            learner.sha256()
        };
        let two: [(&[u8], u8); 2] = [(&[1, 2, 3], 0), (&[4, 0, 0], 1)];
        assert_eq!(learn(&two), learn(&[(&[1, 2, 3, 9], 0), (&[4], 1), (&[7, 7, 7], 0)]));
        assert_ne!(learn(&two), learn(&two[..1]));
    }

    #[test]
    fn the_hash_is_that_of_the_bytes() {
        let mut learner = Learner::<Dense<2, 1>>::new();
        learner.weights_mut().copy_from_slice(&[1.0, -0.0, f32::MIN_POSITIVE]);
        let bytes = [0, 0, 128, 63, 0, 0, 0, 128, 0, 0, 128, 0];
        assert_eq!(learner.sha256(), <[u8; 32]>::from(Sha256::digest(bytes)));
    }
}
