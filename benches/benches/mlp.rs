//! The default model: one training step, one epoch, one inference.
//!
//! Throughput is in floating-point operations (two a multiply-add; the zeros of the images count, and
//! so do activation, loss and update as nothing) or in images.
#![allow(missing_docs, reason = "criterion's macros write undocumented items")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use motenet::{Acts, Layer, Pass, Simd, Zero, random};
use motenet_models::digits::{DigitModel, Mlp, MlpWide};
use motenet_models::{Model, Recipe};
use motenet_train::{Settings, Trainer};
use std::ops::ControlFlow;

/// Multiply-adds of one sample: forward, weight gradient, and the input gradient of all but the first
/// layer.
fn training_macs<M: Model>() -> u64 {
    let mut macs = Vec::new();
    M::describe(&mut |layer| macs.extend((layer.macs > 0).then_some(layer.macs as u64)));
    3 * macs.iter().sum::<u64>() - macs.first().copied().unwrap_or_default()
}

fn train<M: DigitModel>(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(format!("{} training", M::NAME));
    let recipe = Recipe { epochs: u32::MAX, batch_size: 64, ..Recipe::PLAIN };
    for (name, samples) in [("step of 64", 64), ("epoch of 6,000", 6_000)] {
        let digits = motenet_data::made_up::digits(1, 0, samples);
        group.throughput(Throughput::Elements(2 * training_macs::<M>() * samples as u64));
        for simd in Simd::available().filter(|simd| *simd != Simd::baseline()) {
            let mut trainer = Trainer::<M>::new(Settings { recipe, seed: 1 }, 1, simd);
            group.bench_function(format!("{name}, {}", simd.name()), |bencher| {
                bencher.iter(|| trainer.train_epoch(&digits, |_, _| ControlFlow::Continue(())));
            });
        }
    }
}

fn infer<M: DigitModel>(criterion: &mut Criterion) {
    let mut network: Box<M::Network> = Zero::boxed();
    M::init(&mut network, &M::RECIPE, &mut random::generator(1));
    let digits = motenet_data::made_up::digits(1, 0, 64);
    let mut x = vec![[0.0; 784]; 64];
    for (x, image) in x.iter_mut().zip(&digits.images) {
        *x = image.map(|pixel| f32::from(pixel) / 255.0);
    }
    let mut group = criterion.benchmark_group(format!("{} inference", M::NAME));
    for batch in [1, 64] {
        group.throughput(Throughput::Elements(batch as u64));
        for simd in Simd::available() {
            let mut acts: Box<<M::Network as Layer>::Acts<64>> = Zero::boxed();
            group.bench_function(format!("batch of {batch}, {}", simd.name()), |bencher| {
                bencher.iter(|| {
                    network.forward(Pass::infer(simd), &x[..batch], &mut acts);
                    acts.output()[0][0]
                });
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = train::<Mlp>, train::<MlpWide>, infer::<Mlp>
}
criterion_main!(benches);
