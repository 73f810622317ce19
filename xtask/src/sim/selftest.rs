//! The kernels against their naive twins, on a simulated chip.

use super::qemu::Qemu;
use super::report::Console;
use crate::boards::{self, Board};
use crate::firmware;
use anyhow::{Result, bail};
use std::ops::ControlFlow;
use std::time::Duration;

/// It takes a few seconds.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Builds the self-test, runs it, and passes on what it says.
///
/// # Errors
/// A kernel that differs; a simulator that cannot be run, or says nothing for too long.
pub(crate) fn run(board: &Board, console: &Console) -> Result<()> {
    let model = boards::firmware().join("model/notebook.rs");
    let features = format!("{},selftest", board.name);
    let firmware = firmware::build_program(board, &model, "selftest", &features)?;
    let (qemu, stdout, _stdin) = Qemu::start(board, &firmware.elf)?;
    let name = format!("{}: the self-test", board.name);
    qemu.read_lines(&name, stdout, TIMEOUT, |line| {
        console.line(&format!("{:<12}{line}", board.name));
        match line.strip_prefix("selftest: ") {
            None => Ok(ControlFlow::Continue(())),
            Some(end) if end.ends_with(" cases, 0 differences") => Ok(ControlFlow::Break(())),
            Some(_) => bail!("{}: a kernel and its naive twin disagree", board.name),
        }
    })
}
