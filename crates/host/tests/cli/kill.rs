//! A run that is ended at any moment, in any way, and resumed ends with the same bits.

use crate::{SHORT, fails, folder, host, text, trained};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A checkpoint after every step, so that most kills hit one being written.
const EAGER: [&str; 2] = ["--checkpoint-seconds", "0"];

/// A number in `0..n`, other for each `k`: a linear congruential generator's high bits.
fn scattered(k: u64, n: u64) -> u64 {
    (k.wrapping_add(1)
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407)
        >> 33)
        % n
}

fn has_checkpoint(folder: &Path) -> bool {
    let runs = std::fs::read_dir(folder.join("runs")).into_iter().flatten().flatten();
    runs.into_iter().any(|run| run.path().join("checkpoint.motenet").is_file())
}

#[test]
fn killed_at_any_moment() {
    let tries = std::env::var("MOTENET_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(5);
    let args = [&SHORT[..], &EAGER].concat();
    let whole = folder();
    let started = Instant::now();
    let expected = trained(whole.path(), &args);
    let length = started.elapsed().as_micros() as u64;
    let metrics = |folder: &Path| {
        let text = std::fs::read_to_string(folder.join("runs/0001-mlp/metrics.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let keep = |line: serde_json::Value| {
            ["epoch", "train_loss", "train_accuracy", "validation_loss"]
                .map(|key| line[key].clone())
        };
        lines.map(keep).collect::<Vec<_>>()
    };
    for k in 0..tries {
        let folder = folder();
        // Killed twice, the second time while resuming.
        for half in 0..2 {
            let resume: &[&str] = if has_checkpoint(folder.path()) { &["--resume"] } else { &[] };
            let args = if resume.is_empty() { args.clone() } else { [resume, &EAGER].concat() };
            let mut command = host(folder.path());
            let mut child =
                command.args(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            sleep(Duration::from_micros(scattered(2 * k + half, length)));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let answer = if has_checkpoint(folder.path()) {
            trained(folder.path(), &[&["--resume"], &EAGER[..]].concat())
        } else {
            trained(folder.path(), &args)
        };
        for key in ["weights_sha256", "test_accuracy", "validation_accuracy", "train_loss"] {
            assert_eq!(answer[key], expected[key], "{key}, try {k}");
        }
        let run = folder.path().join(answer["run_dir"].as_str().unwrap());
        if run.ends_with("0001-mlp") {
            assert_eq!(metrics(folder.path()), metrics(whole.path()), "try {k}");
        }
        let left = std::fs::read_dir(&run).unwrap().flatten();
        let left: Vec<_> =
            left.filter(|file| file.file_name().to_string_lossy().ends_with(".part")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn resumed_with_another_cut_of_the_data() {
    for cut in [&["--train-size", "320"][..], &["--validation", "0"]] {
        let folder = folder();
        let expected =
            trained(folder.path(), &[&["--dataset", "made-up", "--epochs", "1"], cut].concat());
        // The cut is found by itself where the hash of the data tells; else it is asked for.
        let resumed = host(folder.path()).args(["--resume", "--json"]).output().unwrap();
        let answer = if resumed.status.success() {
            serde_json::from_slice(&resumed.stdout).unwrap()
        } else {
            assert!(text(&resumed.stderr).contains("--validation"));
            trained(folder.path(), &[&["--resume"], cut].concat())
        };
        for key in ["weights_sha256", "test_accuracy", "validation_accuracy", "train_loss"] {
            assert_eq!(answer[key], expected[key], "{key}, {cut:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn interrupted() {
    let args = ["--dataset", "made-up", "--train-size", "2000", "--epochs", "100"];
    let whole = folder();
    let expected = trained(whole.path(), &[&args[..], &["--no-save"]].concat());

    let folder = folder();
    let mut command = host(folder.path());
    command.args(args).arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let metrics = folder.path().join("runs/0001-mlp/metrics.jsonl");
    let started = Instant::now();
    while !metrics.exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "no epoch within a minute");
        sleep(Duration::from_millis(1));
    }
    interrupt(child);
    // As if it had been killed between the figures of an epoch and its checkpoint.
    let before = std::fs::read_to_string(&metrics).unwrap();
    let last: serde_json::Value = serde_json::from_str(before.lines().last().unwrap()).unwrap();
    let (this, next) = (last["epoch"].as_u64().unwrap(), last["epoch"].as_u64().unwrap() + 1);
    let line = last.to_string().replace(&format!("\"epoch\":{this}"), &format!("\"epoch\":{next}"));
    std::fs::write(&metrics, format!("{before}{line}\n")).unwrap();

    // The flags of the start may be repeated, other ones not; threads may change.
    assert!(fails(folder.path(), &["--resume", "--epochs", "101"]).contains("--epochs"));
    assert!(fails(folder.path(), &["--resume", "--seed", "2"]).contains("--seed"));
    assert!(fails(folder.path(), &["--resume", "--model", "framework"]).contains("--model"));
    assert!(fails(folder.path(), &["--resume", "--dataset", "mnist"]).contains("--dataset"));
    assert!(fails(folder.path(), &["--resume", "--optimizer", "adam"]).contains("--optimizer"));
    assert!(fails(folder.path(), &["--resume", "--train-size", "1999"]).contains("--train-size"));
    assert!(fails(folder.path(), &["--resume", "--validation", "7"]).contains("--validation"));
    let answer = trained(
        folder.path(),
        &[&args[..], &["--threads", "2", "--resume", "runs/0001-mlp"]].concat(),
    );
    assert_eq!(answer["weights_sha256"], expected["weights_sha256"]);
    // Once more: all is done, and the figures are the same.
    let again = trained(folder.path(), &["--resume"]);
    for key in ["weights_sha256", "test_accuracy", "validation_accuracy", "train_loss"] {
        assert_eq!(again[key], expected[key], "{key}");
    }
    assert!(again["seconds_per_epoch"].is_null());
    let epoch =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["epoch"].as_u64();
    let epochs: Vec<_> = std::fs::read_to_string(&metrics).unwrap().lines().map(epoch).collect();
    assert_eq!(epochs, (1..=100).map(Some).collect::<Vec<_>>());
}

/// Presses Ctrl-C and expects the run to stop in order; returns what it said.
#[cfg(unix)]
fn interrupt(child: Child) -> String {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(output.stdout.is_empty() && said.contains("--resume runs/0001-mlp"), "{said}");
    said
}

#[cfg(unix)]
#[test]
fn interrupted_within_an_epoch() {
    // Saved after each of 12,000 steps, an epoch takes far longer than this test waits.
    let args = ["--dataset", "made-up", "--epochs", "1", "--batch-size", "1"];
    let expected = trained(folder().path(), &[&args[..], &["--no-save"]].concat());
    let folder = folder();
    let mut command = host(folder.path());
    command.args(args).args(EAGER).arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let checkpoint = folder.path().join("runs/0001-mlp/checkpoint.motenet");
    let started = Instant::now();
    let (mut first, mut now) = (None, None);
    while first.is_none() || first == now {
        assert!(started.elapsed() < Duration::from_secs(60), "no step within a minute");
        sleep(Duration::from_millis(5));
        now = std::fs::read(&checkpoint).ok();
        first = first.or(now.clone());
    }
    let said = interrupt(child);
    assert!(said.contains("Stopped after 0 whole epochs and"), "{said}");
    let answer = trained(folder.path(), &["--resume"]);
    assert_eq!(answer["weights_sha256"], expected["weights_sha256"]);
    assert_eq!(answer["train_loss"], expected["train_loss"]);
}
