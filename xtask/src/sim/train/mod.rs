//! `cargo xtask sim train`: a board that learns on its own, beside the host's twin of it.
//!
//! - this file: what is trained on what;
//! - [`settings`]: learning rates and the like, chosen on the validation digits;
//! - [`drive`](mod@drive): the samples to the board and to the twin, and every number of the one against the other's;
//! - [`schedule`]: what is learned when; [`report`]: the figures.

mod drive;
mod report;
mod schedule;
pub(super) mod settings;

use super::line::Line;
use super::report::Console;
use super::{model, port, qemu, seconds, with_qemu};
use crate::boards::{self, Board, Boards};
use crate::firmware;
use crate::integers;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use drive::{Figures, Plan, Sample, Start, drive};
use motenet::kernels::Simd;
use motenet::{Dense, Layer, Loss, Params, Pass, SoftmaxCrossEntropy, Train, Zero};
use motenet_data::{Digits, Splits, made_up};
use motenet_export::quantize::quantize;
use motenet_learn::{DigitNetwork, Learner, TrainFootprint};
use motenet_models::{Model as _, digits::Mlp};
use motenet_quant::QDenseRelu;
use motenet_train::Checkpoint;
use schedule::Schedule;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Samples that the host's twin takes at a time: it changes no bit.
pub(super) const ROOM: usize = 32;

#[derive(Args)]
pub(crate) struct Arguments {
    /// With --adapt, the run whose last layer learns on; the latest of `runs` by default.
    #[arg(requires = "adapt")]
    run: Option<PathBuf>,
    /// The board.
    #[arg(long, default_value = "mps2-an386", value_name = "NAME")]
    board: String,
    /// How many training digits, from the first [default: 24000, with --adapt 500].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    samples: Option<u32>,
    /// How often each of them is learned from [default: 1, with --adapt 8].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Samples a step [default: 16, with --adapt 4].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    batch: Option<u32>,
    /// The highest learning rate, after a twentieth of the steps [default: 0.4, with --adapt 8].
    #[arg(long)]
    learning_rate: Option<f32>,
    /// The pull of every weight towards zero; a step without it is quicker.
    #[arg(long, default_value_t = 0.0)]
    weight_decay: f32,
    /// What the first weights and the order of the samples are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Trains only the last layer of an exported run, behind its first layer as it is in flash.
    #[arg(long)]
    adapt: bool,
    /// With --adapt, what is the matter with the digits that are learned and read.
    #[arg(long, value_enum, default_value_t = Change::Shift, requires = "adapt")]
    change: Change,
    /// A real board on this serial port, flashed before (`cargo xtask flash --program learn`, or `adapt`).
    #[arg(long)]
    port: Option<String>,
    /// The port's speed in bits a second.
    #[arg(long, default_value_t = 115_200, requires = "port")]
    baud: u32,
    /// The most stack that the program may use, rather than what boards.toml says.
    #[arg(long, value_name = "BYTES")]
    stack: Option<u32>,
    /// How many of the test digits are read at the end, from the first.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    images: u32,
    /// The folder of the MNIST files, if not MNIST_DIR or the cache.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Seconds of silence after which the board counts as dead.
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS", value_parser = seconds)]
    timeout: f64,
    /// Prints one JSON object as the last line.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    fn samples(&self) -> u32 {
        self.samples.unwrap_or(if self.adapt { 500 } else { 24_000 })
    }

    // The rest is what `sim settings` puts first on the validation digits of MNIST.

    fn epochs(&self) -> u32 {
        self.epochs.unwrap_or(if self.adapt { 8 } else { 1 })
    }

    fn batch(&self) -> u32 {
        self.batch.unwrap_or(if self.adapt { 4 } else { 16 })
    }

    fn learning_rate(&self) -> f32 {
        self.learning_rate.unwrap_or(if self.adapt { 8.0 } else { 0.4 })
    }

    /// Of so many samples as there are.
    fn schedule(&self, samples: usize) -> Schedule {
        Schedule {
            samples,
            epochs: self.epochs(),
            batch: self.batch(),
            learning_rate: self.learning_rate(),
            weight_decay: self.weight_decay,
            seed: self.seed,
        }
    }
}

/// How one person's digits differ from everyone's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Change {
    /// Three pixels further to the right.
    Shift,
    /// Written with a thicker pen.
    Thicken,
    /// Dark on light.
    Invert,
    /// Not at all.
    None,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let boards = Boards::read()?;
    let board = boards.find(&arguments.board)?;
    if arguments.port.is_none() {
        qemu::check_board(board)?;
    }
    let (rate, decay) = (arguments.learning_rate(), arguments.weight_decay);
    if !(0.0..=100.0).contains(&rate) || !(0.0..=10.0).contains(&decay) {
        bail!(
            "found a learning rate of {rate} and a weight decay of {decay}, expected 0 to 100 and 0 to 10"
        );
    }
    let console = Console { json: arguments.json };
    if arguments.adapt {
        let task = Task::head(arguments.run.as_deref(), arguments.data_dir.clone())?;
        one::<Dense<64, 10>>(board, task, arguments, &console)
    } else {
        let task = Task::whole(arguments.data_dir.clone())?;
        one::<DigitNetwork>(board, task, arguments, &console)
    }
}

/// What learns gets of a picture.
type Features = Box<dyn Fn(&[u8; 784]) -> Vec<u8>>;

/// What learns, from what, and from where on.
struct Task {
    splits: Splits,
    features: Features,
    start: Start,
    /// The firmware's model, and its hash as the board will say it.
    file: PathBuf,
    model_hash: [u8; 32],
}

impl Task {
    /// The whole network, from random weights.
    fn whole(data_dir: Option<PathBuf>) -> Result<Self> {
        Ok(Task {
            splits: model::digits(data_dir, made_up::SIZES.0, made_up::SIZES.1)?,
            features: Box::new(|image| image.to_vec()),
            start: Start::Seed,
            file: boards::firmware().join("model/notebook.rs"), // not linked in
            model_hash: [0; 32],
        })
    }

    /// The last layer of an exported run.
    fn head(run: Option<&Path>, data_dir: Option<PathBuf>) -> Result<Self> {
        let run = integers::open(run)?;
        let (file, _) = model::file(Some(run.path()), None)?;
        let checkpoint = Checkpoint::read(&run.checkpoint_path())?;
        let splits = integers::load(&checkpoint.header, data_dir)?;
        let (body, head) = split(&checkpoint, &splits.train)
            .with_context(|| format!("{} cannot be adapted", run.path().display()))?;
        let features = move |image: &[u8; 784]| {
            let mut hidden = [[0; 64]];
            body.forward(Pass::infer(Simd::detect()), std::slice::from_ref(image), &mut hidden);
            hidden.as_flattened().to_vec()
        };
        Ok(Task {
            splits,
            features: Box::new(features),
            start: Start::Weights(head.flat().to_vec()),
            model_hash: firmware::model_hash(&file)?,
            file,
        })
    }

    /// The first `count` digits as the board gets them and as the twin does.
    fn samples(&self, digits: &Digits, count: u32, change: Change) -> Vec<Sample> {
        let all = digits.images.iter().zip(&digits.labels);
        all.take(count as usize)
            .map(|(image, &label)| {
                let image = change.of(image);
                Sample { features: (self.features)(&image), image, label }
            })
            .collect()
    }
}

/// The first layer of a run as integers, and the last one as floats that take its activations, each over 255.
fn split(
    checkpoint: &Checkpoint,
    train: &Digits,
) -> Result<(Box<QDenseRelu<784, 64>>, Box<Dense<64, 10>>)> {
    let mut network = <Mlp as motenet_models::Model>::Network::boxed();
    if checkpoint.weights.len() != network.flat().len() || checkpoint.header.model != Mlp::NAME {
        bail!("found a run of `{}`, expected `{}`", checkpoint.header.model, Mlp::NAME);
    }
    network.flat_mut().copy_from_slice(&checkpoint.weights);
    let integers = quantize(&*network, 1.0 / 255.0, &integers::calibration(train))?;
    let unit = integers.hidden.first().copied().unwrap_or_default();
    let mut head = Box::new(network.1.1);
    for weight in head.weights.as_flattened_mut() {
        *weight = (f64::from(*weight) * 255.0 * unit) as f32;
    }
    Ok((Box::new(integers.network.0), head))
}

impl Change {
    fn of(self, image: &[u8; 784]) -> [u8; 784] {
        std::array::from_fn(|at| {
            let (row, column) = (at / 28, at % 28);
            let pixel = |row: usize, column: usize| {
                if row < 28 && column < 28 { image[28 * row + column] } else { 0 }
            };
            match self {
                Change::None => image[at],
                Change::Invert => 255 - image[at],
                Change::Shift => pixel(row, column.wrapping_sub(3)),
                Change::Thicken => {
                    let around = (0..9).map(|k| {
                        pixel((row + k / 3).wrapping_sub(1), (column + k % 3).wrapping_sub(1))
                    });
                    around.max().unwrap_or_default()
                }
            }
        })
    }
}

fn one<M: Train + motenet::Init>(
    board: &Board,
    task: Task,
    arguments: &Arguments,
    console: &Console,
) -> Result<()>
where
    SoftmaxCrossEntropy: Loss<M::Output, Target = u8>,
{
    let change = if arguments.adapt { arguments.change } else { Change::None };
    let what = if arguments.adapt { "adapt" } else { "learn" };
    let features = format!("{},{what}", board.name);
    let firmware = match &arguments.port {
        None => Some(firmware::build_program(board, &task.file, "learn", &features)?),
        Some(_) => None,
    };
    let dataset = &task.splits.name;
    let train = task.samples(&task.splits.train, arguments.samples(), change);
    let plan = &Plan {
        schedule: arguments.schedule(train.len()),
        train,
        test: task.samples(&task.splits.test, arguments.images, change),
        start: task.start.clone(),
        model_hash: task.model_hash,
        ahead: if arguments.port.is_some() { 1 } else { 8 },
    };
    let mut twin = Box::new(Learner::<M, ROOM>::new());
    console.line(&format!(
        "{} learns {} parameters from {} digits ({dataset}), {} times each, in batches of {}",
        board.name,
        M::COUNT,
        plan.train.len(),
        plan.schedule.epochs,
        plan.schedule.batch
    ));
    let timeout = Duration::from_secs_f64(arguments.timeout);
    let mut work = |line: &mut Line| drive(line, &mut twin, plan, &board.name, console);
    let figures: Result<Figures> = match (&arguments.port, &firmware) {
        (Some(port), _) => {
            port::open(port, arguments.baud, timeout).and_then(|mut line| work(&mut line))
        }
        (None, Some(firmware)) => with_qemu(board, firmware, timeout, work),
        (None, None) => bail!("found neither a firmware nor a port"),
    };
    let figures = figures.with_context(|| format!("on {}", board.name))?;
    let measured = report::Measured {
        board,
        firmware: firmware.as_ref(),
        plan,
        dataset,
        ram_bytes: M::TRAIN_RAM_BYTES,
        ram_bytes_max: M::PROGRAM_RAM_MAX,
        stack_budget: arguments.stack.unwrap_or(board.stack.learn),
        figures: &figures,
    };
    console.line("");
    console.line(&report::table(&measured));
    if arguments.json {
        println!("{}", report::json(&measured));
    }
    measured.verdict()
}
