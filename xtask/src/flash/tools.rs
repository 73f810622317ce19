//! The commands that write a program to a chip, and what they have to say.

use super::complaints;
use crate::boards::{Board, FlashBy};
use crate::interrupt;
use crate::toolchain::find_command;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// The line that installs `probe-rs`.
pub(crate) const INSTALL_PROBE_RS: &str = "cargo install probe-rs-tools --locked";

/// The line that installs `espflash`.
pub(crate) const INSTALL_ESPFLASH: &str = "cargo install espflash --locked";

/// An error with the line that installs what is missing.
pub(super) fn check(flash_by: FlashBy) -> Result<()> {
    let (name, install) = match flash_by {
        FlashBy::ProbeRs => ("probe-rs", INSTALL_PROBE_RS),
        FlashBy::Espflash => ("espflash", INSTALL_ESPFLASH),
        FlashBy::Uf2 => return Ok(()),
    };
    if find_command(name).is_none() {
        bail!("found no `{name}`, which writes to the board: `{install}`");
    }
    Ok(())
}

/// Writes `program` through a debug probe and starts it.
pub(super) fn probe_rs(board: &Board, program: &Path, probe: Option<&str>) -> Result<()> {
    let chip = board.chip.as_deref().context("boards.toml names no `chip` for this board")?;
    let command = |word: &str| {
        let mut command = Command::new("probe-rs");
        command.args([word, "--chip", chip]).env("PROBE_RS_NON_INTERACTIVE", "true");
        command.args(probe.iter().flat_map(|probe| ["--probe", probe]));
        command
    };
    println!("writing to {chip} with probe-rs …");
    let explain = |said: &str| complaints::probe_rs(said, board);
    quietly(command("download").arg(program), explain)?;
    quietly(&mut command("reset"), explain)
}

/// Writes `program` through the serial boot loader and starts it.
pub(super) fn espflash(board: &Board, program: &Path, port: Option<&str>) -> Result<()> {
    let chip = board.chip.as_deref().context("boards.toml names no `chip` for this board")?;
    let mut command = Command::new("espflash");
    command.args(["flash", "--non-interactive", "--chip", chip]);
    command.args(port.iter().flat_map(|port| ["--port", port])).arg(program);
    println!("writing to {chip} with espflash …");
    quietly(&mut command, |said| complaints::espflash(said, board))
}

/// Runs a command and shows nothing of it, unless it fails: then the one sentence that `explain` makes of what it said.
fn quietly(command: &mut Command, explain: impl Fn(&str) -> String) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start `{name}`"))?;
    interrupt::check()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stderr, output.stdout].concat();
    bail!("{}", explain(&String::from_utf8_lossy(&said)))
}
