//! A run is a pure function of model, data and settings: not of threads, CPU, or interruptions.

use motenet::{
    Adam, AnyOptimizer, Dense, Dropout, Params, Relu, Schedule, Seq, Sgd, Simd, SoftmaxCrossEntropy,
};
use motenet_data::{Digits, made_up};
use motenet_models::digits::{DigitModel, Framework, FrameworkSigmoid, Logits, MlpWide, Notebook};
use motenet_models::{Model, Recipe};
use motenet_train::{Position, Samples, Settings, Summary, Trainer};
use std::ops::ControlFlow;

fn settings(batch_size: u32, optimizer: AnyOptimizer, clip_norm: f32) -> Settings {
    let recipe = Recipe {
        epochs: 2,
        batch_size,
        schedule: Schedule::OneCycle,
        optimizer,
        label_smoothing: 0.1,
        clip_norm,
        ..Notebook::RECIPE
    };
    Settings { recipe, seed: 7 }
}

fn cases() -> Vec<Settings> {
    let sgd = AnyOptimizer::Sgd(Sgd { momentum: 0.9, nesterov: true, weight_decay: 1e-3 });
    let adam = AnyOptimizer::Adam(Adam { weight_decay: 0.01, decoupled: true, ..Adam::default() });
    vec![
        settings(64, AnyOptimizer::Sgd(Sgd::default()), 0.0),
        settings(1, sgd, 0.0),
        settings(7, sgd, 0.5),
        settings(100, adam, 0.0),
        settings(500, adam, 1.0), // one batch, several rounds of the workspace
    ]
}

fn digits() -> Digits {
    made_up::digits(1, 0, 230)
}

fn bits(weights: &[f32]) -> Vec<u32> {
    weights.iter().map(|w| w.to_bits()).collect()
}

/// Digits whose bytes nobody may see.
struct Numbers<'a>(&'a Digits);

impl Samples<[f32; 784], u8> for Numbers<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn load(&self, simd: Simd, index: usize, x: &mut [f32; 784]) -> u8 {
        self.0.load(simd, index, x)
    }
}

/// Weights and what each epoch came to, of a run to the end.
fn finish<M: DigitModel>(
    mut trainer: Trainer<M>,
    digits: &impl Samples<[f32; 784], u8>,
) -> (Vec<u32>, Vec<Summary>) {
    let mut epochs = Vec::new();
    while !trainer.is_done() {
        epochs.extend(trainer.train_epoch(digits, |_, _| ControlFlow::Continue(())));
    }
    (bits(trainer.network().flat()), epochs)
}

/// A network with random masks: every thread must draw those of the one thread.
enum Dropping {}

impl Model for Dropping {
    const NAME: &'static str = "dropping";
    const ABOUT: &'static str = "784-64-10 with ReLU and dropout";
    const RECIPE: Recipe = Recipe::PLAIN;
    type Network = Seq![Dense<784, 64>, Relu<64>, Dropout<64, 30>, Dense<64, 10>];
    type Loss = SoftmaxCrossEntropy;

    fn loss(label_smoothing: f32) -> SoftmaxCrossEntropy {
        SoftmaxCrossEntropy { label_smoothing }
    }

    fn is_right(y: &Logits, label: &u8) -> bool {
        motenet::argmax(y) == usize::from(*label)
    }
}

/// The first layer of `Notebook` is not divided, that of the others is unless gradients are clipped.
#[test]
fn neither_threads_nor_the_cpu_change_a_bit() {
    for settings in cases() {
        alike::<Notebook>(settings, &digits(), &[1, 2, 3, 8]);
    }
    let digits = made_up::digits(1, 0, 90);
    for settings in divided_cases() {
        alike::<FrameworkSigmoid>(settings, &digits, &[1, 2, 3, 4, 8]);
        alike::<Dropping>(settings, &digits, &[2, 3]);
    }
    // 512 columns make uneven shares of 64 and 32 for three threads.
    alike::<MlpWide>(divided_cases()[0], &made_up::digits(1, 0, 9), &[1, 2, 3, 4, 8, 20]);
    // Two rounds of the workspace.
    let two_rounds = settings(150, divided_cases()[1].recipe.optimizer, 0.0);
    alike::<MlpWide>(two_rounds, &made_up::digits(1, 0, 170), &[2, 3]);
}

/// However samples enter the network, and wherever a run goes over from the one to the other.
#[test]
fn bytes_and_numbers_make_the_same_network() {
    let (digits, mut cases) = (digits(), cases());
    cases.extend(divided_cases());
    for settings in cases {
        for threads in [1, 2, 3] {
            let new = || Trainer::<Framework>::new(settings, threads, Simd::detect());
            let expected = finish(new(), &Numbers(&digits));
            assert_eq!(finish(new(), &digits), expected, "{threads} threads");
            for bytes_first in [false, true] {
                let mut trainer = new();
                let first = match bytes_first {
                    true => trainer.train_epoch(&digits, |_, _| ControlFlow::Continue(())),
                    false => {
                        trainer.train_epoch(&Numbers(&digits), |_, _| ControlFlow::Continue(()))
                    }
                };
                assert_eq!(first, Some(expected.1[0]));
                let (weights, last) = match bytes_first {
                    true => finish(trainer, &Numbers(&digits)),
                    false => finish(trainer, &digits),
                };
                assert_eq!(last, expected.1[1..]);
                assert!(weights == expected.0, "{threads} threads, bytes first: {bytes_first}");
            }
        }
    }
}

fn alike<M: DigitModel>(settings: Settings, digits: &Digits, threads: &[usize]) {
    let expected = finish(Trainer::<M>::new(settings, 1, Simd::detect()), digits);
    assert_eq!(expected.1.len(), 2);
    for &threads in threads {
        for simd in Simd::available() {
            let found = finish(Trainer::<M>::new(settings, threads, simd), digits);
            assert_eq!(found.1, expected.1, "{threads} threads, {}", simd.name());
            assert!(found.0 == expected.0, "{threads} threads, {}", simd.name());
        }
    }
}

/// Both moments, several rounds of the workspace, batches of odd sizes; the last is not divided.
fn divided_cases() -> [Settings; 3] {
    let [_, momentum, _, adam, _] = cases().try_into().unwrap();
    [
        settings(17, momentum.recipe.optimizer, 0.0),
        settings(75, adam.recipe.optimizer, 0.0),
        settings(64, AnyOptimizer::Sgd(Sgd::default()), 0.5),
    ]
}

#[test]
fn a_run_cut_after_any_step_ends_the_same() {
    for settings in cases() {
        cut::<Notebook>(settings, &digits(), 12, [1, 2]);
    }
    let digits = made_up::digits(1, 0, 90);
    for settings in divided_cases() {
        for threads in [[1, 2], [2, 1], [2, 3]] {
            cut::<Framework>(settings, &digits, 4, threads);
        }
    }
}

/// Cuts a run at about `tries` places, and goes on with another number of threads.
fn cut<M: DigitModel>(settings: Settings, digits: &Digits, tries: usize, threads: [usize; 2]) {
    let new = |threads| Trainer::<M>::new(settings, threads, Simd::detect());
    let expected = finish(new(1), digits);
    let steps = 2 * digits.len().div_ceil(settings.recipe.batch_size as usize);
    for cut in (0..steps).step_by(steps.div_ceil(tries)) {
        let mut trainer = new(threads[0]);
        let (mut left, mut epochs) = (cut, Vec::new());
        while left > 0 {
            epochs.extend(trainer.train_epoch(digits, |trainer, _| {
                left -= 1;
                // Whoever watches may look at any time.
                assert!(trainer.network().flat().iter().all(|w| w.is_finite()));
                if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }));
        }
        let weights = trainer.network().flat();
        let moments: Vec<_> = trainer.moments().map(<[f32]>::to_vec).collect();
        let at = trainer.position();
        let resumed =
            Trainer::<M>::resume(settings, at, weights, &moments, threads[1], Simd::detect());
        let (weights, rest) = finish(resumed.unwrap(), digits);
        epochs.extend(rest);
        assert_eq!(epochs, expected.1, "cut after {cut} of {steps} steps");
        assert!(weights == expected.0, "cut after {cut} of {steps} steps");
    }
}

#[test]
fn a_seed_makes_a_difference() {
    let digits = digits();
    let mut settings = cases()[0];
    let one = finish(Trainer::<Notebook>::new(settings, 1, Simd::detect()), &digits);
    settings.seed += 1;
    assert_ne!(one.0, finish(Trainer::<Notebook>::new(settings, 1, Simd::detect()), &digits).0);
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let settings = cases()[1];
    let trainer: Trainer<Notebook> = Trainer::new(settings, 1, Simd::baseline());
    let weights = trainer.network().flat();
    let moment = vec![0.0; weights.len()];
    let resume = |weights: &[f32], moments: &[Vec<f32>]| {
        let at = Position::default();
        Trainer::<Notebook>::resume(settings, at, weights, moments, 1, Simd::baseline()).is_some()
    };
    assert!(resume(weights, std::slice::from_ref(&moment)));
    assert!(!resume(&weights[1..], std::slice::from_ref(&moment)));
    assert!(!resume(weights, &[]));
    assert!(!resume(weights, &[moment.clone(), moment.clone()]));
    assert!(!resume(weights, &[moment[1..].to_vec()]));
}

#[test]
fn evaluation_visits_every_sample_in_order() {
    let digits = digits();
    for threads in [1, 3] {
        let mut trainer: Trainer<Notebook> = Trainer::new(cases()[0], threads, Simd::detect());
        let mut seen = Vec::new();
        let (mut right, mut loss) = (0u32, 0.0);
        let summary = trainer.evaluate(&digits, |number, y, label, sample_loss| {
            assert_eq!(*label, digits.labels[number]);
            right += u32::from(motenet::argmax(y) == usize::from(*label));
            loss += f64::from(sample_loss);
            seen.push(number);
        });
        assert!(seen.into_iter().eq(0..digits.len()));
        assert_eq!(summary.accuracy, f64::from(right) / digits.len() as f64);
        assert_eq!(summary.loss, loss / digits.len() as f64);
    }
}
