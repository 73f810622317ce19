//! `cargo xtask sim`: the firmware with a trained network on a simulated board, or on a real one, and every number that it
//! answers held against the host's.
//!
//! - [`line`](mod@line): requests and replies over anything that can be read and written;
//! - [`measure`](mod@measure): streams images, compares, counts;
//! - [`model`]: which network it is, and the host's own copy of it; [`twin`]: that copy for a bare file;
//! - [`qemu`]: a simulated board; [`port`]: a real one;
//! - [`train`](mod@train): a board that learns, beside the host's twin of it;
//! - [`fuzz`]: noise; [`selftest`]: the kernels against their twins on the chip; [`report`]: the table.

pub(crate) mod fuzz;
pub(crate) mod line;
pub(crate) mod measure;
pub(crate) mod model;
pub(crate) mod port;
pub(crate) mod qemu;
pub(crate) mod report;
pub(crate) mod selftest;
pub(crate) mod train;
pub(crate) mod twin;

#[cfg(test)]
mod tests;

use crate::boards::{Board, Boards, check_stack};
use crate::elf::Sizes;
use crate::firmware::{self, Firmware};
use crate::interrupt;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use line::Line;
use measure::{Figures, Task};
use model::Model;
use qemu::Qemu;
use report::Bar;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    other: Option<Other>,
    /// The run whose network it is; the latest of `runs` by default.
    run: Option<PathBuf>,
    /// The board, or `all` simulated ones; may be given several times.
    #[arg(long, default_value = "mps2-an386", value_name = "NAME")]
    board: Vec<String>,
    /// How many of the test images, from the first.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    images: u32,
    /// An exported Rust file, rather than a run.
    #[arg(long, value_name = "FILE", conflicts_with = "run")]
    model_file: Option<PathBuf>,
    /// Runs every kernel against its naive twin on the chip, and no network.
    #[arg(long, conflicts_with_all = ["port", "fuzz", "model_file", "json"])]
    selftest: bool,
    /// A real board on this serial port, flashed before (`cargo xtask flash`).
    #[arg(long)]
    port: Option<String>,
    /// The port's speed in bits a second.
    #[arg(long, default_value_t = 115_200, requires = "port")]
    baud: u32,
    /// Throws this many bytes of noise first; then the answers must still be right.
    #[arg(long, value_name = "BYTES")]
    fuzz: Option<usize>,
    /// What the noise is drawn from.
    #[arg(long, default_value_t = 1, requires = "fuzz")]
    seed: u64,
    /// The most stack that the firmware may use, rather than what boards.toml says.
    #[arg(long, value_name = "BYTES")]
    stack: Option<u32>,
    /// The folder of the MNIST files, if not MNIST_DIR or the cache.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Seconds of silence after which a board counts as dead.
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS", value_parser = seconds)]
    timeout: f64,
    /// Prints one JSON object as the last line.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Other {
    /// Trains on a simulated board, and beside it on the host: the weights must be the same to the last bit.
    Train(train::Arguments),
    /// Tries settings of `sim train` on the host's twin alone, and ranks them by the validation digits.
    Settings(train::settings::Arguments),
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.001..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected 0.001 to 86400 seconds".into()),
    }
}

/// A board and what was found on it.
pub(crate) struct Measured {
    pub(crate) board: Board,
    /// What its program weighs; `None` for a real board, whose program was not built here.
    pub(crate) sizes: Option<Sizes>,
    /// The version of the compiler that built it.
    pub(crate) rustc_version: Option<String>,
    pub(crate) figures: Figures,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    interrupt::catch();
    match &arguments.other {
        Some(Other::Train(arguments)) => return train::run(arguments),
        Some(Other::Settings(arguments)) => return train::settings::run(arguments),
        None => {}
    }
    let boards = Boards::read()?;
    let chosen = choose(&boards, arguments)?;
    if arguments.port.is_none() {
        chosen.iter().try_for_each(|board| qemu::check_board(board).map(|_| ()))?;
    }
    let console = report::Console { json: arguments.json };
    if arguments.selftest {
        return chosen.into_iter().try_for_each(|board| selftest::run(board, &console));
    }
    let (mut model, note) = Model::choose(
        arguments.run.as_deref(),
        arguments.model_file.as_deref(),
        arguments.data_dir.clone(),
    )?;
    note.iter().for_each(|note| console.line(note));
    let count = (arguments.images as usize).min(model.test.len());
    console.line(&format!(
        "{}, {count} of {} test digits ({})",
        model.origin,
        model.test.len(),
        model.dataset
    ));
    let mut measured = Vec::new();
    for board in chosen {
        let firmware = match &arguments.port {
            None => Some(firmware::build(board, &model.file)?),
            Some(_) => None,
        };
        measured.push(one(board, firmware, &mut model, arguments, &console)?);
        interrupt::check()?;
    }
    console.line("");
    console.line(&report::table(&measured));
    if arguments.json {
        println!("{}", report::json(&measured, &model.dataset));
    }
    report::verdict(&measured)?;
    measured.iter().try_for_each(|one| {
        let budget = arguments.stack.unwrap_or(one.board.stack.infer);
        check_stack(&one.board.name, one.figures.stack_bytes_max, budget)
    })
}

fn choose<'a>(boards: &'a Boards, arguments: &Arguments) -> Result<Vec<&'a Board>> {
    let mut chosen: Vec<&Board> = Vec::new();
    for name in &arguments.board {
        match name.as_str() {
            "all" => chosen.extend(boards.simulated()),
            name => chosen.push(boards.find(name)?),
        }
    }
    let mut seen = std::collections::HashSet::new();
    chosen.retain(|board| seen.insert(board.name.clone()));
    if arguments.port.is_some() && chosen.len() > 1 {
        bail!("found {} boards for one --port, expected one", chosen.len());
    }
    Ok(chosen)
}

/// Simulates, or drives over its port, one board.
fn one(
    board: &Board,
    firmware: Option<Firmware>,
    model: &mut Model,
    arguments: &Arguments,
    console: &report::Console,
) -> Result<Measured> {
    let timeout = Duration::from_secs_f64(arguments.timeout);
    let count = (arguments.images as usize).min(model.test.len());
    // A serial port has no flow control: what comes while the chip is busy is lost.
    let ahead = if arguments.port.is_some() { 1 } else { 8 };
    let mut task = Task {
        engine: &mut *model.engine,
        softmax: model.softmax,
        model_hash: firmware::model_hash(&model.file)?,
        images: model.test.images.get(..count).unwrap_or_default(),
        labels: model.test.labels.get(..count).unwrap_or_default(),
        ahead,
    };
    let mut work = |line: &mut Line| -> Result<Figures> {
        if let Some(bytes) = arguments.fuzz {
            measure::ask_info(line)?;
            let bar = Bar::new(&format!("{}, noise", board.name), bytes, "bytes", console);
            let thrown = fuzz::throw(line, 784, bytes, arguments.seed, &mut |done| bar.set(done));
            bar.end();
            console.line(&report::thrown(&board.name, &thrown?));
        }
        let bar = Bar::new(&board.name, count, "images", console);
        let figures = measure::measure(line, &mut task, &mut |done| bar.set(done));
        bar.end();
        figures
    };
    let figures = match (&arguments.port, &firmware) {
        (Some(port), _) => work(&mut port::open(port, arguments.baud, timeout)?),
        (None, Some(firmware)) => with_qemu(board, firmware, timeout, work),
        (None, None) => bail!("found neither a firmware nor a port"),
    };
    let figures = figures.with_context(|| format!("on {}", board.name))?;
    if let Some(firmware) = &firmware {
        measure::check_sizes(&figures.info, &firmware.sizes)?;
    }
    Ok(Measured {
        board: board.clone(),
        sizes: firmware.as_ref().map(|firmware| firmware.sizes),
        rustc_version: firmware.map(|firmware| firmware.rustc_version),
        figures,
    })
}

/// Runs `firmware` on `board` in QEMU for as long as `work` takes.
pub(crate) fn with_qemu<R>(
    board: &Board,
    firmware: &Firmware,
    timeout: Duration,
    work: impl FnOnce(&mut Line) -> Result<R>,
) -> Result<R> {
    let (qemu, stdout, stdin) = Qemu::start(board, &firmware.elf)?;
    let mut line = Line::new(&board.name, stdout, stdin, timeout);
    match work(&mut line) {
        Ok(result) => Ok(result),
        Err(error) => Err(qemu.explain(error)),
    }
}
