//! The models: an epoch of training, and inference in floats and integers.
//!
//! Training is on MNIST if `MNIST_DIR` is set, else on as many made-up digits; the name of the group says
//! which. Throughput is in images.
#![allow(missing_docs, reason = "criterion's macros write undocumented items")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use motenet::{Acts, Layer, Pass, Simd, Zero};
use motenet_benches::digits;
use motenet_data::Digits;
use motenet_export::quantize::{Quantize, quantize};
use motenet_models::digits::{DigitModel, Framework, Mlp, MlpWide};
use motenet_models::{Model, Recipe};
use motenet_train::{Samples, Settings, Trainer};
use std::ops::ControlFlow;
use std::sync::LazyLock;
use std::time::Duration;

static DIGITS: LazyLock<(&str, Digits)> = LazyLock::new(digits::training_set);

fn trainer<M: DigitModel>(threads: usize, simd: Simd) -> Trainer<M> {
    let recipe = Recipe { epochs: u32::MAX, batch_size: 64, ..Recipe::PLAIN };
    Trainer::new(Settings { recipe, seed: 1 }, threads, simd)
}

/// One epoch of plain gradient descent in batches of 64. The first is not timed.
fn train<M: DigitModel>(criterion: &mut Criterion, simd: Simd) {
    let (name, digits) = &*DIGITS;
    let mut group = criterion.benchmark_group(format!("{}, epoch of {name}", M::NAME));
    group.sample_size(10).throughput(Throughput::Elements(digits.len() as u64));
    for (threads, counted) in [(1, "1 thread"), (2, "2 threads")] {
        let mut trainer = trainer::<M>(threads, simd);
        group.bench_function(format!("{counted}, {}", simd.name()), |bencher| {
            bencher.iter(|| trainer.train_epoch(digits, |_, _| ControlFlow::Continue(())));
        });
    }
}

fn training(criterion: &mut Criterion) {
    for simd in Simd::available().filter(|&simd| simd != Simd::baseline()) {
        train::<Framework>(criterion, simd);
    }
    train::<MlpWide>(criterion, Simd::detect());
}

/// The default model after an epoch, on digits it was trained on.
fn inference(criterion: &mut Criterion) {
    let (name, digits) = &*DIGITS;
    let simd = Simd::detect();
    let mut trainer = trainer::<Mlp>(1, simd);
    trainer.train_epoch(digits, |_, _| ControlFlow::Continue(()));
    let network = trainer.network();
    let mut x = vec![[0.0; 784]; 64];
    for (index, x) in x.iter_mut().enumerate() {
        digits.load(simd, index, x);
    }

    let mut group = criterion.benchmark_group(format!("{}, inference of {name}", Mlp::NAME));
    for (batch, counted) in [(1, "one image"), (64, "64 images")] {
        group.throughput(Throughput::Elements(batch as u64));
        for simd in Simd::available() {
            let mut acts: Box<<<Mlp as Model>::Network as Layer>::Acts<64>> = Zero::boxed();
            let mut next = 0;
            group.bench_function(format!("{counted}, float, {}", simd.name()), |bencher| {
                bencher.iter(|| {
                    // Another image every time, so that no branch is learnt by heart.
                    next = (next + 1) % (64 / batch);
                    network.forward(Pass::infer(simd), &x[next * batch..][..batch], &mut acts);
                    acts.output()[0][0]
                });
            });
        }
    }
    let integers =
        quantize(network, 1.0 / 255.0, &x).expect("a trained network has a scale").network;
    type Integers = <<Mlp as Model>::Network as Quantize>::Quantized;
    let mut acts: Box<<Integers as Layer>::Acts<1>> = Zero::boxed();
    let mut next = 0;
    group.throughput(Throughput::Elements(1));
    group.bench_function("one image, int8", |bencher| {
        bencher.iter(|| {
            next = (next + 1) % 64;
            integers.forward(Pass::infer(simd), &digits.images[next..=next], &mut acts);
            acts.output()[0][0]
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(1))
        .nresamples(10_000);
    targets = training, inference
}
criterion_main!(benches);
