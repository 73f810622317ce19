//! `cargo xtask chips`: a panic in a program for a real board is found, wherever the board's own crates keep some.
//!
//! Where a compiler for the chips is missing this says so and passes, unless `MOTENET_REQUIRE_SIM` is 1. That there is none
//! is what `cargo xtask chips` itself says, which `.ci/run` asks for every board.

mod support;

use std::process::Command;
use support::{skipped, stderr};

#[test]
fn a_planted_panic_is_found() {
    for (board, words) in [
        ("nucleo-f446re", "undefined symbol: a_panic_is_left_in_the_firmware"),
        ("pico", "found a way to a panic, expected none but by Board::take"),
    ] {
        let chips = |more: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
            command.args(["chips", "--board", board]).args(more).output().unwrap()
        };
        let output = chips(&["--control"]);
        if skipped(&output) {
            return;
        }
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words), "{said}");
        let output = chips(&[]);
        assert!(output.status.success(), "{}", stderr(&output));
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.lines().count(), 3, "{said}"); // infer, learn, adapt
    }
}
