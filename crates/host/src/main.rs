//! The command line of motenet: `host` trains a model; `host --help` says what else there is.
//!
//! `cli.rs` holds what can be typed; each command has a file of its own; `console.rs` is where text
//! goes, `failure.rs` what a user sees when something is wrong. The work itself is done by the crates
//! below: this one is thin.

mod art;
mod cli;
mod console;
mod data;
mod engine;
mod eval;
mod failure;
mod interrupt;
mod models;
mod picture;
mod predict;
mod profile;
mod published;
mod rectangles;
mod report;
mod resolve;
mod saved;
mod session;
mod show;
mod train;

use clap::Parser;
use cli::{Cli, Command};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let result = match Cli::parse_from(arguments(std::env::args_os())).command {
        Command::Train(args) => train::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Models => models::run(),
        Command::Show(args) => show::run(args),
    };
    result.unwrap_or_else(|failure| {
        // Not `eprintln!`, which panics where nobody reads.
        let _ = writeln!(std::io::stderr(), "error: {failure}");
        ExitCode::FAILURE
    })
}

/// Puts `train` where the command is left out: `host --epochs 3` is `host train --epochs 3`.
fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = given.collect();
    let is_flag = |first: &OsString| {
        let first = first.to_string_lossy();
        first.starts_with('-') && !["-h", "--help", "-V", "--version"].contains(&&*first)
    };
    if arguments.get(1).is_none_or(is_flag) {
        arguments.insert(arguments.len().min(1), "train".into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn train_is_the_default() {
        let typed = |words: &[&str]| {
            let all = arguments(words.iter().map(OsString::from));
            all.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(typed(&["host"]), ["host", "train"]);
        assert_eq!(typed(&["host", "--epochs", "3"]), ["host", "train", "--epochs", "3"]);
        assert_eq!(typed(&["host", "--help"]), ["host", "--help"]);
        assert_eq!(typed(&["host", "eval", "--json"]), ["host", "eval", "--json"]);
    }
}
