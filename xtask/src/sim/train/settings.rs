//! `cargo xtask sim settings`: how fast to learn, and how often.
//!
//! The twin alone learns, which ends with the bits that a board would end with and takes a fraction of a second. Every
//! combination of the settings is tried from several seeds and judged by the validation digits, which nothing learns from.
//! The test digits are reported for one combination, that which was chosen, and never for several.

use super::drive::{Sample, Start};
use super::schedule::Schedule;
use super::{Change, ROOM, Task};
use crate::interrupt;
use crate::sim::report::{Bar, Console};
use anyhow::{Result, bail};
use clap::Args;
use motenet::kernels::Simd;
use motenet::{Dense, Init, Loss, SoftmaxCrossEntropy, Tensor, Train, argmax};
use motenet_learn::{DigitNetwork, Learner};
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Arguments {
    /// With --adapt, the run whose last layer learns on; the latest of `runs` by default.
    #[arg(requires = "adapt")]
    run: Option<PathBuf>,
    /// The last layer of an exported run, on digits changed in each of the ways of `sim train --adapt`.
    #[arg(long)]
    adapt: bool,
    /// How many training digits, from the first.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    samples: Vec<u32>,
    /// How often each of them is learned from.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Vec<u32>,
    /// Samples a step.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    batch: Vec<u32>,
    /// The highest learning rate.
    #[arg(long, value_delimiter = ',')]
    learning_rate: Vec<f32>,
    /// The pull of every weight towards zero.
    #[arg(long, value_delimiter = ',', default_value = "0")]
    weight_decay: Vec<f32>,
    /// Seeds, from 1.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    seeds: u32,
    /// Reports the test digits, for one combination.
    #[arg(long)]
    test: bool,
    /// The folder of the MNIST files, if not MNIST_DIR or the cache.
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

impl Arguments {
    /// Every combination, in the order in which they are given.
    fn settings(&self) -> Vec<Schedule> {
        let or = |list: &[u32], default: &[u32]| match list {
            [] => default.to_vec(),
            list => list.to_vec(),
        };
        let (samples, epochs, batches, rates) = match self.adapt {
            true => (500, &[2, 4, 8][..], &[4, 8][..], &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]),
            false => (24_000, &[1][..], &[4, 8, 16][..], &[0.05, 0.1, 0.15, 0.2, 0.3, 0.4]),
        };
        let rates = if self.learning_rate.is_empty() { rates } else { &self.learning_rate[..] };
        let mut settings = Vec::new();
        for samples in or(&self.samples, &[samples]) {
            for epochs in or(&self.epochs, epochs) {
                for batch in or(&self.batch, batches) {
                    for &learning_rate in rates {
                        for &weight_decay in &self.weight_decay {
                            settings.push(Schedule {
                                samples: samples as usize,
                                epochs,
                                batch,
                                learning_rate,
                                weight_decay,
                                seed: 1,
                            });
                        }
                    }
                }
            }
        }
        settings
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let settings = arguments.settings();
    if arguments.test && settings.len() > 1 {
        bail!(
            "found {} combinations of settings for --test, expected one: choose it by the validation digits",
            settings.len()
        );
    }
    if arguments.adapt {
        let task = Task::head(arguments.run.as_deref(), arguments.data_dir.clone())?;
        let changes = [Change::Shift, Change::Thicken, Change::Invert];
        rank::<Dense<64, 10>>(&task, &changes, &settings, arguments)
    } else {
        let task = Task::whole(arguments.data_dir.clone())?;
        rank::<DigitNetwork>(&task, &[Change::None], &settings, arguments)
    }
}

/// What a setting came to: for each change the share of digits read right, before, and after from each seed.
struct Row {
    setting: Schedule,
    changes: Vec<(f64, Vec<f64>)>,
}

impl Row {
    fn mean(&self) -> f64 {
        let all: Vec<f64> = self.changes.iter().flat_map(|(_, after)| after).copied().collect();
        all.iter().sum::<f64>() / all.len().max(1) as f64
    }
}

fn rank<M: Train + Init>(
    task: &Task,
    changes: &[Change],
    settings: &[Schedule],
    arguments: &Arguments,
) -> Result<()>
where
    SoftmaxCrossEntropy: Loss<M::Output, Target = u8>,
{
    let console = Console { json: false };
    let (name, judges) = match arguments.test {
        true => ("test", &task.splits.test),
        false => ("validation", &task.splits.validation),
    };
    if judges.is_empty() {
        bail!("found no {name} digits, expected some: train the run with validation digits");
    }
    let most = settings.iter().map(|setting| setting.samples).max().unwrap_or_default();
    let sets: Vec<_> = changes
        .iter()
        .map(|&change| {
            let all = u32::try_from(judges.len()).unwrap_or(u32::MAX);
            (
                task.samples(&task.splits.train, most as u32, change),
                task.samples(judges, all, change),
            )
        })
        .collect();
    let bar = Bar::new("settings", settings.len(), "tried", &console);
    let mut rows = Vec::new();
    let mut learner = Box::new(Learner::<M, ROOM>::new());
    for (done, &setting) in settings.iter().enumerate() {
        let mut row = Row { setting, changes: Vec::new() };
        for (train, judges) in &sets {
            let mut after = Vec::new();
            task.start.apply(&mut learner, 1);
            let before = right(&mut learner, judges);
            for seed in 1..=arguments.seeds {
                interrupt::check()?;
                let samples = setting.samples.min(train.len());
                let schedule = Schedule { samples, seed: seed.into(), ..setting };
                learn(&mut learner, schedule, train, &task.start);
                after.push(right(&mut learner, judges));
                if arguments.test {
                    let first = right(&mut learner, judges.get(..1_000).unwrap_or(judges));
                    console.line(&format!(
                        "seed {seed}: {:.2} % of all {}, {:.1} % of the first 1,000",
                        100.0 * after[after.len() - 1],
                        judges.len(),
                        100.0 * first
                    ));
                }
            }
            row.changes.push((before, after));
        }
        rows.push(row);
        bar.set(done + 1);
    }
    bar.end();
    rows.sort_by(|a, b| b.mean().total_cmp(&a.mean()));
    console.line(&format!(
        "{} {name} digits ({}), {} seeds; accuracy in %: mean, and from least to most of the seeds{}",
        judges.len(),
        task.splits.name,
        arguments.seeds,
        if arguments.adapt { "; shifted, thickened, inverted, each after what it was before" } else { "" }
    ));
    console.line("samples epochs batch   rate  decay   mean");
    for row in &rows {
        let Schedule { samples, epochs, batch, learning_rate, weight_decay, .. } = row.setting;
        let mut line = format!(
            "{samples:>7} {epochs:>6} {batch:>5} {learning_rate:>6} {weight_decay:>6} {:>6.2}",
            100.0 * row.mean()
        );
        for (before, after) in &row.changes {
            let least = after.iter().copied().fold(f64::INFINITY, f64::min);
            let most = after.iter().copied().fold(0.0, f64::max);
            let mean = after.iter().sum::<f64>() / after.len().max(1) as f64;
            if arguments.adapt {
                line += &format!("  {:.2} →", 100.0 * before);
            }
            line += &format!(" {:.2} ({:.2} to {:.2})", 100.0 * mean, 100.0 * least, 100.0 * most);
        }
        console.line(&line);
    }
    Ok(())
}

/// Learns on the host as the board would; the weights are the same to the last bit.
fn learn<M: Train + Init>(
    learner: &mut Learner<M, ROOM>,
    schedule: Schedule,
    train: &[Sample],
    start: &Start,
) where
    SoftmaxCrossEntropy: Loss<M::Output, Target = u8>,
{
    start.apply(learner, schedule.seed);
    for epoch in 0..schedule.epochs {
        for batch in schedule.order(epoch).chunks(schedule.batch as usize) {
            let share = 1.0 / batch.len() as f32;
            for part in batch.chunks(ROOM) {
                let samples: Vec<_> = part.iter().map(|&at| train[at].for_twin()).collect();
                learner.learn(Simd::detect(), &samples, share);
            }
            let rate = schedule.rate(learner.steps());
            learner.step(Simd::detect(), rate, schedule.weight_decay);
        }
    }
}

/// The share of digits that are read right.
fn right<M: Train>(learner: &mut Learner<M, ROOM>, digits: &[Sample]) -> f64
where
    SoftmaxCrossEntropy: Loss<M::Output, Target = u8>,
{
    let mut right = 0;
    for part in digits.chunks(ROOM) {
        let samples: Vec<_> = part.iter().map(Sample::for_twin).collect();
        learner.evaluate(Simd::detect(), &samples);
        let read = learner.logits().iter().zip(part);
        right += read
            .filter(|(logits, digit)| {
                let logits = M::Output::flatten(std::slice::from_ref(*logits));
                argmax(logits) == usize::from(digit.label)
            })
            .count();
    }
    right as f64 / digits.len().max(1) as f64
}
