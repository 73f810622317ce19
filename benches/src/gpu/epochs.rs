//! Epochs over width and batch, and the time to a test accuracy.

use super::models::{self, Visit};
use super::{Options, threads};
use motenet::Simd;
use motenet_data::Digits;
use motenet_gpu::{Error, Gpu, GpuTrainer};
use motenet_models::Recipe;
use motenet_models::digits::{DigitModel, Mlp, MlpWide};
use motenet_train::{Settings, Summary, Trainer};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

/// The accuracy that is waited for.
const TARGET: f64 = 0.98;

/// What an epoch came to on one device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// The fastest epoch after the first.
    pub(super) samples_per_second: f64,
    /// The last epoch.
    pub(super) last: Summary,
}

/// One model at one batch size.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) shape: &'static str,
    pub(super) batch: u32,
    pub(super) cpu: Run,
    pub(super) all_threads: Run,
    pub(super) gpu: Option<Run>,
}

/// A speed that another program measured.
#[derive(Clone, Debug)]
pub(super) struct Beside {
    pub(super) shape: String,
    pub(super) batch: u32,
    pub(super) column: String,
    pub(super) samples_per_second: f64,
}

/// Reads `model TAB batch TAB column TAB samples a second`, a line each.
pub(super) fn read_beside(path: &Path) -> Result<Vec<Beside>, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let parse = |line: &str| {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        let (shape, batch, column, speed) = (next()?, next()?, next()?, next()?);
        let (batch, samples_per_second) = (batch.parse().ok()?, speed.parse().ok()?);
        Some(Beside { shape: shape.into(), batch, column: column.into(), samples_per_second })
    };
    let wrong = |line: &str| {
        format!(
            "{}: found {line:?}, expected model, batch, column and samples a second",
            path.display()
        )
    };
    text.lines().map(|line| parse(line).ok_or_else(|| wrong(line))).collect()
}

struct Measure<'a> {
    gpu: Option<&'a Gpu>,
    train: &'a Digits,
    options: &'a Options,
    rows: Vec<Row>,
}

/// Trains every model with every batch size on every device.
///
/// # Errors
/// Those of the device.
pub(super) fn measure(
    gpu: Option<&Gpu>,
    train: &Digits,
    options: &Options,
) -> Result<Vec<Row>, Error> {
    let mut measure = Measure { gpu, train, options, rows: Vec::new() };
    models::each(&mut measure)?;
    Ok(measure.rows)
}

impl Visit for Measure<'_> {
    type Error = Error;

    fn visit<M: DigitModel>(&mut self, shape: &'static str) -> Result<(), Error> {
        let epochs = self.options.epochs;
        for &batch_size in &self.options.batches {
            // The model's own rate is for its own batch; a small one converges with all.
            let recipe = Recipe { epochs, batch_size, ..Recipe::PLAIN };
            let on_cpu = |threads| {
                let mut trainer = trainer::<M>(recipe, threads);
                fastest(epochs, self.train.len(), || {
                    Ok(trainer.train_epoch(self.train, |_, _| ControlFlow::Continue(())))
                })
            };
            let (cpu, all_threads) = (on_cpu(1)?, on_cpu(threads())?);
            let gpu = match self.gpu {
                None => None,
                Some(gpu) => {
                    let mut trainer = GpuTrainer::new(gpu, trainer::<M>(recipe, 1), self.train)?;
                    let epoch = || trainer.train_epoch(|_, _| ControlFlow::Continue(()));
                    Some(fastest(epochs, self.train.len(), epoch)?)
                }
            };
            self.rows.push(Row { shape, batch: batch_size, cpu, all_threads, gpu });
        }
        Ok(())
    }
}

pub(super) fn trainer<M: DigitModel>(recipe: Recipe, threads: usize) -> Trainer<M> {
    Trainer::new(Settings { recipe, seed: 1 }, threads, Simd::detect())
}

/// Times all epochs but the first.
pub(super) fn fastest(
    epochs: u32,
    samples: usize,
    mut epoch: impl FnMut() -> Result<Option<Summary>, Error>,
) -> Result<Run, Error> {
    let mut last = epoch()?;
    let mut best = f64::INFINITY;
    for _ in 1..epochs {
        let start = Instant::now();
        last = epoch()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(Run { samples_per_second: samples as f64 / best, last: last.unwrap_or_default() })
}

/// Prints the table, and where the GPU begins to pay.
pub(super) fn print(rows: &[Row], beside: &[Beside]) {
    let mut columns: Vec<&str> = beside.iter().map(|other| other.column.as_str()).collect();
    columns.sort_unstable();
    columns.dedup();
    println!("\nAn epoch: samples a second; the GPU's last loss and accuracy against the CPU's");
    print!(
        "{:<18}{:>6}{:>13}{:>13}{:>13}",
        "model",
        "batch",
        "1 thread",
        format!("{} threads", threads()),
        "GPU"
    );
    columns.iter().for_each(|column| print!("{column:>16}"));
    println!("{:>12}{:>10}", "loss off", "points");
    for row in rows {
        let Row { shape, batch, cpu, all_threads, gpu } = row;
        let speed = |run: &Run| format!("{:.0}", run.samples_per_second);
        let of_gpu = gpu.as_ref().map_or("skipped".into(), speed);
        print!("{shape:<18}{batch:>6}{:>13}{:>13}{of_gpu:>13}", speed(cpu), speed(all_threads));
        for column in &columns {
            let other = beside.iter().find(|other| {
                other.shape == *shape && other.batch == *batch && other.column == *column
            });
            let text = other.map_or("-".into(), |other| format!("{:.0}", other.samples_per_second));
            print!("{text:>16}");
        }
        match gpu {
            None => println!(),
            Some(gpu) => println!(
                "{:>12}{:>10.2}",
                format!("{:.0e}", (gpu.last.loss / cpu.last.loss - 1.0).abs()),
                100.0 * (gpu.last.accuracy - cpu.last.accuracy)
            ),
        }
    }
    for of_shape in rows.chunk_by(|a, b| a.shape == b.shape) {
        let ratio = |row: &Row| {
            let cpu = row.cpu.samples_per_second.max(row.all_threads.samples_per_second);
            row.gpu.map(|gpu| gpu.samples_per_second / cpu)
        };
        let best = of_shape.iter().filter_map(ratio).fold(f64::NEG_INFINITY, f64::max);
        let pays = of_shape.iter().find(|row| ratio(row).is_some_and(|ratio| ratio > 1.0));
        match (of_shape, pays) {
            ([Row { shape, gpu: Some(_), .. }, ..], Some(row)) => {
                println!(
                    "{shape}: the GPU pays from batches of {}, at best {best:.1} times",
                    row.batch
                );
            }
            ([Row { shape, gpu: Some(_), .. }, ..], None) => {
                println!("{shape}: the GPU does not pay, at best {best:.2} times");
            }
            _ => {}
        }
    }
}

/// Prints how long each device trains until the test accuracy is reached, with the model's own recipe.
///
/// # Errors
/// Those of the device.
pub(super) fn print_time_to_target(
    gpu: Option<&Gpu>,
    train: &Digits,
    test: &Digits,
) -> Result<(), Error> {
    println!(
        "\nTraining time until {:.0} % of the test digits are right, each model by its own recipe",
        100.0 * TARGET
    );
    target::<Mlp>(gpu, train, test)?;
    target::<MlpWide>(gpu, train, test)
}

fn target<M: DigitModel>(gpu: Option<&Gpu>, train: &Digits, test: &Digits) -> Result<(), Error> {
    let say = |device: &str, found: &str| println!("{:<12}{device:<14}{found}", M::NAME);
    for count in [1, threads()] {
        let mut trainer = trainer::<M>(M::RECIPE, count);
        let found = reach(
            M::RECIPE.epochs,
            &mut trainer,
            |trainer| {
                trainer.train_epoch(train, |_, _| ControlFlow::Continue(()));
                Ok(())
            },
            |trainer| Ok(trainer.evaluate(test, |_, _, _, _| {}).accuracy),
        )?;
        say(&format!("CPU, {count} thr."), &found);
    }
    let Some(gpu) = gpu else {
        say("GPU", "skipped");
        return Ok(());
    };
    let mut trainer = GpuTrainer::new(gpu, trainer::<M>(M::RECIPE, 1), train)?;
    let set = trainer.upload(test)?;
    let found = reach(
        M::RECIPE.epochs,
        &mut trainer,
        |trainer| trainer.train_epoch(|_, _| ControlFlow::Continue(())).map(|_| ()),
        |trainer| Ok(trainer.evaluate(&set)?.accuracy),
    )?;
    say("GPU", &found);
    Ok(())
}

fn reach<T>(
    epochs: u32,
    trainer: &mut T,
    mut train: impl FnMut(&mut T) -> Result<(), Error>,
    mut test: impl FnMut(&mut T) -> Result<f64, Error>,
) -> Result<String, Error> {
    let (mut seconds, mut accuracy) = (0.0, 0.0);
    for epoch in 1..=epochs {
        let start = Instant::now();
        train(trainer)?;
        seconds += start.elapsed().as_secs_f64();
        accuracy = test(trainer)?;
        if accuracy >= TARGET {
            return Ok(format!("{seconds:.3} s, {epoch} epochs, {:.2} %", 100.0 * accuracy));
        }
    }
    Ok(format!("not reached: {:.2} % after {epochs} epochs, {seconds:.3} s", 100.0 * accuracy))
}
