//! `cargo xtask sim train`: simulated boards that learn, and the host's twin of each.
//!
//! Where QEMU or a compiler for the chips is missing these tests say so and pass, unless `MOTENET_REQUIRE_SIM` is 1.

mod support;

use motenet_learn::{DigitNetwork, identity};
use motenet_link::{Aligned, Decoder, Fault, FaultCode, LearnReply, LearnRequest};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Output, Stdio};
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
        let few = ["--samples", "50", "--batch", "8", "--images", "20", "--json"];
        let output = train(&[&["--board", board], &few[..]].concat());
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
        // Where there is an FPU: within twice what loading, multiplying and storing take, number by number.
        let (sample, floor) = (number("instructions_sample"), number("instructions_floor"));
        assert!(board != "mps2-an386" || sample < 2.0 * floor, "{sample} is far from {floor}");
        assert!(floor > 2.0 * madds && sample > 0.5 * floor, "{answer}");
        assert_eq!(answer["kept"], true);
        assert!(number("stack_bytes_firmware") > number("stack_bytes"), "{answer}");
        hashes.push(answer["weights_sha256"].clone());
    }
    // And so do two boards.
    assert_eq!(hashes[0], hashes[1]);
}

const FEW: [&str; 7] = ["--samples", "3", "--epochs", "1", "--images", "2", "--json"];

/// The stack that was painted over is held against a budget: one that is too small is an error with both numbers.
#[test]
fn a_stack_beyond_its_budget_is_an_error() {
    let stack = |budget: Option<u64>| {
        let budget = budget.map(|budget| budget.to_string());
        let budget: Vec<&str> = budget.iter().flat_map(|b| ["--stack", b]).collect();
        train(&[&FEW[..], &budget].concat())
    };
    let output = stack(None);
    if skipped(&output) {
        return;
    }
    assert!(output.status.success(), "{}", stderr(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let used = answer["stack_bytes_firmware"].as_u64().unwrap();
    assert!(stack(Some(used)).status.success());
    let output = stack(Some(used - 1));
    assert_eq!(output.status.code(), Some(1));
    let words = format!("mps2-an386 has used {used} bytes of stack, its budget is {}", used - 1);
    assert!(stderr(&output).contains(&words), "{}", stderr(&output));
}

/// A board behind a serial port, which here is a simulator's: the same figures as without one.
#[test]
#[cfg(target_os = "linux")]
fn a_board_on_a_port_learns_the_same() {
    let simulated = train(&FEW);
    if skipped(&simulated) {
        return;
    }
    let expected: Value = serde_json::from_slice(&simulated.stdout).unwrap();
    let board = ["-M", "mps2-an386", "-icount", "shift=7", "-display", "none", "-monitor", "none"];
    let mut qemu = Command::new("qemu-system-arm")
        .args(board)
        .args(["-serial", "pty", "-kernel", expected["elf"].as_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(qemu.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let port = said.split_whitespace().find(|word| word.starts_with("/dev/")).unwrap().to_owned();
    // Twice, so that what the first has saved is there when the second starts.
    let outputs = [(); 2].map(|()| train(&[&FEW[..], &["--port", &port]].concat()));
    qemu.kill().unwrap();
    qemu.wait().unwrap();
    for output in outputs {
        assert!(output.status.success(), "{}", stderr(&output));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        for key in ["weights_sha256", "twin_sha256", "differences", "kept", "instructions_sample"] {
            assert_eq!(answer[key], expected[key], "{key}");
        }
    }
}

/// CRC-32 as in ISO-HDLC, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

/// A saved area, by the table in the documentation of `motenet-store`.
fn saved(identity: [u8; 8], numbers: &[u8]) -> Vec<u8> {
    let [save, len, crc] = [9, numbers.len() as u32, crc32(numbers)].map(u32::to_le_bytes);
    let mut bytes = [&b"MOTE"[..], &save, &len, &crc, &identity].concat();
    bytes.extend(crc32(&bytes).to_le_bytes());
    bytes.resize(32, 0xff);
    bytes.extend(numbers);
    bytes
}

/// What lies in the flash is from another day: weights of this network are there after a start, those of another, as
/// many, are refused, and a save of ours takes their place.
#[test]
fn stale_flash_is_told_by_its_identity() {
    let built = train(&FEW);
    if skipped(&built) {
        return;
    }
    let built: Value = serde_json::from_slice(&built.stdout).unwrap();
    let ours = identity::<DigitNetwork>(&[0; 32]);
    let theirs = ours.map(|byte| byte ^ 1);
    let numbers: Vec<u8> = (0..12_730).flat_map(|k| (k as f32).to_le_bytes()).collect();
    let hash = |bytes: &[u8]| <[u8; 32]>::from(Sha256::digest(bytes));
    let (kept, zeros) = (hash(&numbers), hash(&vec![0; numbers.len()]));
    let folder = tempfile::tempdir().unwrap();
    for (identity, after_start) in [(ours, kept), (theirs, zeros)] {
        let image = folder.path().join("flash");
        std::fs::write(&image, saved(identity, &numbers)).unwrap();
        let board =
            ["-M", "mps2-an386", "-icount", "shift=7", "-display", "none", "-monitor", "none"];
        let mut qemu = Command::new("qemu-system-arm")
            .args(board)
            .args(["-serial", "stdio", "-kernel", built["elf"].as_str().unwrap(), "-device"])
            .arg(format!("loader,file={},addr=0x21000000,force-raw=on", image.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = (qemu.stdin.take().unwrap(), qemu.stdout.take().unwrap());
        let mut decoder = Decoder::new(Aligned([0; 256]));
        // A reply's hash, or its fault, or neither.
        let mut ask = |request: LearnRequest<'_>| {
            request.encode(|bytes| port.0.write_all(bytes)).unwrap();
            loop {
                let mut byte = [0];
                port.1.read_exact(&mut byte).unwrap();
                let Some(frame) = decoder.push(byte[0]) else { continue };
                return match frame.and_then(LearnReply::decode).unwrap() {
                    LearnReply::Hash { sha256, .. } => (Some(sha256), None),
                    LearnReply::Fault(fault) => (None, Some(fault)),
                    LearnReply::Done => (None, None),
                    other => panic!("{other:?}"),
                };
            }
        };
        assert_eq!(ask(LearnRequest::Hash), (Some(after_start), None));
        let refusal = Fault { code: FaultCode::Store, found: 3, expected: 0 };
        assert!(refusal.to_string().starts_with("what was saved is another network's: "));
        let refused = (identity == theirs).then_some(refusal);
        assert_eq!(ask(LearnRequest::Load), (None, refused));
        assert_eq!(ask(LearnRequest::Hash), (Some(after_start), None));
        for request in [LearnRequest::Save, LearnRequest::Load] {
            assert_eq!(ask(request), (None, None));
        }
        assert_eq!(ask(LearnRequest::Hash), (Some(after_start), None));
        qemu.kill().unwrap();
        qemu.wait().unwrap();
    }
}

/// The best is first, and the test digits are not looked at for more than one setting.
#[test]
fn settings_are_ranked_by_the_validation_digits() {
    let settings = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        let few = ["--samples", "300", "--batch", "8", "--seeds", "2"];
        command.args(["sim", "settings"]).args(few).args(more).output().unwrap()
    };
    let output = settings(&["--learning-rate", "0.2,0,0.01"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("validation digits") && !said.contains("test digits"), "{said}");
    let rows: Vec<Vec<f64>> = said
        .lines()
        .filter(|line| line.trim_start().starts_with("300 "))
        .map(|line| line.split_whitespace().take(6).map(|word| word.parse().unwrap()).collect())
        .collect();
    let rates: Vec<f64> = rows.iter().map(|row| row[3]).collect();
    assert_eq!(rates, [0.2, 0.01, 0.0], "{said}");
    assert!(rows[0][5] > rows[1][5] && rows[1][5] > rows[2][5] && rows[0][5] > 50.0, "{said}");

    let output = settings(&["--learning-rate", "0.2,0.1", "--test"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("found 2 combinations of settings for --test, expected one"), "{said}");
}

#[test]
fn what_cannot_be_trained_is_refused_on_one_line() {
    for (arguments, words) in [
        (vec!["--board", "arduino"], "found no board `arduino`, expected one of"),
        (vec!["--board", "pico"], "pico is a real board: give its --port"),
        (vec!["--learning-rate", "NaN"], "found a learning rate of NaN"),
        (vec!["--adapt", "/nowhere"], "/nowhere"),
        (vec!["--board", "pico", "--port", "/dev/nothing"], "there is no such port"),
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
