//! Whole runs beside the CPU's.

use super::gpu;
use crate::{Error, Gpu, GpuTrainer, Tiling};
use motenet::{Adam, AnyOptimizer, Params, Schedule, Sgd, Simd};
use motenet_data::rectangles::rectangles;
use motenet_data::{Digits, made_up};
use motenet_models::digits::{FrameworkSigmoid, Mlp, Notebook};
use motenet_models::rectangles::NapkinRelu;
use motenet_models::{Model, Recipe};
use motenet_train::{Settings, Summary, Trainer};
use std::ops::ControlFlow;

/// The tolerance that the crate states.
const LOSS: f64 = 1e-3;
const ACCURACY: f64 = 0.002;

fn digits(count: usize) -> Digits {
    made_up::digits(1, 0, count)
}

fn trainer<M: Model>(recipe: Recipe) -> Trainer<M> {
    Trainer::new(Settings { recipe, seed: 3 }, 1, Simd::detect())
}

fn on<M: Model<Loss: crate::GpuLoss>>(
    gpu: &Gpu,
    recipe: Recipe,
    samples: &impl crate::Resident<motenet_models::Input<M>, motenet_models::Target<M>>,
) -> GpuTrainer<M> {
    GpuTrainer::new(gpu, trainer(recipe), samples).unwrap()
}

fn assert_close(found: Summary, expected: Summary, what: &str) {
    assert_eq!(found.samples, expected.samples);
    assert!(
        (found.loss / expected.loss - 1.0).abs() < LOSS,
        "{what}: {found:?}, expected {expected:?}"
    );
    assert!(
        (found.accuracy - expected.accuracy).abs() <= ACCURACY,
        "{what}: {found:?}, expected {expected:?}"
    );
}

/// Both to the end; every epoch and the final test compared.
fn run_beside<M: motenet_models::digits::DigitModel>(gpu: &Gpu, recipe: Recipe, count: usize) {
    let (train, test) = (digits(count), made_up::digits(2, 1_000_000, 500));
    let mut cpu = trainer::<M>(recipe);
    let mut device = on::<M>(gpu, recipe, &train);
    let set = device.upload(&test).unwrap();
    for epoch in 0..recipe.epochs {
        let expected = cpu.train_epoch(&train, |_, _| ControlFlow::Continue(())).unwrap();
        let found = device.train_epoch(|_, _| ControlFlow::Continue(())).unwrap().unwrap();
        let what = format!("{} in epoch {epoch} of {recipe:?}", M::NAME);
        assert_close(found, expected, &what);
        let expected = cpu.evaluate(&test, |_, _, _, _| {});
        assert_close(device.evaluate(&set).unwrap(), expected, &what);
    }
    assert!(device.settings().is_done(device.position()));
    // What the device learnt, on the CPU.
    let back = device.trainer().unwrap().evaluate(&test, |_, _, _, _| {});
    assert_close(back, cpu.evaluate(&test, |_, _, _, _| {}), "read back");
}

#[test]
fn epochs_are_those_of_the_cpu() {
    let Some(gpu) = gpu() else { return };
    let short = |recipe: Recipe| Recipe { epochs: 2, ..recipe };
    run_beside::<Mlp>(&gpu, short(Mlp::RECIPE), 1500);
    run_beside::<FrameworkSigmoid>(&gpu, short(FrameworkSigmoid::RECIPE), 700);
    // The rest of the batch is 1, and batches are odd.
    let adam = AnyOptimizer::Adam(Adam { weight_decay: 0.01, decoupled: true, ..Adam::default() });
    let recipe = Recipe {
        batch_size: 33,
        learning_rate: 1e-3,
        optimizer: adam,
        schedule: Schedule::Cosine,
        clip_norm: 1.0,
        ..short(Notebook::RECIPE)
    };
    run_beside::<Notebook>(&gpu, recipe, 33 * 20 + 1);
    // One batch, larger than the set.
    let sgd = AnyOptimizer::Sgd(Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.0 });
    run_beside::<Notebook>(&gpu, Recipe { batch_size: 5000, optimizer: sgd, ..recipe }, 301);
}

#[test]
fn every_tiling_trains_the_same() {
    let Some(gpu) = gpu() else { return };
    let train = digits(300);
    let recipe = Recipe { epochs: 1, batch_size: 100, ..Mlp::RECIPE };
    let mut cpu = trainer::<Mlp>(recipe);
    let expected = cpu.train_epoch(&train, |_, _| ControlFlow::Continue(())).unwrap();
    for tiling in Tiling::ALL {
        let mut device = GpuTrainer::tiled(&gpu, trainer::<Mlp>(recipe), &train, tiling).unwrap();
        let found = device.train_epoch(|_, _| ControlFlow::Continue(())).unwrap().unwrap();
        assert_close(found, expected, &format!("{tiling:?}"));
        let weights = device.trainer().unwrap().network().flat().to_vec();
        for (found, expected) in weights.iter().zip(cpu.network().flat()) {
            assert!((found - expected).abs() < 1e-4, "{tiling:?}: {found}, expected {expected}");
        }
    }
}

#[test]
fn numbers_are_learnt_too() {
    let Some(gpu) = gpu() else { return };
    let set = rectangles::<4>(1, 400);
    let recipe = Recipe { epochs: 20, batch_size: 100, ..NapkinRelu::RECIPE };
    let mut cpu = trainer::<NapkinRelu>(recipe);
    let mut device = on::<NapkinRelu>(&gpu, recipe, &set);
    for epoch in 0..recipe.epochs {
        let expected = cpu.train_epoch(&set, |_, _| ControlFlow::Continue(())).unwrap();
        let found = device.train_epoch(|_, _| ControlFlow::Continue(())).unwrap().unwrap();
        assert_close(
            found,
            Summary { accuracy: found.accuracy, ..expected },
            &format!("epoch {epoch}"),
        );
        // One answer of 400 may fall on the other side of the line.
        assert!(
            (found.accuracy - expected.accuracy).abs() < 0.006,
            "{found:?}, expected {expected:?}"
        );
    }
}

#[test]
fn only_metrics_come_back() {
    let Some(gpu) = gpu() else { return };
    let train = digits(640);
    let recipe = Recipe { epochs: 2, batch_size: 1, ..Notebook::RECIPE };
    let mut device = on::<Notebook>(&gpu, recipe, &train);
    let mut submissions = 0;
    let summary = device.train_epoch(|_, _| {
        submissions += 1;
        ControlFlow::Continue(())
    });
    assert!(summary.unwrap().is_some());
    let traffic = device.traffic();
    assert_eq!((traffic.steps, traffic.submissions, submissions), (640, 2, 2));
    assert_eq!((traffic.metrics_bytes, traffic.model_bytes), (16, 0));
    device.trainer().unwrap();
    device.trainer().unwrap(); // nothing has changed, so nothing is read
    assert_eq!(device.traffic().model_bytes, 4 * 7960);
}

/// A run that goes from the CPU to the device and back, in the middle of epochs, ends where others do.
#[test]
fn runs_change_devices() {
    let Some(gpu) = gpu() else { return };
    let train = digits(640);
    let recipe = Recipe { epochs: 3, batch_size: 1, learning_rate: 1e-3, ..Notebook::RECIPE };
    let mut cpu = trainer::<Notebook>(recipe);
    let mut expected = Vec::new();
    while !cpu.is_done() {
        expected.extend(cpu.train_epoch(&train, |_, _| ControlFlow::Continue(())));
    }
    let mut mixed = trainer::<Notebook>(recipe);
    let after_100 = mixed.train_epoch(&train, |_, progress| match progress.position.step {
        100 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert_eq!(after_100, None);
    let mut device = GpuTrainer::new(&gpu, mixed, &train).unwrap();
    let first = device.train_epoch(|_, _| ControlFlow::Continue(())).unwrap().unwrap();
    assert_close(first, expected[0], "begun on the CPU");
    assert_eq!(device.train_epoch(|_, _| ControlFlow::Break(())), Ok(None));
    let mixed = device.trainer().unwrap();
    assert_eq!((mixed.position().epoch, mixed.position().step), (1, 512));
    let second = mixed.train_epoch(&train, |_, _| ControlFlow::Continue(())).unwrap();
    assert_close(second, expected[1], "ended on the CPU");
}

#[test]
fn a_loss_that_runs_away_shows() {
    let Some(gpu) = gpu() else { return };
    let train = digits(100);
    let recipe = Recipe { epochs: 3, batch_size: 10, learning_rate: 1e30, ..Mlp::RECIPE };
    let mut device = on::<Mlp>(&gpu, recipe, &train);
    let mut last = 0.0;
    device
        .train_epoch(|_, progress| {
            last = progress.position.loss_sum;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(!last.is_finite(), "{last}");
}

#[test]
fn what_does_not_fit_is_named() {
    let Some(gpu) = gpu() else { return };
    let recipe = Recipe { batch_size: u32::MAX, ..Notebook::RECIPE };
    let many = Digits { images: vec![[0; 784]; 70_000], labels: vec![0; 70_000] };
    let error = GpuTrainer::new(&gpu, trainer::<Notebook>(recipe), &many).err();
    assert!(matches!(error, Some(Error::TooLarge { what: "--batch-size", .. })), "{error:?}");
}
