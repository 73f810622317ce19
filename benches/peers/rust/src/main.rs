//! An epoch of 784-64-10 in candle, in turn with motenet: `RAYON_NUM_THREADS=1 cargo run -- 9`.
//!
//! The same digits (MNIST if `MNIST_DIR` is set), batches of 64 in a fresh order, plain gradient descent at
//! 0.01. One epoch of each comes before and is not timed. The last line is a JSON object.

use candle_core::{Device, Result, Tensor};
use candle_nn::{Module, Optimizer, SGD, VarBuilder, VarMap};
use motenet::Simd;
use motenet_benches::digits;
use motenet_benches::interleave::Spread;
use motenet_models::{Recipe, digits::Framework};
use motenet_train::{Settings, Trainer};
use std::ops::ControlFlow;
use std::time::Instant;

const BATCH: usize = 64;

struct Candle {
    first: candle_nn::Linear,
    second: candle_nn::Linear,
    optimizer: SGD,
    images: Tensor,
    labels: Tensor,
    order: Vec<u32>,
    state: u64,
}

impl Candle {
    fn new(images: Vec<f32>, labels: Vec<u32>) -> Result<Self> {
        let (device, vars, len) = (Device::Cpu, VarMap::new(), labels.len());
        let weights = VarBuilder::from_varmap(&vars, candle_core::DType::F32, &device);
        Ok(Candle {
            first: candle_nn::linear(784, 64, weights.pp("first"))?,
            second: candle_nn::linear(64, 10, weights.pp("second"))?,
            optimizer: SGD::new(vars.all_vars(), 0.01)?,
            images: Tensor::from_vec(images, (len, 784), &device)?,
            labels: Tensor::from_vec(labels, len, &device)?,
            order: (0..len as u32).collect(),
            state: 1,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.second.forward(&self.first.forward(x)?.relu()?)
    }

    fn train_epoch(&mut self) -> Result<()> {
        for last in (1..self.order.len()).rev() {
            self.state = self.state.wrapping_mul(6364136223846793005).wrapping_add(1);
            let other = (self.state >> 33) as usize % (last + 1);
            self.order.swap(last, other);
        }
        for indices in self.order.chunks(BATCH) {
            let indices = Tensor::new(indices, &Device::Cpu)?;
            let x = self.images.index_select(&indices, 0)?;
            let targets = self.labels.index_select(&indices, 0)?;
            let loss = candle_nn::loss::cross_entropy(&self.forward(&x)?, &targets)?;
            self.optimizer.backward_step(&loss)?;
        }
        Ok(())
    }

    fn accuracy(&self) -> Result<f32> {
        let found = self.forward(&self.images)?.argmax(1)?;
        found.eq(&self.labels)?.to_dtype(candle_core::DType::F32)?.mean_all()?.to_scalar()
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
    let images = digits.images.as_flattened().iter().map(|&p| f32::from(p) / 255.0).collect();
    let labels = digits.labels.iter().map(|&label| u32::from(label)).collect();
    let mut candle = Candle::new(images, labels)?;
    let settings = Settings { recipe: Recipe { epochs: u32::MAX, ..Recipe::PLAIN }, seed: 1 };
    let mut trainer = Trainer::<Framework>::new(settings, threads, Simd::detect());
    let mut times = Vec::new();
    let mut accuracy = 0.0;
    for round in 0..=rounds {
        let (ours, summary) =
            seconds(|| trainer.train_epoch(&digits, |_, _| ControlFlow::Continue(())));
        let (theirs, result) = seconds(|| candle.train_epoch());
        result?;
        accuracy = summary.map_or(0.0, |summary| summary.accuracy);
        println!("{round}: motenet {ours:.4} s, candle {theirs:.4} s");
        times.push((ours, theirs));
    }
    let times = &times[1..];
    let ours = Spread::of(times.iter().map(|pair| pair.0)).median;
    let theirs = Spread::of(times.iter().map(|pair| pair.1)).median;
    let ratio = Spread::of(times.iter().map(|(ours, theirs)| theirs / ours)).median;
    println!(
        "{name}, {threads} thread(s): motenet {:.2} % right, candle {:.2} %, candle takes {ratio:.2} times as long",
        100.0 * accuracy,
        100.0 * candle.accuracy()?
    );
    println!(
        "{{\"motenet\": {ours:.5}, \"candle\": {theirs:.5}, \"ratio\": {ratio:.3}, \"threads\": {threads}}}"
    );
    Ok(())
}
