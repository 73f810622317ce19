//! `cargo xtask flash`: the firmware with a trained network, onto a board on the desk.

mod complaints;
mod drive;
pub(crate) mod tools;
pub(crate) mod usb;

use crate::boards::{Board, Boards, FlashBy};
use crate::elf;
use crate::firmware::{self, Firmware};
use crate::interrupt;
use crate::sim::model;
use crate::uf2;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The run whose network it is; the latest of `runs` by default.
    run: Option<PathBuf>,
    /// The board.
    #[arg(long, value_name = "NAME")]
    board: String,
    /// What it does there.
    #[arg(long, value_enum, default_value_t = Program::Infer)]
    program: Program,
    /// An exported Rust file, rather than a run.
    #[arg(long, value_name = "FILE", conflicts_with = "run")]
    model_file: Option<PathBuf>,
    /// A firmware that is built already.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["run", "model_file"])]
    elf: Option<PathBuf>,
    /// The debug probe, as `probe-rs list` names it, where there are several.
    #[arg(long, value_name = "VID:PID[:SERIAL]")]
    probe: Option<String>,
    /// The serial port, where there are several.
    #[arg(long)]
    port: Option<String>,
    /// The folder of the board's boot drive, if it is not found.
    #[arg(long, value_name = "FOLDER")]
    drive: Option<PathBuf>,
}

/// A program of the firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Program {
    /// Runs the network.
    Infer,
    /// Trains a small network from random weights.
    Learn,
    /// Trains the last layer of the network.
    Adapt,
}

impl Program {
    fn build(self, board: &Board, file: &Path) -> Result<Firmware> {
        match self {
            Program::Infer => firmware::build(board, file),
            Program::Learn => {
                firmware::build_program(board, file, "learn", &format!("{},learn", board.name))
            }
            Program::Adapt => {
                firmware::build_program(board, file, "learn", &format!("{},adapt", board.name))
            }
        }
    }

    /// The command that drives it.
    fn driver(self) -> &'static str {
        match self {
            Program::Infer => "sim",
            Program::Learn => "sim train",
            Program::Adapt => "sim train --adapt",
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    interrupt::catch();
    let boards = Boards::read()?;
    let board = boards.find(&arguments.board)?;
    let Some(flash_by) = board.flash_by else {
        bail!("{0} is simulated: `cargo xtask sim --board {0}`", board.name);
    };
    // What is missing is better said before a build than after it.
    tools::check(flash_by)?;
    let program = match &arguments.elf {
        Some(elf) => elf.clone(),
        None => {
            let (file, note) =
                model::file(arguments.run.as_deref(), arguments.model_file.as_deref())?;
            note.iter().for_each(|note| println!("{note}"));
            let firmware = arguments.program.build(board, &file)?;
            println!("{}: {} bytes of flash", board.about, firmware.sizes.flash_bytes);
            firmware.elf
        }
    };
    match flash_by {
        FlashBy::ProbeRs => tools::probe_rs(board, &program, arguments.probe.as_deref())?,
        FlashBy::Espflash => tools::espflash(board, &program, arguments.port.as_deref())?,
        FlashBy::Uf2 => copy(board, &program, arguments.drive.as_deref())?,
    }
    let driver = arguments.program.driver();
    println!("{0} runs it. Now `cargo xtask {driver} --board {0} --port PORT`", board.name);
    Ok(())
}

/// Writes the program as UF2 and lays it onto the board's boot drive.
fn copy(board: &Board, program: &Path, drive: Option<&Path>) -> Result<()> {
    let bytes =
        fs::read(program).with_context(|| format!("reading {} failed", program.display()))?;
    let segments = elf::segments(&bytes)
        .with_context(|| format!("{} is not a firmware", program.display()))?;
    if let Some(segment) = segments.iter().find(|segment| !board.flash.holds(segment.address)) {
        bail!(
            "the program has a piece at {:#x}, outside the flash of {}: it is built for another board",
            segment.address,
            board.name
        );
    }
    let file = program.with_file_name(format!("{}.uf2", board.name));
    fs::write(&file, uf2::write(&segments, uf2::RP2040)?)
        .with_context(|| format!("writing {} failed", file.display()))?;
    println!("written to {}", file.display());
    let found = drive.map(Path::to_path_buf).or_else(drive::find);
    let Some(drive) = found else {
        bail!(
            "found no drive RPI-RP2: hold BOOTSEL while plugging the board in, then run this again or copy {} there",
            file.display()
        );
    };
    drive::copy(&file, &drive)?;
    println!("copied to {}", drive.display());
    Ok(())
}
