//! The command line as a user meets it: the built program, its exit codes, its output, its files.
//!
//! Nothing here needs a network or MNIST; the one test of MNIST reads `MNIST_DIR` and passes without it.

mod errors;
mod gpu;
mod json;
mod kill;
mod predict;
mod published;
mod same_bits;

use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A short run on made-up digits.
const SHORT: [&str; 8] =
    ["--dataset", "made-up", "--train-size", "640", "--epochs", "2", "--batch-size", "32"];

/// The program, in `folder`, with nothing of the environment that could change what it does.
fn host(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_host"));
    command.current_dir(folder);
    for name in ["MNIST_DIR", "CARGO", "NO_COLOR"] {
        command.env_remove(name);
    }
    // Whatever asks for a network is refused at once, and finds no cache.
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, "http://127.0.0.1:9");
    }
    for name in ["HOME", "XDG_CACHE_HOME"] {
        command.env(name, folder);
    }
    command
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs it, expects success, and returns what it wrote.
fn succeeds(folder: &Path, args: &[&str]) -> Output {
    let output = host(folder).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    output
}

/// Trains with `--json` and returns the object.
fn trained(folder: &Path, args: &[&str]) -> serde_json::Value {
    let output = succeeds(folder, &[args, &["--json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs it, expects exit code 1 and one line on standard error, and returns the line.
fn fails(folder: &Path, args: &[&str]) -> String {
    let output = host(folder).args(args).output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {error}");
    assert!(error.starts_with("error: ") && error.lines().count() == 1, "{args:?}: {error}");
    error
}
