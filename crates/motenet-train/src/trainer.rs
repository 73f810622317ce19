//! The training loop.
//!
//! How a step is divided among threads depends on the network and its recipe: `by_columns.rs`, `by_samples.rs`. Neither
//! ever splits a sum, so their number changes no bit.

use crate::by_columns::ByColumns;
use crate::by_samples::{BySamples, shares};
use crate::lane::{CAPACITY, Lane, is_coded};
use crate::profile::{Profile, Stopwatch};
use crate::samples::Samples;
use crate::settings::{Position, Settings};
use crate::step::{Batch, Crew, Whole};
use crate::team::Team;
use motenet::{Optimizer, Params, Pass, Simd, random};
use motenet_models::{Input, Model, Output, Target};
use std::ops::ControlFlow;

/// A model in training: its parameters, its optimizer's moments, and how far it has come.
pub struct Trainer<M: Model> {
    settings: Settings,
    position: Position,
    parameters: Parameters<M>,
    /// Whether bytes are trained on by columns.
    by_columns: bool,
    lanes: Vec<Lane<M>>,
    /// One for each lane.
    watches: Vec<Stopwatch>,
    team: Team,
    simd: Simd,
}

/// The parameters and moments, as a step divides them.
enum Parameters<M: Model> {
    Samples(BySamples<M>),
    Columns(ByColumns<M>),
}

impl<M: Model> Parameters<M> {
    fn new(whole: Whole<M>) -> Self {
        Parameters::Samples(BySamples::new(whole))
    }

    fn whole(&self) -> &Whole<M> {
        match self {
            Parameters::Samples(parameters) => &parameters.whole,
            Parameters::Columns(parameters) => parameters.whole(),
        }
    }

    /// Divides them in the one way or the other from now on.
    fn divide(&mut self, by_columns: bool, threads: usize) {
        if by_columns == matches!(self, Parameters::Columns(_)) {
            return;
        }
        let none = Parameters::new(Whole::zero([false; 2]));
        *self = match std::mem::replace(self, none) {
            Parameters::Samples(old) => Parameters::Columns(ByColumns::new(old.whole, threads)),
            Parameters::Columns(old) => Parameters::new(old.into_whole()),
        };
    }
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
    /// Of `samples` samples whose losses come to `loss_sum`, `right` of them right.
    pub fn new(samples: u64, loss_sum: f64, right: u64) -> Self {
        let count = samples.max(1) as f64;
        Summary { samples, loss: loss_sum / count, accuracy: right as f64 / count }
    }
}

impl<M: Model> Trainer<M> {
    /// A fresh model. `threads` and `simd` change no bit of what it becomes.
    pub fn new(settings: Settings, threads: usize, simd: Simd) -> Self {
        let kept = settings.recipe.optimizer.moments();
        let mut whole = Whole::<M>::zero([kept > 0, kept > 1]);
        let mut rng = random::generator(settings.seed);
        M::init(&mut whole.network, &settings.recipe, &mut rng);
        Trainer {
            settings,
            position: Position::default(),
            parameters: Parameters::new(whole),
            by_columns: ByColumns::<M>::suits(&settings.recipe, threads),
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
        let mut whole = Whole::<M>::zero([kept > 0, kept > 1]);
        whole.network.flat_mut().copy_from_slice(weights);
        for (moment, saved) in whole.moments.iter_mut().zip(moments) {
            moment.copy_from_slice(saved);
        }
        self.parameters = Parameters::new(whole);
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
        self.parameters.whole().network()
    }

    /// The moments that the optimizer keeps.
    pub fn moments(&self) -> impl Iterator<Item = &[f32]> {
        self.parameters.whole().moments.iter().filter(|m| !m.is_empty()).map(Vec::as_slice)
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
        self.settings.is_done(self.position)
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
        let batch = Batch {
            settings: &self.settings,
            indices,
            // Counted so that every sample of the run has a number, whatever the last batch's length.
            first_sample: u64::from(step.number - 1) * u64::from(recipe.batch_size.max(1)),
            scale: 1.0 / indices.len() as f32,
            step,
        };
        let threads = self.lanes.len();
        self.parameters.divide(self.by_columns && is_coded::<M>(samples), threads);
        let crew = Crew {
            team: &mut self.team,
            lanes: &mut self.lanes,
            watches: &mut self.watches,
            simd: self.simd,
        };
        let position = &mut self.position;
        let count = |lane: &Lane<M>| {
            lane.losses().iter().for_each(|&loss| position.loss_sum += f64::from(loss));
            position.right += lane.right();
        };
        match &mut self.parameters {
            Parameters::Samples(parameters) => parameters.step(crew, samples, batch, count),
            Parameters::Columns(parameters) => parameters.step(crew, samples, batch, count),
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
        let (network, pass, loss) =
            (self.parameters.whole().network(), Pass::infer(self.simd), M::loss(0.0));
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
                number += 1;
            }
            right += self.lanes.iter().map(Lane::right).sum::<u64>();
        }
        Summary::new(number as u64, loss_sum, right)
    }
}
