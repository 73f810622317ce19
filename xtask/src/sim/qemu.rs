//! A board that QEMU simulates, as a process that never outlives us.

use crate::boards::Board;
use crate::interrupt;
use crate::toolchain::find_command;
use anyhow::{Context, Result, anyhow, bail};
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// A running simulator; dropping it ends it.
pub(crate) struct Qemu {
    child: Child,
    complaints: Option<thread::JoinHandle<String>>,
}

impl Qemu {
    /// Starts `board` with the program `elf`; what its serial port sends and takes comes with it.
    pub(crate) fn start(board: &Board, elf: &Path) -> Result<(Self, ChildStdout, ChildStdin)> {
        let (program, arguments) = check_board(board)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .args(["-display", "none", "-monitor", "none", "-serial", "stdio", "-kernel"])
            .arg(elf);
        Self::spawn(&mut command)
    }

    /// As [`Qemu::start`], any program.
    pub(crate) fn spawn(command: &mut Command) -> Result<(Self, ChildStdout, ChildStdin)> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start `{program}`"))?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let mut qemu = Qemu { child, complaints: None };
        let (Some(stdin), Some(stdout), Some(mut stderr)) = (stdin, stdout, stderr) else {
            bail!("`{program}` has no pipes");
        };
        qemu.complaints = Some(thread::spawn(move || {
            let mut text = String::new();
            // What can be read is enough: it only goes into a message.
            let _ = stderr.read_to_string(&mut text);
            text
        }));
        Ok((qemu, stdout, stdin))
    }

    /// Hands every line that the program says to `take`, until that breaks; then ends the program. `name` is who
    /// it is, for people.
    ///
    /// # Errors
    /// `take`'s; a program that ends before, or has not come to its last line when `timeout` is over; Ctrl-C.
    pub(crate) fn read_lines(
        self,
        name: &str,
        stdout: ChildStdout,
        timeout: Duration,
        mut take: impl FnMut(&str) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let (sender, lines) = mpsc::channel();
        // Ends with the program.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let start = Instant::now();
        loop {
            interrupt::check()?;
            let line = match lines.recv_timeout(Duration::from_millis(50)) {
                Ok(line) => line.with_context(|| format!("reading what {name} says failed"))?,
                Err(RecvTimeoutError::Timeout) if start.elapsed() < timeout => continue,
                Err(RecvTimeoutError::Timeout) => bail!("{name} has not ended within {timeout:?}"),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.explain(anyhow!("{name} broke off before its last line")));
                }
            };
            if take(line.trim_end())?.is_break() {
                return Ok(());
            }
        }
    }

    /// What an error of the line means, given what became of the process.
    pub(crate) fn explain(mut self, error: anyhow::Error) -> anyhow::Error {
        // A closed line and an ended process are not seen at the same moment.
        let waits = [0, 10, 50, 200];
        let ended = waits.iter().find_map(|&wait| {
            thread::sleep(Duration::from_millis(wait));
            self.child.try_wait().ok().flatten()
        });
        let Some(status) = ended else { return error };
        let said = self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let said = said.lines().next_back().unwrap_or("it said nothing").to_owned();
        error.context(format!("QEMU ended by itself ({status}): {said}"))
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command that simulates a board; an error if the board is real, or the command is not installed.
pub(crate) fn check_board(board: &Board) -> Result<(&String, &[String])> {
    let Some((program, arguments)) = board.qemu.split_first() else {
        let twin = board.simulated_by.as_deref().unwrap_or("all");
        bail!(
            "{} is a real board: give its --port, or simulate the same core with --board {twin}",
            board.name
        );
    };
    if find_command(program).is_none() {
        bail!(
            "found no `{program}`, which simulates {}: `{}`",
            board.name,
            how_to_install(program)
        );
    }
    Ok((program, arguments))
}

/// The line that installs a simulator.
pub(crate) fn how_to_install(program: &str) -> String {
    let package = match program {
        "qemu-system-arm" => "qemu-system-arm",
        _ => "qemu-system-misc",
    };
    match std::env::consts::OS {
        "macos" => "brew install qemu".into(),
        "windows" => "winget install SoftwareFreedomConservancy.QEMU".into(),
        _ => format!("apt-get install {package}"),
    }
}
