//! Where the time of a training run goes, by phase and layer, and what the machine could do at most.

use motenet::kernels::{Isa, Kernel};
use motenet::{Pass, Simd};
use motenet_models::Model;
use std::cell::Cell;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A part of a training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Samples into numbers.
    Load,
    /// The network forward.
    Forward,
    /// The loss and its gradient at the output.
    Loss,
    /// The gradient back to every activation.
    Backward,
    /// The gradient of the parameters.
    Gradient,
    /// The optimizer's step, the gradient cleared for the next one.
    Update,
}

impl Phase {
    /// All of them, in the order of a step.
    pub const ALL: [Phase; 6] =
        [Phase::Load, Phase::Forward, Phase::Loss, Phase::Backward, Phase::Gradient, Phase::Update];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Load => "load",
            Phase::Forward => "forward",
            Phase::Loss => "loss",
            Phase::Backward => "backward",
            Phase::Gradient => "gradient",
            Phase::Update => "update",
        }
    }

    /// Floating-point operations of a sample in the products of this phase, layer by layer, two a multiply-add, zeros
    /// included; 0 where there are none to speak of.
    pub fn flops<M: Model>(self) -> Vec<u64> {
        let mut flops = Vec::new();
        M::describe(&mut |layer| flops.push(2 * layer.macs as u64));
        match self {
            Phase::Forward | Phase::Gradient => {}
            // Nobody asks for the gradient of the input.
            Phase::Backward => {
                flops.iter_mut().find(|flops| **flops > 0).into_iter().for_each(|f| *f = 0)
            }
            Phase::Load | Phase::Loss | Phase::Update => flops.fill(0),
        }
        flops
    }
}

/// Layers that are told apart; those after them count as the last of these.
const LAYERS: usize = 16;

type Times = [Duration; LAYERS];

/// The time that each phase took, layer by layer, summed over threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    times: [Times; 6],
    /// Samples that were trained on.
    pub samples: u64,
}

impl Profile {
    /// The time of a phase.
    pub fn time(&self, phase: Phase) -> Duration {
        self.layers(phase).iter().sum()
    }

    /// The same for each layer, of which the first 16 are told apart; a phase that does not go layer by layer counts as
    /// the first.
    pub fn layers(&self, phase: Phase) -> &[Duration] {
        &self.times[phase as usize]
    }

    /// The time of all phases.
    pub fn total(&self) -> Duration {
        self.times.as_flattened().iter().sum()
    }

    pub(crate) fn add(&mut self, other: &Profile) {
        let others = other.times.as_flattened();
        for (time, other) in self.times.as_flattened_mut().iter_mut().zip(others) {
            *time += *other;
        }
        self.samples += other.samples;
    }
}

/// The layers of the phase that a thread is in.
#[derive(Clone, Copy)]
struct Laps {
    since: Instant,
    next: usize,
    times: Times,
}

thread_local! {
    static LAPS: Cell<Option<Laps>> = const { Cell::new(None) };
}

/// The time since the last lap was that layer's.
fn lap(layer: usize) {
    if let Some(mut laps) = LAPS.get() {
        let now = Instant::now();
        laps.times[layer.min(LAYERS - 1)] += now - laps.since;
        (laps.since, laps.next) = (now, layer + 1);
        LAPS.set(Some(laps));
    }
}

/// One thread's stopwatch, on cache lines of its own; it stands still unless someone wants to know.
#[repr(align(128))]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stopwatch {
    pub(crate) profile: Option<Profile>,
}

impl Stopwatch {
    #[inline(always)]
    pub(crate) fn time<R>(&mut self, phase: Phase, work: impl FnOnce() -> R) -> R {
        let Some(profile) = &mut self.profile else { return work() };
        LAPS.set(Some(Laps { since: Instant::now(), next: 0, times: Times::default() }));
        let result = work();
        // What is left is the last layer's: forward the one after those that were told, backward the first.
        let next = LAPS.get().map_or(0, |laps| laps.next);
        lap(if phase == Phase::Backward { 0 } else { next });
        let times = LAPS.take().map_or(Times::default(), |laps| laps.times);
        for (sum, time) in profile.times[phase as usize].iter_mut().zip(times) {
            *sum += time;
        }
        result
    }

    /// A pass that tells this thread's stopwatch of its layers, if anyone wants to know.
    pub(crate) fn watched(&self, pass: Pass) -> Pass {
        if self.profile.is_some() { pass.watched(lap) } else { pass }
    }

    /// Counts samples.
    #[inline(always)]
    pub(crate) fn count(&mut self, samples: usize) {
        if let Some(profile) = &mut self.profile {
            profile.samples += samples as u64;
        }
    }
}

/// Floating-point operations a second of one thread that does nothing but independent multiply-adds in
/// registers: what no kernel can exceed. Takes some 50 ms; the best of several runs.
pub fn peak_flops(simd: Simd) -> f64 {
    const ROUNDS: u32 = 100_000;
    let run = |_| {
        let start = Instant::now();
        let flops = simd.run(Peak(ROUNDS));
        flops as f64 / start.elapsed().as_secs_f64()
    };
    (0..8).map(run).fold(0.0, f64::max)
}

/// So many rounds of as many chains as registers hold; returns the operations done.
struct Peak(u32);

impl Kernel for Peak {
    type Result = u64;

    #[inline(always)]
    fn run<I: Isa>(self) -> u64 {
        match I::LANES {
            16 => chains::<I, 6, 64>(self.0),
            8 => chains::<I, 6, 16>(self.0),
            _ => chains::<I, 2, 4>(self.0 / 20),
        }
    }
}

/// The kernels' own tile, but with factors that stay where they are.
#[inline(always)]
fn chains<I: Isa, const R: usize, const C: usize>(rounds: u32) -> u64 {
    let mut sums = black_box([[1.0f32; C]; R]);
    let (a, b) = (black_box([0.5f32; R]), black_box([0.25f32; C]));
    for _ in 0..rounds {
        for r in 0..R {
            for c in 0..C {
                sums[r][c] = I::fma(a[r], b[c], sums[r][c]);
            }
        }
    }
    black_box(&sums);
    2 * u64::from(rounds) * (R * C) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use motenet_models::digits::Mlp;

    #[test]
    fn operations_of_the_default_model() {
        let (first, second) = (2 * 784 * 64, 2 * 64 * 10);
        for (phase, flops) in [
            (Phase::Load, [0, 0, 0]),
            (Phase::Forward, [first, 0, second]),
            (Phase::Loss, [0, 0, 0]),
            (Phase::Backward, [0, 0, second]),
            (Phase::Gradient, [first, 0, second]),
            (Phase::Update, [0, 0, 0]),
        ] {
            assert_eq!(phase.flops::<Mlp>(), flops, "{}", phase.name());
        }
    }

    #[test]
    fn a_stopwatch_runs_when_it_is_wanted() {
        let mut watch = Stopwatch::default();
        assert_eq!(watch.time(Phase::Loss, || 7), 7);
        assert_eq!(watch.profile, None);
        watch.profile = Some(Profile::default());
        watch.time(Phase::Loss, || std::thread::sleep(Duration::from_millis(2)));
        let profile = watch.profile.unwrap();
        assert!(profile.time(Phase::Loss) >= Duration::from_millis(2));
        assert_eq!(profile.total(), profile.time(Phase::Loss));
    }

    #[test]
    fn time_goes_to_the_layer_that_took_it() {
        let pause = || std::thread::sleep(Duration::from_millis(2));
        let mut watch = Stopwatch { profile: Some(Profile::default()) };
        watch.time(Phase::Forward, || {
            lap(0);
            pause();
            lap(1);
        });
        watch.time(Phase::Backward, || {
            pause();
            lap(2);
            lap(1);
        });
        watch.time(Phase::Update, pause);
        watch.time(Phase::Gradient, || lap(100));
        let slow = Duration::from_millis(2);
        let profile = watch.profile.unwrap();
        assert!(profile.layers(Phase::Forward)[1] >= slow);
        assert!(profile.layers(Phase::Backward)[2] >= slow);
        assert!(profile.layers(Phase::Update)[0] >= slow);
        assert_eq!(profile.layers(Phase::Update)[1..], [Duration::ZERO; LAYERS - 1]);
        assert!(profile.layers(Phase::Forward)[2] > Duration::ZERO, "the last one's");
        assert!(profile.layers(Phase::Backward)[0] > Duration::ZERO, "the first one's");
        assert!(profile.layers(Phase::Gradient)[LAYERS - 1] > Duration::ZERO);
        lap(3); // outside of any phase: nothing
    }

    #[test]
    fn every_level_has_a_peak() {
        for simd in Simd::available() {
            assert!(peak_flops(simd) > 1e6, "{}", simd.name());
        }
    }
}
