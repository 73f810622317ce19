//! A step whose samples are shared out among threads.
//!
//! First each thread takes a run of the batch through the network and back (samples are independent). Then
//! each thread takes a run of the *parameters*, adds up their gradient over all samples in order, and moves
//! them. It serves every network and recipe, but each step carries weights from core to core, and each round samples and
//! activations: for small batches `by_columns.rs` is better, where it can do a step.
//!
//! What was tried on two cores, 784-64-10: asking for the others' weights, samples or one's own parameters ahead, all at
//! once (nothing gained: it is a matter of how many lines come in a second; a block ahead, in the kernel, gains
//! 5 % in batches of 512); loading the others' samples anew, from memory that nobody writes (better for cores that are far
//! from each other, worse for neighbours).

use crate::lane::{CAPACITY, Lane};
use crate::profile::Phase;
use crate::samples::Samples;
use crate::step::{Batch, Crew, Part, Whole};
use motenet::optimizers::clip_norm;
use motenet::{Aligned, Params, Pass, Shard, Zero};
use motenet_models::{Input, Model, Target};

/// The parameters of a model in training, shared.
pub(crate) struct BySamples<M: Model> {
    pub(crate) whole: Whole<M>,
    /// Zero between steps.
    grad: Box<Aligned<M::Network>>,
}

impl<M: Model> BySamples<M> {
    pub(crate) fn new(whole: Whole<M>) -> Self {
        BySamples { whole, grad: Zero::boxed() }
    }

    /// One step of the optimizer; `visit` gets the lanes with their results, in order.
    pub(crate) fn step(
        &mut self,
        crew: Crew<'_, M>,
        samples: &(impl Samples<Input<M>, Target<M>> + ?Sized),
        batch: Batch<'_>,
        mut visit: impl FnMut(&Lane<M>),
    ) {
        let Crew { team, lanes, watches, simd } = crew;
        let recipe = batch.settings.recipe;
        let loss = M::loss(recipe.label_smoothing);
        let round_length = lanes.len() * CAPACITY;
        let rounds = batch.indices.len().div_ceil(round_length);
        let clips = recipe.clip_norm > 0.0;
        for (round, indices) in batch.indices.chunks(round_length).enumerate() {
            let share = indices.len().div_ceil(lanes.len());
            let network = &**self.whole.network;
            let pass = |lane: usize| {
                let before = (round * round_length + lane * share) as u64;
                Pass::train(simd, batch.settings.seed, batch.first_sample + before)
            };
            team.each(
                lanes.iter_mut().zip(shares(indices, share)).zip(&mut *watches),
                |k, ((lane, share), watch)| {
                    watch.count(share.len());
                    let pass = watch.watched(pass(k));
                    watch.time(Phase::Load, || lane.load(pass, samples, share));
                    watch.time(Phase::Forward, || lane.forward(network, pass));
                    watch.time(Phase::Loss, || lane.loss(&loss, pass, batch.scale));
                    watch.time(Phase::Backward, || lane.backward(network, pass));
                },
            );
            lanes.iter().for_each(&mut visit);

            let lanes = &*lanes;
            let last = round + 1 == rounds;
            let shards = shards(&mut self.whole, &mut self.grad, lanes.len());
            team.each(shards.zip(&mut *watches), |_, ((start, part), watch)| {
                for (k, lane) in lanes.iter().enumerate() {
                    let pass = watch.watched(pass(k));
                    watch.time(Phase::Gradient, || {
                        lane.accumulate(pass, Shard::new(start, part.grad));
                    });
                }
                if last && !clips {
                    watch.time(Phase::Update, || part.update(&recipe.optimizer, simd, batch.step));
                }
            });
        }
        if clips {
            clip_norm(simd, self.grad.flat_mut(), recipe.clip_norm);
            let shards = shards(&mut self.whole, &mut self.grad, lanes.len());
            team.each(shards.zip(watches), |_, ((_, part), watch)| {
                watch.time(Phase::Update, || part.update(&recipe.optimizer, simd, batch.step));
            });
        }
    }
}

/// `indices` in runs of `length`, one for each thread; those that come too late get none.
pub(crate) fn shares(indices: &[u32], length: usize) -> impl Iterator<Item = &[u32]> {
    indices.chunks(length).chain(std::iter::repeat(&[][..]))
}

/// Cuts the parameters, with their gradient and moments, into `count` runs of about equal length, and says where each
/// starts.
fn shards<'a, M: Model>(
    whole: &'a mut Whole<M>,
    grad: &'a mut M::Network,
    count: usize,
) -> impl Iterator<Item = (usize, Part<'a>)> {
    // A cut inside a row of weights costs a little; layers are often a power of two wide.
    let length = M::Network::COUNT.div_ceil(count).next_multiple_of(512);
    let [first, second] = &mut whole.moments;
    let mut first = first.chunks_mut(length);
    let mut second = second.chunks_mut(length);
    let weights = whole.network.flat_mut().chunks_mut(length);
    let parts = weights.zip(grad.flat_mut().chunks_mut(length)).enumerate();
    parts.map(move |(k, (weights, grad))| {
        let (first, second) = (first.next(), second.next());
        let (first, second) = (first.unwrap_or_default(), second.unwrap_or_default());
        (k * length, Part { weights, grad, first, second })
    })
}
