//! The machines, and how the program gets to each.

use super::Outcome;
use super::listen::listen;
use crate::boards::{self, Board, Boards};
use crate::sim::qemu::{self, Qemu};
use crate::toolchain::{Toolchain, find_command, output_of};
use crate::{cargo, firmware, root};
use anyhow::{Context, Result, bail};
use motenet::{Params, Simd};
use motenet_data::made_up;
use motenet_models::digits::Notebook;
use motenet_models::{Model, Recipe};
use motenet_train::{Settings, Trainer};
use sha2::{Digest, Sha256};
use std::env::consts::{ARCH, OS};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A machine to run on.
pub(super) struct Machine {
    pub(super) name: String,
    way: Way,
}

/// How the program gets there.
enum Way {
    /// This machine, by a profile of the workspace.
    Host(&'static str),
    /// This machine, interpreted, from a seed of what the language leaves open.
    Miri(u32),
    /// A simulated board.
    Board(Box<Board>),
    /// A target without a standard library, and the program that runs what is built for it.
    Bare(&'static str, &'static [&'static str]),
}

/// Everything that there is to run on.
pub(super) fn all() -> Result<Vec<Machine>> {
    let machine = |name: String, way| Machine { name, way };
    let mut machines = vec![
        machine(format!("{ARCH}, release"), Way::Host("release")),
        machine(format!("{ARCH}, unoptimized"), Way::Host("unoptimized")),
    ];
    machines.extend((1..=3).map(|seed| machine(format!("miri, seed {seed}"), Way::Miri(seed))));
    // Last what takes longest: software arithmetic in a simulator.
    let aarch64: &[&str] = if (ARCH, OS) == ("aarch64", "linux") { &[] } else { &["qemu-aarch64"] };
    machines.push(machine("aarch64, linux".into(), Way::Bare("aarch64-unknown-none", aarch64)));
    machines.push(machine(
        "wasm32".into(),
        Way::Bare("wasm32-unknown-unknown", &["node", "tests/bare/run.mjs"]),
    ));
    for board in Boards::read()?.simulated() {
        // Nothing is counted here, and counting takes time.
        let mut board = board.clone();
        if let Some(at) = board.qemu.iter().position(|word| word == "-icount") {
            board.qemu.drain(at..board.qemu.len().min(at + 2));
        }
        if let Some(target) = board.target_fpu.take() {
            let with = Board { target, core: "RV32IMAFC".into(), ..board.clone() };
            machines.push(machine(format!("{}, FPU", with.name), Way::Board(with.into())));
        }
        machines.push(machine(format!("{}, {}", board.name, board.core), Way::Board(board.into())));
    }
    Ok(machines)
}

impl Machine {
    /// What the row of a level is called.
    pub(super) fn row(&self, level: &str) -> String {
        match self.way {
            Way::Host(_) => format!("{}, {level}", self.name),
            _ => self.name.clone(),
        }
    }

    /// Builds, runs, listens.
    ///
    /// # Errors
    /// Of building and running; what is merely not installed is an [`Outcome::Skipped`].
    pub(super) fn run(&self) -> Result<Outcome> {
        let mut command = match &self.way {
            Way::Host(profile) => {
                let mut command = cargo();
                command.args(["run", "--quiet", "--profile", profile]).args(PROGRAM);
                command
            }
            Way::Miri(seed) => {
                let miri = ["+nightly", "miri"];
                if output_of(Command::new("cargo").args(miri).arg("--version")).is_err() {
                    return Ok(Outcome::Skipped(
                        "no Miri: `rustup +nightly component add miri`".into(),
                    ));
                }
                let mut command = Command::new("cargo");
                command.current_dir(root()).args(miri).args(["run", "--quiet"]).args(PROGRAM);
                command.args(["--", "brief"]);
                // A run of this repository's own toolchain must not reach the other one.
                command.env_remove("RUSTUP_TOOLCHAIN").env_remove("RUSTC");
                command.env("MIRIFLAGS", format!("-Zmiri-seed={seed}"));
                command
            }
            Way::Board(board) => {
                let missing = qemu::check_board(board).err();
                if let Some(missing) = missing.or(Toolchain::find(&board.target).err()) {
                    return Ok(Outcome::Skipped(format!("{missing:#}")));
                }
                let model = boards::firmware().join("model/notebook.rs");
                let features = format!("{},hashes", board.name);
                let named =
                    Board { name: format!("{}-{}", board.name, board.core), ..(**board).clone() };
                let elf = firmware::build_program(&named, &model, "hashes", &features)?.elf;
                let (program, stdout, _stdin) = Qemu::start(board, &elf)?;
                return Ok(Outcome::Said(listen(&self.name, program, stdout)?));
            }
            Way::Bare(target, runner) => {
                let toolchain = match Toolchain::find(target) {
                    Ok(toolchain) if toolchain.lacks_linker() => {
                        return Ok(Outcome::Skipped(format!(
                            "no linker for {target}: `apt-get install lld`"
                        )));
                    }
                    Ok(toolchain) => toolchain,
                    Err(missing) => return Ok(Outcome::Skipped(format!("{missing:#}"))),
                };
                if let Some(name) = runner.first().filter(|name| find_command(name).is_none()) {
                    let package = if *name == "node" { "nodejs" } else { "qemu-user" };
                    return Ok(Outcome::Skipped(format!(
                        "found no `{name}`: `apt-get install {package}`"
                    )));
                }
                let program = build_bare(&toolchain, target)?;
                let words = runner.iter().map(PathBuf::from).chain([program]);
                let words: Vec<_> = words.collect();
                let (program, arguments) = words.split_first().context("there is a program")?;
                let mut command = Command::new(program);
                command.current_dir(root()).args(arguments);
                command
            }
        };
        let (program, stdout, _stdin) = Qemu::spawn(&mut command)?;
        Ok(Outcome::Said(listen(&self.name, program, stdout)?))
    }
}

/// The program `hashes` of this workspace, without what only the tests need.
const PROGRAM: [&str; 7] =
    ["-p", "motenet-tests", "--no-default-features", "--features", "detect", "--bin", "hashes"];

fn build_bare(toolchain: &Toolchain, target: &str) -> Result<PathBuf> {
    eprintln!("building for {target} …");
    let mut command = toolchain.build(&root().join("tests/bare"));
    command.args(["--quiet", "--release", "--message-format", "json-render-diagnostics"]);
    let output = command.stderr(Stdio::inherit()).output().context("could not start `cargo`")?;
    crate::interrupt::check()?;
    if !output.status.success() {
        bail!("building for {target} failed: cargo says why above");
    }
    firmware::linked(&output.stdout).context("cargo built no program, expected `bare`")
}

/// The name of the row of [`threads`].
pub(super) const THREADS: &str = "trainer, 1 to 8 threads";

/// The trainer of this machine, on every level and number of threads: one line, and a name in `wrong`
/// if two differ.
pub(super) fn threads(wrong: &mut Vec<String>) -> String {
    let digits = made_up::digits(1, 0, 1_000);
    let recipe = Recipe { epochs: 2, ..Notebook::RECIPE };
    let train = |threads, simd| {
        let mut trainer = Trainer::<Notebook>::new(Settings { recipe, seed: 1 }, threads, simd);
        while !trainer.is_done() {
            trainer.train_epoch(&digits, |_, _| ControlFlow::Continue(()));
        }
        let mut hash = Sha256::new();
        trainer.network().flat().iter().for_each(|w| hash.update(w.to_le_bytes()));
        firmware::hex(&hash.finalize())
    };
    let expected = train(1, Simd::baseline());
    let mut levels = Vec::new();
    for simd in Simd::available() {
        levels.push(simd.name());
        for threads in 1..=8 {
            if train(threads, simd) != expected {
                wrong.push(format!("{threads} threads, {}", simd.name()));
            }
        }
    }
    let verdict = if wrong.is_empty() { "same" } else { "see below" };
    format!("{THREADS:<34}{}: {} {verdict}", levels.join(", "), expected.get(..11).unwrap_or("-"))
}
