//! An epoch of 784-64-10 in candle and in burn, in turn with motenet: `RAYON_NUM_THREADS=1 cargo run -- 9`.
//!
//! The same digits (MNIST if `MNIST_DIR` is set), batches of 64 in a fresh order, plain gradient descent at
//! 0.01. One epoch of each comes before and is not timed. The last line is a JSON object.

mod burn;
mod candle;

use crate::{burn::Burn, candle::Candle};
use candle_core::Result;
use motenet::Simd;
use motenet_benches::digits;
use motenet_benches::interleave::Spread;
use motenet_models::{Recipe, digits::Framework};
use motenet_train::{Settings, Trainer};
use std::ops::ControlFlow;
use std::time::Instant;

const BATCH: usize = 64;

/// A fresh order, by any generator.
fn shuffle(order: &mut [u32], state: &mut u64) {
    for last in (1..order.len()).rev() {
        *state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
        order.swap(last, (*state >> 33) as usize % (last + 1));
    }
}

fn seconds<T>(job: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = job();
    (start.elapsed().as_secs_f64(), result)
}

fn main() -> Result<()> {
    let rounds = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(9);
    let threads = std::env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let (name, digits) = digits::training_set();
    let images: Vec<f32> =
        digits.images.as_flattened().iter().map(|&p| f32::from(p) / 255.0).collect();
    let labels: Vec<u32> = digits.labels.iter().map(|&label| u32::from(label)).collect();
    let mut burn = Burn::new(images.clone(), &labels);
    let mut candle = Candle::new(images, labels)?;
    let settings = Settings { recipe: Recipe { epochs: u32::MAX, ..Recipe::PLAIN }, seed: 1 };
    let mut trainer = Trainer::<Framework>::new(settings, threads, Simd::detect());
    let mut times = Vec::new();
    let mut accuracy = 0.0;
    for round in 0..=rounds {
        let (ours, summary) =
            seconds(|| trainer.train_epoch(&digits, |_, _| ControlFlow::Continue(())));
        let (candles, result) = seconds(|| candle.train_epoch());
        result?;
        let (burns, ()) = seconds(|| burn.train_epoch());
        accuracy = summary.map_or(0.0, |summary| summary.accuracy);
        println!("{round}: motenet {ours:.4} s, candle {candles:.4} s, burn {burns:.4} s");
        times.push([ours, candles, burns]);
    }
    let times = &times[1..];
    let median = |k: usize| Spread::of(times.iter().map(|times| times[k])).median;
    let ratio = |k: usize| Spread::of(times.iter().map(|times| times[k] / times[0])).median;
    println!(
        "{name}, {threads} thread(s): motenet {:.2} % right, candle {:.2} %, burn {:.2} %; \
         candle takes {:.2} times as long, burn {:.2}",
        100.0 * accuracy,
        100.0 * candle.accuracy()?,
        100.0 * burn.accuracy(),
        ratio(1),
        ratio(2)
    );
    println!(
        "{{\"motenet\": {:.5}, \"candle\": {:.5}, \"candle_ratio\": {:.3}, \"burn\": {:.5}, \
         \"burn_ratio\": {:.3}, \"threads\": {threads}}}",
        median(0),
        median(1),
        ratio(1),
        median(2),
        ratio(2)
    );
    Ok(())
}
