//! Building the firmware for a board, around a model.

use crate::boards::{self, Board};
use crate::elf::{self, Sizes};
use crate::toolchain::Toolchain;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A firmware that was built.
#[derive(Clone, Debug)]
pub(crate) struct Firmware {
    /// The linked program.
    pub(crate) elf: PathBuf,
    /// What it weighs.
    pub(crate) sizes: Sizes,
    /// The compiler's version, as `1.95.0`.
    pub(crate) rustc_version: String,
}

/// Builds the firmware for `board` around the model in the Rust file `model`, in release; cargo's own messages go to
/// standard error.
///
/// Boards of one target share a folder of intermediate files; the program is copied out of it, to a place that is the board's
/// and the model's own.
pub(crate) fn build(board: &Board, model: &Path) -> Result<Firmware> {
    build_program(board, model, "firmware", &board.name)
}

/// As [`build`], the program `name` of the firmware's workspace, with other features.
pub(crate) fn build_program(
    board: &Board,
    model: &Path,
    name: &str,
    features: &str,
) -> Result<Firmware> {
    let model = fs::canonicalize(model)
        .with_context(|| format!("reading the model {} failed", model.display()))?;
    let hash = &hex(&model_hash(&model)?)[..16];
    let toolchain = Toolchain::find(&board.target)?;
    let folder = toolchain.folder().join("firmware");
    fs::create_dir_all(&folder).with_context(|| format!("making {} failed", folder.display()))?;
    // One at a time, until what was linked has been copied: another build would link over it.
    let lock = File::create(folder.join("lock")).context("making a lock file failed")?;
    lock.lock().context("locking the firmware's folder failed")?;

    let mut command = toolchain.build(&boards::firmware());
    eprintln!("building the {name} for {} …", board.name);
    command.args(["--quiet", "--release", "--bin", name, "--no-default-features"]);
    command.args(["--features", features, "--message-format", "json-render-diagnostics"]);
    command.env("MOTENET_MODEL", &model).stderr(Stdio::inherit());
    let output = command.output().context("could not start `cargo`")?;
    crate::interrupt::check()?;
    if !output.status.success() {
        bail!("building the {name} for {} failed: cargo says why above", board.name);
    }
    let linked = linked(&output.stdout)
        .with_context(|| format!("cargo built no program, expected `{name}`"))?;
    let elf = folder.join(format!("{name}-{}-{hash}.elf", board.name));
    // A simulator may still run from the file of that name.
    let _ = fs::remove_file(&elf);
    fs::copy(&linked, &elf).with_context(|| format!("writing {} failed", elf.display()))?;
    let sizes = elf::sizes(&elf, board)?;
    Ok(Firmware { elf, sizes, rustc_version: toolchain.rustc_version().into() })
}

/// The program that cargo linked, from its messages in JSON.
pub(crate) fn linked(messages: &[u8]) -> Option<PathBuf> {
    String::from_utf8_lossy(messages)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
}

/// SHA-256 of a model's file: the firmware knows its own, so that two models cannot be confused.
pub(crate) fn model_hash(model: &Path) -> Result<[u8; 32]> {
    let bytes = fs::read(model).with_context(|| format!("reading {} failed", model.display()))?;
    Ok(Sha256::digest(bytes).into())
}

/// Bytes as people write them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
