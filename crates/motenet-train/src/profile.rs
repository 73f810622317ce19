//! Where the time of a training run goes, phase by phase, and what the machine could do at most.

use motenet::Simd;
use motenet::kernels::{Isa, Kernel};
use motenet_models::Model;
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

    /// Floating-point operations of a sample in the products of this phase, two a multiply-add, zeros included;
    /// 0 where there are none to speak of.
    pub fn flops<M: Model>(self) -> u64 {
        let mut macs = Vec::new();
        M::describe(&mut |layer| macs.extend((layer.macs > 0).then_some(2 * layer.macs as u64)));
        match self {
            Phase::Forward | Phase::Gradient => macs.iter().sum(),
            // Nobody asks for the gradient of the input.
            Phase::Backward => macs.iter().skip(1).sum(),
            Phase::Load | Phase::Loss | Phase::Update => 0,
        }
    }
}

/// The time that each phase took, summed over threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    times: [Duration; 6],
    /// Samples that were trained on.
    pub samples: u64,
}

impl Profile {
    /// The time of a phase.
    pub fn time(&self, phase: Phase) -> Duration {
        self.times[phase as usize]
    }

    /// The time of all phases.
    pub fn total(&self) -> Duration {
        self.times.iter().sum()
    }

    pub(crate) fn add(&mut self, other: &Profile) {
        for (time, other) in self.times.iter_mut().zip(&other.times) {
            *time += *other;
        }
        self.samples += other.samples;
    }
}

/// One thread's stopwatch; it stands still unless someone wants to know.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stopwatch {
    pub(crate) profile: Option<Profile>,
}

impl Stopwatch {
    #[inline(always)]
    pub(crate) fn time<R>(&mut self, phase: Phase, work: impl FnOnce() -> R) -> R {
        let Some(profile) = &mut self.profile else { return work() };
        let start = Instant::now();
        let result = work();
        profile.times[phase as usize] += start.elapsed();
        result
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
        let flops = Phase::ALL.map(|phase| phase.flops::<Mlp>());
        let (first, second) = (2 * 784 * 64, 2 * 64 * 10);
        assert_eq!(flops, [0, first + second, 0, second, first + second, 0]);
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
    fn every_level_has_a_peak() {
        for simd in Simd::available() {
            assert!(peak_flops(simd) > 1e6, "{}", simd.name());
        }
    }
}
