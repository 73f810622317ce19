//! Chores of the workspace: `cargo xtask doctor`, `test`, `accuracy`, `bench-report`, `export`, `sim`, `flash`, `hashes`,
//! `chips`, `aarch64`, `gpu-bundle`.

mod aarch64;
mod accuracy;
mod bench_report;
mod boards;
mod card;
mod chips;
mod doctor;
mod elf;
mod export;
mod firmware;
mod flash;
mod gpu_bundle;
mod hashes;
mod integers;
mod interrupt;
mod panics;
mod sim;
mod test;
mod toolchain;
mod uf2;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use std::path::Path;
use std::process::{Command, ExitCode};

/// Chores of the motenet workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Runs every test of the workspace, those that need another profile or set-up included.
    Test {
        /// Handed on to `cargo test`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Trains a model from several seeds and prints the mean accuracy.
    Accuracy(accuracy::Arguments),
    /// Runs the benches and writes docs/benchmarks.md.
    BenchReport(bench_report::Arguments),
    /// Turns a trained network into integers: Rust, C, and the floats for PyTorch.
    Export(export::Arguments),
    /// Runs the network on a simulated chip, or a real one, and compares every number with the host's.
    Sim(sim::Arguments),
    /// Writes the firmware with the network onto a board.
    Flash(flash::Arguments),
    /// Runs the same training on every machine that can be had here, and compares the hashes.
    Hashes(hashes::Arguments),
    /// Packs the GPU's tests and bench for a machine without Rust.
    GpuBundle(gpu_bundle::Arguments),
    /// Says what is installed, what is missing, and the line that installs it.
    Doctor,
    /// Builds the no_std crates and the firmware's programs for microcontrollers, so that neither std nor a panic slips in.
    Chips(chips::Arguments),
    /// Runs the core's tests on AArch64, simulated where this machine is another.
    Aarch64,
}

fn main() -> ExitCode {
    match run_chore(Arguments::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if interrupt::asked() => {
            eprintln!("interrupted");
            ExitCode::from(interrupt::EXIT_CODE)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_chore(chore: Chore) -> Result<()> {
    match chore {
        Chore::Test { arguments } => test::run(&arguments),
        Chore::Accuracy(arguments) => accuracy::run(&arguments),
        Chore::BenchReport(arguments) => bench_report::run_report(&arguments),
        Chore::Export(arguments) => export::run(&arguments),
        Chore::Sim(arguments) => sim::run(&arguments),
        Chore::Flash(arguments) => flash::run(&arguments),
        Chore::Hashes(arguments) => hashes::run(&arguments),
        Chore::GpuBundle(arguments) => gpu_bundle::run(&arguments),
        Chore::Doctor => doctor::run(),
        Chore::Chips(arguments) => chips::run(&arguments),
        Chore::Aarch64 => aarch64::run(),
    }
}

/// The root of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

/// `cargo` of the active toolchain, run at the root.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs `command` after printing it; its failure is ours.
fn run(command: &mut Command) -> Result<()> {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    let text = words.join(" ");
    eprintln!("$ {text}");
    let status = command.status().with_context(|| format!("could not start `{text}`"))?;
    if !status.success() {
        bail!("`{text}` failed ({status})");
    }
    Ok(())
}
