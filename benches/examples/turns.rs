//! Times one work at a time when asked to, for `benches/peers/turns.py`, which asks another program in turn.
//!
//! On each line of the input it does `epoch`, `one`, `batch` (as `benches/mlp.rs` has them) or `one-int8`, and answers
//! with the seconds an epoch or an image took. The digits are those of `MNIST_DIR`.

use motenet::{Acts, Layer, Pass, Simd, Zero};
use motenet_benches::digits;
use motenet_export::quantize::quantize;
use motenet_models::Recipe;
use motenet_models::digits::Framework;
use motenet_train::{Samples, Settings, Trainer};
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

/// Images that one measurement takes.
const TIMES: usize = 20_000;

fn main() {
    let threads = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let simd = Simd::detect();
    let (_, digits) = digits::training_set();
    let recipe = Recipe { epochs: u32::MAX, batch_size: 64, ..Recipe::PLAIN };
    let mut trainer = Trainer::<Framework>::new(Settings { recipe, seed: 1 }, threads, simd);
    let mut x = vec![[0.0; 784]; 64];
    for (index, x) in x.iter_mut().enumerate() {
        digits.load(simd, index, x);
    }
    let epoch = |trainer: &mut Trainer<Framework>| {
        trainer.train_epoch(&digits, |_, _| ControlFlow::Continue(()));
    };
    epoch(&mut trainer);
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let seconds = match line.as_str() {
            "epoch" => time(1, || epoch(&mut trainer)),
            "one" => infer(trainer.network(), &x, 1),
            "batch" => infer(trainer.network(), &x, 64),
            "one-int8" => {
                let quantized = quantize(trainer.network(), 1.0 / 255.0, &x);
                let integers = quantized.expect("a trained network has a scale").network;
                infer(&*integers, &digits.images, 1)
            }
            other => panic!("found `{other}`, expected epoch, one, batch or one-int8"),
        };
        println!("{seconds:e}");
    }
}

/// Seconds for each of [`TIMES`] images, `batch` at a time, out of the first 64.
fn infer<L: Layer>(network: &L, x: &[L::Input], batch: usize) -> f64 {
    let pass = Pass::infer(Simd::detect());
    let mut acts: Box<L::Acts<64>> = Zero::boxed();
    time(TIMES, || {
        for k in (0..TIMES).step_by(batch) {
            network.forward(pass, &x[k % 64..][..batch], &mut acts);
            black_box(acts.output());
        }
    })
}

/// Seconds for each of so many.
fn time(count: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() / count as f64
}
