//! The kernels against their naive twins, on a simulated chip.

use super::qemu::Qemu;
use super::report::Console;
use crate::boards::{self, Board};
use crate::firmware;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

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
    let (sender, lines) = mpsc::channel();
    // Ends with the simulator.
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let start = Instant::now();
    loop {
        crate::interrupt::check()?;
        let line = match lines.recv_timeout(Duration::from_millis(50)) {
            Ok(line) => line.context("reading what the simulator says failed")?,
            Err(mpsc::RecvTimeoutError::Timeout) if start.elapsed() < TIMEOUT => continue,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                bail!("{}: the self-test has not ended within {TIMEOUT:?}", board.name)
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let error = anyhow::anyhow!("{}: the self-test broke off", board.name);
                return Err(qemu.explain(error));
            }
        };
        console.line(&format!("{:<12}{line}", board.name));
        if let Some(end) = line.strip_prefix("selftest: ") {
            if !end.ends_with(" cases, 0 differences") {
                bail!("{}: a kernel and its naive twin disagree", board.name);
            }
            return Ok(());
        }
    }
}
