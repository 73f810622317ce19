//! `cargo xtask sim`: the firmware on simulated boards, and what becomes of simulators that misbehave.
//!
//! Where QEMU or a compiler for the chips is missing these tests say so and pass, unless `MOTENET_REQUIRE_SIM` is 1.
//! `MOTENET_BLESS=1` writes the golden figures anew.

mod support;

use motenet_data::made_up;
use motenet_models::Model;
use motenet_models::digits::Mlp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use support::{skipped, stderr};

/// One of each core.
const BOARDS: [&str; 4] = ["mps2-an386", "mps2-an385", "microbit", "riscv-virt"];

/// What must be the same wherever the same compiler builds.
const GOLDEN: [&str; 7] = [
    "flash_bytes",
    "code_bytes",
    "stack_bytes",
    "instructions_mean",
    "instructions_max",
    "instructions_full",
    "instructions_empty",
];

/// A run of `mlp` on made-up digits, as `host train --model mlp --dataset made-up` makes it, exported: the same bits
/// everywhere.
fn exported() -> &'static Path {
    static RUN: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, run) = RUN.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let run = train(folder.path());
        let export = ["export", "--no-boards", run.to_str().unwrap()];
        let output = xtask(&export).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (folder, run)
    });
    run
}

fn train(out: &Path) -> PathBuf {
    let (train, validation, test) = made_up::SIZES;
    let splits = made_up::splits(made_up::SEED, train, validation, test);
    support::train::<Mlp>(out, splits, Mlp::RECIPE)
}

fn xtask(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments);
    command
}

fn sim(run: &Path, more: &[&str]) -> Command {
    let mut command = xtask(&["sim", run.to_str().unwrap()]);
    command.args(more);
    command
}

#[test]
fn every_core_agrees_with_the_host_and_costs_what_it_did() {
    let boards = BOARDS.iter().flat_map(|board| ["--board", board]);
    let arguments: Vec<_> = ["--images", "20", "--json"].into_iter().chain(boards).collect();
    let output = sim(exported(), &arguments).output().unwrap();
    if skipped(&output) {
        return;
    }
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    let boards = answer["boards"].as_array().unwrap();
    let names: Vec<_> = boards.iter().map(|board| board["board"].as_str().unwrap()).collect();
    assert_eq!(names, BOARDS);
    for board in boards {
        assert_eq!((&board["images"], &board["logit_mismatches"]), (&20.into(), &0.into()));
        assert_eq!(board["other_mismatches"], 0);
        assert!(board["accuracy"].as_f64().unwrap() > 0.9, "{board}");
        let count = |key: &str| board[&format!("instructions_{key}")].as_f64().unwrap();
        assert!(count("empty") < count("mean") && count("mean") < count("max"), "{board}");
        assert!(count("max") < count("full"), "{board}");
        let bytes = |key: &str| board[&format!("{key}_bytes")].as_u64().unwrap();
        assert!(bytes("weights") > 784 * 64 && bytes("flash") > bytes("weights") + bytes("code"));
        assert!(bytes("ram") >= 784 && bytes("stack") > 0 && bytes("code") > 300, "{board}");
    }
    compare_with_golden(boards);
}

fn compare_with_golden(boards: &[Value]) {
    let version = boards[0]["rustc"].as_str().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../crates/firmware/golden/rustc-{version}.toml"));
    let found: BTreeMap<String, BTreeMap<String, f64>> = boards
        .iter()
        .map(|board| {
            let figure = |key: &&str| (key.to_string(), board[*key].as_f64().unwrap());
            (board["board"].as_str().unwrap().to_owned(), GOLDEN.iter().map(figure).collect())
        })
        .collect();
    if std::env::var_os("MOTENET_BLESS").is_some_and(|value| value == "1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text(&found, version)).unwrap();
        println!("written: {}", path.display());
        return;
    }
    let Ok(text) = fs::read_to_string(&path) else {
        println!("no golden figures for rustc {version}: MOTENET_BLESS=1 writes them");
        return;
    };
    let expected: BTreeMap<String, BTreeMap<String, f64>> = toml::from_str(&text).unwrap();
    let mut differences = Vec::new();
    for (board, figures) in &found {
        for (key, found) in figures {
            let expected = expected.get(board).and_then(|figures| figures.get(key));
            if expected != Some(found) {
                differences.push(format!("{board}, {key}: found {found}, expected {expected:?}"));
            }
        }
    }
    assert!(
        differences.is_empty(),
        "the firmware costs something else than before; if that is meant, MOTENET_BLESS=1\n{}",
        differences.join("\n")
    );
}

fn text(boards: &BTreeMap<String, BTreeMap<String, f64>>, version: &str) -> String {
    let mut text = format!(
        "# What `mlp`, trained on made-up digits from seed 1, costs on simulated boards, built by rustc {version}:\n\
         # instructions of the first 20 test digits (mean, most), of a fully lit and of an empty image.\n\
         # Written by `MOTENET_BLESS=1 cargo test -p xtask --test sim`.\n"
    );
    for (board, figures) in boards {
        text.push_str(&format!("\n[{board}]\n"));
        for key in GOLDEN {
            let figure = figures[key];
            let dot = if key.ends_with("mean") && figure.fract() == 0.0 { ".0" } else { "" };
            text.push_str(&format!("{key} = {figure}{dot}\n"));
        }
    }
    text
}

/// The kernels in assembly, where the naive twins and the kernels can both be run: on the chip.
#[test]
fn kernels_equal_their_twins_on_every_core() {
    let boards = BOARDS.iter().flat_map(|board| ["--board", board]);
    let output = xtask(&["sim", "--selftest"]).args(boards).output().unwrap();
    if skipped(&output) {
        return;
    }
    assert!(output.status.success(), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.matches(" cases, 0 differences").count(), BOARDS.len(), "{said}");
}

/// The stack that was painted over is held against a budget: one that is too small is an error with both numbers.
#[test]
fn a_stack_beyond_its_budget_is_an_error() {
    let output = sim(exported(), &["--images", "1", "--stack", "1000", "--json"]).output().unwrap();
    if skipped(&output) {
        return;
    }
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let used = answer["stack_bytes_firmware"].as_u64().unwrap();
    let words = format!("mps2-an386 has used {used} bytes of stack, its budget is 1000: ");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&words), "{}", stderr(&output));
    let output =
        sim(exported(), &["--images", "1", "--stack", &used.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn noise_does_not_stop_it() {
    let output = sim(exported(), &["--images", "3", "--fuzz", "30000"]).output().unwrap();
    if skipped(&output) {
        return;
    }
    assert!(output.status.success(), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    for words in
        ["threw 30,000 bytes", "Checksum", "TooLong", "Encoding", "damaged replies: 0", "it lives"]
    {
        assert!(said.contains(words), "{words:?} is not in\n{said}");
    }
}

/// A weight that is not the checkpoint's reaches the chip: some logit differs, and it is named.
#[test]
fn a_wrong_weight_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let run = train(folder.path());
    let export = ["export", "--no-boards", run.to_str().unwrap()];
    assert!(xtask(&export).output().unwrap().status.success());
    let file = run.join("export/mlp.rs");
    let text = fs::read_to_string(&file).unwrap();
    // The last number of the network is the last layer's last bias: every image's last logit is one too high.
    let network = &text[..text.find("pub static SOFTMAX").unwrap()];
    let end = network.rfind(|c: char| c.is_ascii_digit()).unwrap() + 1;
    let is_number = |c: char| c == '-' || c.is_ascii_digit();
    let start = network[..end].rfind(|c: char| !is_number(c)).unwrap() + 1;
    let bias: i64 = text[start..end].parse().unwrap();
    let wrong = format!("{}{}{}", &text[..start], bias + 1, &text[end..]);
    fs::write(&file, wrong).unwrap();
    let output = sim(&run, &["--images", "2", "--json"]).output().unwrap();
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = stderr(&output);
    let last = said.lines().last().unwrap();
    assert!(last.contains("disagree on image 0, logit 9: found "), "{said}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["logit_mismatches"], 4, "two images, the full and the empty one");
}

/// Simulators that hang, end, or are interrupted: a clear line, and nothing left running.
#[test]
#[cfg(unix)]
fn a_simulator_never_outlives_us() {
    use std::os::unix::fs::PermissionsExt;
    let real = sim(exported(), &["--images", "1"]).output().unwrap();
    if skipped(&real) {
        return;
    }
    let bin = tempfile::tempdir().unwrap();
    let (fake, pid) = (bin.path().join("qemu-system-arm"), bin.path().join("pid"));
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    let pretend = |does: &str| {
        fs::write(&fake, format!("#!/bin/sh\necho $$ > '{}'\n{does}\n", pid.display())).unwrap();
        fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let alive = || {
        let pid = fs::read_to_string(&pid).unwrap();
        let kill = Command::new("kill").args(["-0", pid.trim()]).stderr(Stdio::null()).status();
        kill.unwrap().success()
    };
    let start = |timeout: &str| {
        let _ = fs::remove_file(&pid);
        sim(exported(), &["--images", "1", "--timeout", timeout])
            .env("PATH", &path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };

    pretend("exec sleep 600");
    let output = start("0.5").wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("has not answered for 0.5 s"), "{}", stderr(&output));
    assert!(!alive());

    let child = start("60");
    let begin = Instant::now();
    while !pid.exists() {
        assert!(begin.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(20));
    }
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(!alive());

    pretend("echo 'qemu: no such machine' >&2; exit 3");
    let output = start("60").wait_with_output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("QEMU ended by itself (exit status: 3): qemu: no such machine"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_simulated_is_refused_on_one_line() {
    let run = exported().to_str().unwrap();
    let not_exported = tempfile::tempdir().unwrap();
    let bare = not_exported.path().join("0001-mlp");
    fs::create_dir(&bare).unwrap();
    fs::copy(exported().join("checkpoint.motenet"), bare.join("checkpoint.motenet")).unwrap();
    let empty = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (vec![run, "--board", "arduino"], "found no board `arduino`, expected one of"),
        (vec![run, "--board", "pico"], "pico is a real board: give its --port"),
        (vec![bare.to_str().unwrap()], "is not exported yet: `cargo xtask export"),
        (vec![empty.path().to_str().unwrap()], "checkpoint"),
        (vec![run, "--port", "/dev/nothing", "--board", "pico"], "there is no such port"),
    ] {
        let output = xtask(&["sim"]).args(&arguments).output().unwrap();
        if skipped(&output) {
            continue;
        }
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.lines().count() == 1 && said.contains(words), "{words:?}: {said}");
    }
    let output = sim(exported(), &[]).env("PATH", empty.path()).output().unwrap();
    let said = stderr(&output);
    assert!(said.contains("found no `qemu-system-arm`, which simulates mps2-an386: `"), "{said}");
    for arguments in [["--timeout", "0"], ["--baud", "9600"], ["--seed", "2"], ["--images", "0"]] {
        let output = sim(exported(), &arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
