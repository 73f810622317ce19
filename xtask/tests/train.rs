//! `cargo xtask sim train`: simulated boards that learn, and the host's twin of each.
//!
//! Where QEMU or a compiler for the chips is missing these tests say so and pass, unless `MOTENET_REQUIRE_SIM` is 1.

mod support;

use serde_json::Value;
use std::process::{Command, Output};
use support::{skipped, stderr};

fn train(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["sim", "train"]).args(arguments).output().unwrap()
}

/// 50 samples in batches of 8, the last of them short: on a chip with an FPU and on one without, one by one, and on the
/// host a batch at a time.
#[test]
fn a_board_and_its_twin_end_with_the_same_weights() {
    let mut hashes = Vec::new();
    for board in ["mps2-an386", "riscv-virt"] {
        let arguments =
            ["--board", board, "--samples", "50", "--epochs", "1", "--images", "20", "--json"];
        let output = train(&arguments);
        if skipped(&output) {
            return;
        }
        assert!(output.status.success(), "{}", stderr(&output));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&answer["board"], &answer["task"]), (&board.into(), &"network".into()));
        assert_eq!((&answer["differences"], &answer["steps"]), (&0.into(), &7.into()));
        assert_eq!(answer["weights_sha256"], answer["twin_sha256"]);
        let number = |key: &str| answer[key].as_f64().unwrap();
        assert!(number("loss_last") < number("loss_first") + 1.0, "{answer}");
        // 11/5 of the weights and 4 KiB, the stack included.
        assert!(number("ram_bytes_program") <= 2.2 * 4.0 * 12_730.0 + 4096.0, "{answer}");
        assert!(number("ram_bytes") > 2.0 * 4.0 * 12_730.0);
        let madds = number("multiply_adds_mean");
        assert!(number("instructions_learn_mean") > madds && madds > 480.0, "{answer}");
        hashes.push(answer["weights_sha256"].clone());
    }
    // And so do two boards.
    assert_eq!(hashes[0], hashes[1]);
}

#[test]
fn what_cannot_be_trained_is_refused_on_one_line() {
    for (arguments, words) in [
        (vec!["--board", "arduino"], "found no board `arduino`, expected one of"),
        (vec!["--board", "pico"], "pico is a real board: give its --port"),
        (vec!["--learning-rate", "NaN"], "found a learning rate of NaN"),
        (vec!["--adapt", "/nowhere"], "/nowhere"),
    ] {
        let output = train(&arguments);
        if skipped(&output) {
            return;
        }
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.lines().count() == 1 && said.contains(words), "{words:?}: {said}");
    }
    for arguments in [["--samples", "0"], ["--batch", "0"], ["--change", "invert"]] {
        assert_eq!(train(&arguments).status.code(), Some(2), "{arguments:?}");
    }
}
