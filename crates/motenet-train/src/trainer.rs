//! The training loop.
//!
//! A step has two parallel halves. First each thread takes a run of the batch through the network and
//! back (samples are independent). Then each thread takes a run of the *parameters*, adds up their
//! gradient over all samples in order, and moves them. No sum is ever split between threads, so their
//! number changes no bit.

use crate::lane::{CAPACITY, Lane};
use crate::profile::{Phase, Profile, Stopwatch};
use crate::samples::Samples;
use crate::settings::{Position, Settings};
use crate::team::Team;
use motenet::optimizers::clip_norm;
use motenet::{Aligned, Optimizer, Params, Pass, Shard, Simd, Step, Zero, random};
use motenet_models::{Input, Model, Output, Target};
use std::ops::ControlFlow;

/// A model in training: its parameters, its optimizer's moments, and how far it has come.
pub struct Trainer<M: Model> {
    settings: Settings,
    position: Position,
    network: Box<Aligned<M::Network>>,
    /// Zero between steps.
    grad: Box<Aligned<M::Network>>,
    moments: [Vec<f32>; 2],
    lanes: Vec<Lane<M>>,
    /// One for each lane.
    watches: Vec<Stopwatch>,
    team: Team,
    simd: Simd,
}

/// Where training stands after a step, for whoever watches.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Epochs completed, steps of the running one, and its sums so far.
    pub position: Position,
    /// Steps in an epoch.
    pub steps: u32,
    /// Samples of this epoch seen so far.
    pub samples: u64,
    /// The learning rate of the step.
    pub learning_rate: f32,
}

/// What a pass over a dataset came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Samples seen.
    pub samples: u64,
    /// The mean loss.
    pub loss: f64,
    /// The share that was right.
    pub accuracy: f64,
}

impl Summary {
    fn new(samples: u64, loss_sum: f64, right: u64) -> Self {
        let count = samples.max(1) as f64;
        Summary { samples, loss: loss_sum / count, accuracy: right as f64 / count }
    }
}

impl<M: Model> Trainer<M> {
    /// A fresh model. `threads` and `simd` change no bit of what it becomes.
    pub fn new(settings: Settings, threads: usize, simd: Simd) -> Self {
        let mut network: Box<Aligned<M::Network>> = Zero::boxed();
        let mut rng = random::generator(settings.seed);
        M::init(&mut network, &settings.recipe, &mut rng);
        let kept = settings.recipe.optimizer.moments();
        let moment = |k| vec![0.0; if k < kept { M::Network::COUNT } else { 0 }];
        Trainer {
            settings,
            position: Position::default(),
            network,
            grad: Zero::boxed(),
            moments: [moment(0), moment(1)],
            lanes: (0..threads.max(1)).map(|_| Lane::new()).collect(),
            watches: vec![Stopwatch::default(); threads.max(1)],
            team: Team::new(threads),
            simd,
        }
    }

    /// A model that goes on from where another run stood; `None` if a length does not fit.
    ///
    /// `weights` is the network's flat slice; `moments` those that the optimizer keeps.
    pub fn resume(
        settings: Settings,
        position: Position,
        weights: &[f32],
        moments: &[Vec<f32>],
        threads: usize,
        simd: Simd,
    ) -> Option<Self> {
        let mut trainer: Trainer<M> = Trainer::new(settings, threads, simd);
        trainer.restore(position, weights, moments).then_some(trainer)
    }

    /// Goes to where this run stood elsewhere; `false`, and nothing happens, if a length does not fit.
    ///
    /// `weights` and `moments` as [`resume`](Trainer::resume) takes them.
    pub fn restore(&mut self, position: Position, weights: &[f32], moments: &[Vec<f32>]) -> bool {
        let kept = self.settings.recipe.optimizer.moments();
        let fits = |part: &[f32]| part.len() == M::Network::COUNT;
        if !fits(weights) || moments.len() != kept || !moments.iter().all(|m| fits(m)) {
            return false;
        }
        self.network.flat_mut().copy_from_slice(weights);
        for (moment, saved) in self.moments.iter_mut().zip(moments) {
            moment.copy_from_slice(saved);
        }
        self.position = position;
        true
    }

    /// The settings of the run.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How far the run has come.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The network as it stands.
    pub fn network(&self) -> &M::Network {
        &self.network
    }

    /// The moments that the optimizer keeps.
    pub fn moments(&self) -> impl Iterator<Item = &[f32]> {
        self.moments.iter().filter(|m| !m.is_empty()).map(Vec::as_slice)
    }

    /// From now on the time of each phase of training is taken.
    pub fn start_profile(&mut self) {
        self.watches.fill(Stopwatch { profile: Some(Profile::default()) });
    }

    /// The times since [`start_profile`](Trainer::start_profile), summed over threads; zeros without it.
    pub fn profile(&self) -> Profile {
        let mut sum = Profile::default();
        self.watches.iter().filter_map(|watch| watch.profile.as_ref()).for_each(|p| sum.add(p));
        sum
    }

    /// Whether every epoch has been trained.
    pub fn is_done(&self) -> bool {
        self.position.epoch >= self.settings.recipe.epochs
    }

    /// Trains to the end of the epoch that has begun, or until `watch` breaks after a step.
    ///
    /// The order of the samples is a function of the seed and the epoch, so it does not matter whether
    /// the epoch begins here or was begun before a checkpoint. Returns what the epoch came to, or
    /// `None` if it was broken off; a later call goes on with the next step.
    pub fn train_epoch(
        &mut self,
        samples: &(impl Samples<Input<M>, Target<M>> + ?Sized),
        mut watch: impl FnMut(&Self, Progress) -> ControlFlow<()>,
    ) -> Option<Summary> {
        let batch = self.settings.recipe.batch_size.max(1) as usize;
        let steps = samples.len().div_ceil(batch) as u32;
        let order = self.settings.order(self.position.epoch, samples.len());
        for indices in order.chunks(batch).skip(self.position.step as usize) {
            let learning_rate = self.step(samples, indices, steps);
            let seen = (self.position.step as usize * batch).min(samples.len()) as u64;
            let progress =
                Progress { position: self.position, steps, samples: seen, learning_rate };
            if watch(self, progress).is_break() && self.position.step < steps {
                return None;
            }
        }
        let Position { loss_sum, right, .. } = self.position;
        self.position = Position { epoch: self.position.epoch + 1, ..Position::default() };
        Some(Summary::new(samples.len() as u64, loss_sum, right))
    }

    /// One step of the optimizer on the batch `indices`; returns its learning rate.
    fn step(
        &mut self,
        samples: &(impl Samples<Input<M>, Target<M>> + ?Sized),
        indices: &[u32],
        steps: u32,
    ) -> f32 {
        let recipe = self.settings.recipe;
        let step = self.settings.step(self.position, steps);
        // Counted so that every sample of the run has a number, whatever the last batch's length.
        let first_sample = u64::from(step.number - 1) * u64::from(recipe.batch_size.max(1));
        let scale = 1.0 / indices.len() as f32;
        let loss = M::loss(recipe.label_smoothing);

        let round_length = self.lanes.len() * CAPACITY;
        let rounds = indices.len().div_ceil(round_length);
        let clips = recipe.clip_norm > 0.0;
        for (round, indices) in indices.chunks(round_length).enumerate() {
            let share = indices.len().div_ceil(self.lanes.len());
            let (network, simd, seed) = (&**self.network, self.simd, self.settings.seed);
            let pass = |lane: usize| {
                let before = (round * round_length + lane * share) as u64;
                Pass::train(simd, seed, first_sample + before)
            };
            self.team.each(
                self.lanes.iter_mut().zip(shares(indices, share)).zip(&mut self.watches),
                |k, ((lane, share), watch)| {
                    watch.count(share.len());
                    watch.time(Phase::Load, || lane.load(pass(k), samples, share));
                    watch.time(Phase::Forward, || lane.forward(network, pass(k)));
                    watch.time(Phase::Loss, || lane.loss(&loss, pass(k), scale));
                    watch.time(Phase::Backward, || lane.backward(network, pass(k)));
                },
            );
            for (y, target, loss) in self.lanes.iter().flat_map(Lane::results) {
                self.position.loss_sum += f64::from(loss);
                self.position.right += u64::from(M::is_right(y, target));
            }

            let lanes = &self.lanes;
            let last = round + 1 == rounds;
            let (network, grad) = (&mut **self.network, &mut **self.grad);
            let shards = shards(network, grad, &mut self.moments, lanes.len());
            self.team.each(shards.zip(&mut self.watches), |_, (shard, watch)| {
                watch.time(Phase::Gradient, || {
                    for (k, lane) in lanes.iter().enumerate() {
                        lane.accumulate(pass(k), Shard::new(shard.start, shard.grad));
                    }
                });
                if last && !clips {
                    watch.time(Phase::Update, || shard.update(&recipe.optimizer, simd, step));
                }
            });
        }
        if clips {
            clip_norm(self.simd, self.grad.flat_mut(), recipe.clip_norm);
            let (network, grad) = (&mut **self.network, &mut **self.grad);
            let shards = shards(network, grad, &mut self.moments, self.lanes.len());
            self.team.each(shards.zip(&mut self.watches), |_, (shard, watch)| {
                watch.time(Phase::Update, || shard.update(&recipe.optimizer, self.simd, step));
            });
        }
        self.position.step += 1;
        step.learning_rate
    }

    /// Runs the network, as it stands, over a whole dataset; `visit` gets each sample's number, output,
    /// target and loss (without label smoothing), in order.
    pub fn evaluate(
        &mut self,
        samples: &(impl Samples<Input<M>, Target<M>> + ?Sized),
        mut visit: impl FnMut(usize, &Output<M>, &Target<M>, f32),
    ) -> Summary {
        let (network, pass, loss) = (&**self.network, Pass::infer(self.simd), M::loss(0.0));
        let (mut loss_sum, mut right, mut number) = (0.0, 0, 0);
        let all: Vec<u32> = (0..samples.len() as u32).collect();
        for indices in all.chunks(self.lanes.len() * CAPACITY) {
            let share = indices.len().div_ceil(self.lanes.len());
            self.team.each(
                self.lanes.iter_mut().zip(shares(indices, share)),
                |_, (lane, share)| {
                    lane.load(pass, samples, share);
                    lane.forward(network, pass);
                    lane.loss(&loss, pass, 1.0);
                },
            );
            for (y, target, loss) in self.lanes.iter().flat_map(Lane::results) {
                visit(number, y, target, loss);
                loss_sum += f64::from(loss);
                right += u64::from(M::is_right(y, target));
                number += 1;
            }
        }
        Summary::new(number as u64, loss_sum, right)
    }
}

/// `indices` in runs of `length`, one for each thread; those that come too late get none.
fn shares(indices: &[u32], length: usize) -> impl Iterator<Item = &[u32]> {
    indices.chunks(length).chain(std::iter::repeat(&[][..]))
}

/// The run of parameters that one thread moves.
struct Part<'a> {
    start: usize,
    weights: &'a mut [f32],
    grad: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

/// Parameters moved at a time: weights, gradient and moments of so many stay in the first-level cache.
const CHUNK: usize = 2048;

impl Part<'_> {
    /// Moves the parameters and clears their gradient for the next step, while it is at hand.
    fn update(self, optimizer: &impl Optimizer, simd: Simd, step: Step) {
        let mut first = self.first.chunks_mut(CHUNK);
        let mut second = self.second.chunks_mut(CHUNK);
        for (weights, grad) in self.weights.chunks_mut(CHUNK).zip(self.grad.chunks_mut(CHUNK)) {
            let (first, second) = (first.next(), second.next());
            let (first, second) = (first.unwrap_or_default(), second.unwrap_or_default());
            optimizer.update(simd, step, weights, grad, first, second);
            grad.fill(0.0);
        }
    }
}

/// Cuts the parameters, with their gradient and moments, into `count` runs of about equal length.
fn shards<'a, P: Params>(
    network: &'a mut P,
    grad: &'a mut P,
    moments: &'a mut [Vec<f32>; 2],
    count: usize,
) -> impl Iterator<Item = Part<'a>> {
    // A cut inside a row of weights costs a little; layers are often a power of two wide.
    let length = P::COUNT.div_ceil(count).next_multiple_of(512);
    let [first, second] = moments;
    let mut first = first.chunks_mut(length);
    let mut second = second.chunks_mut(length);
    let parts = network.flat_mut().chunks_mut(length).zip(grad.flat_mut().chunks_mut(length));
    parts.enumerate().map(move |(k, (weights, grad))| Part {
        start: k * length,
        weights,
        grad,
        first: first.next().unwrap_or_default(),
        second: second.next().unwrap_or_default(),
    })
}
