//! What `--json` prints, and what a run leaves behind.

use crate::{SHORT, folder, host, succeeds, text, trained};
use serde_json::Value;

const KEYS: [&str; 14] = [
    "model",
    "dataset",
    "epochs",
    "batch_size",
    "threads",
    "seed",
    "seconds_per_epoch",
    "samples_per_second",
    "train_loss",
    "validation_accuracy",
    "test_accuracy",
    "weights_sha256",
    "matches_published",
    "run_dir",
];

fn keys(answer: &Value) -> Vec<&str> {
    answer.as_object().unwrap().keys().map(String::as_str).collect()
}

fn sorted() -> Vec<&'static str> {
    let mut keys = KEYS.to_vec();
    keys.sort();
    keys
}

#[test]
fn standard_output_is_one_object_with_exactly_these_keys() {
    let folder = folder();
    let output = succeeds(folder.path(), &[&SHORT[..], &["--json"]].concat());
    let line = text(&output.stdout);
    assert_eq!(line.lines().count(), 1, "{line}");
    // In the order of the contract, too.
    let places: Vec<_> =
        KEYS.iter().map(|key| line.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{line}");
    let answer: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(keys(&answer), sorted());
    assert_eq!((&answer["model"], &answer["dataset"]), (&"mlp".into(), &"made-up".into()));
    assert_eq!((&answer["epochs"], &answer["batch_size"]), (&2.into(), &32.into()));
    assert_eq!((&answer["threads"], &answer["seed"]), (&1.into(), &1.into()));
    for share in ["validation_accuracy", "test_accuracy"] {
        assert!((0.5..=1.0).contains(&answer[share].as_f64().unwrap()), "{answer}");
    }
    let (seconds, speed) = (&answer["seconds_per_epoch"], &answer["samples_per_second"]);
    let samples = seconds.as_f64().unwrap() * speed.as_f64().unwrap();
    assert!((samples - 640.0).abs() < 1e-6 && answer["train_loss"].as_f64().unwrap() > 0.0);
    let hash = answer["weights_sha256"].as_str().unwrap();
    assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{hash}");
    // Nothing was published for so short a run.
    assert_eq!(answer["matches_published"], Value::Null);
    assert!(!text(&output.stderr).contains("published"));

    let run = folder.path().join(answer["run_dir"].as_str().unwrap());
    for file in [
        "checkpoint.motenet",
        "metrics.jsonl",
        "curves.png",
        "curves.svg",
        "confusion.png",
        "first_layer.png",
    ] {
        assert!(run.join(file).is_file(), "{file}");
    }
    let metrics = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), 2);

    // The saved model is the one that was tested.
    let eval = succeeds(folder.path(), &["eval", "--json"]);
    let eval: Value = serde_json::from_slice(&eval.stdout).unwrap();
    for key in ["test_accuracy", "weights_sha256", "model", "dataset"] {
        assert_eq!(eval[key], answer[key], "{key}");
    }
    let count: u64 = eval["confusion"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|n| n.as_u64().unwrap())
        .sum();
    assert_eq!(count, 4000);
}

#[test]
fn nothing_is_written_that_was_not_asked_for() {
    let folder = folder();
    let args = [&SHORT[..], &["--no-save", "--validation", "0", "--seed", "7"]].concat();
    let answer = trained(folder.path(), &args);
    assert_eq!((&answer["run_dir"], &answer["validation_accuracy"]), (&Value::Null, &Value::Null));
    assert_eq!(answer["seed"], 7);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn people_get_text_and_no_colour_codes() {
    let folder = folder();
    let output = succeeds(folder.path(), &SHORT);
    let text = text(&output.stdout);
    for part in [
        "Model",
        "784-64-10",
        "50,890",
        "2/2",
        "Test accuracy",
        "recall",
        "hardest",
        "SHA-256",
        "eval",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\x1b') && output.stderr.is_empty(), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn the_napkin_learns_the_average() {
    let folder = folder();
    let output = succeeds(folder.path(), &["--model", "napkin", "--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(keys(&answer), sorted());
    assert_eq!((&answer["dataset"], &answer["epochs"]), (&"rectangles".into(), &300.into()));
    let loss = answer["train_loss"].as_f64().unwrap();
    assert!((1e-6..4e-6).contains(&loss), "{loss}");
    let text = text(&output.stderr);
    // 0.98·0.2 + 0.4·0.5 + 0.86·0.4 − 0.08·0.7
    assert!(text.contains("is 0.6840 to the model"), "{text}");
    let weights = text.lines().find_map(|line| line.strip_prefix("Weights: ")).unwrap();
    let weights: Vec<f64> =
        weights.split_whitespace().map(|weight| weight.parse().unwrap()).collect();
    assert!(weights.len() == 4 && weights.iter().all(|w| (w - 0.25).abs() < 0.004), "{weights:?}");
}

#[test]
fn every_model_trains_and_is_tested_again() {
    let folder = folder();
    let table = text(&succeeds(folder.path(), &["models"]).stdout);
    let names = table.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    let names: Vec<_> = names.filter(|name| *name != "model").collect();
    assert!(names.len() >= 10, "{table}");
    for name in names {
        let flags = if name.starts_with("napkin") { &["--epochs", "1"][..] } else { &SHORT[..] };
        let answer = trained(folder.path(), &[&["--model", name], flags].concat());
        assert_eq!(answer["model"], name);
        let eval =
            succeeds(folder.path(), &["eval", answer["run_dir"].as_str().unwrap(), "--json"]);
        let eval: Value = serde_json::from_slice(&eval.stdout).unwrap();
        assert_eq!(eval["weights_sha256"], answer["weights_sha256"], "{name}");
    }
}

#[test]
fn real_digits_where_there_are_any() {
    let Some(digits) = std::env::var_os("MNIST_DIR") else {
        eprintln!("MNIST_DIR is not set: nothing tested");
        return;
    };
    let folder = folder();
    let mut command = host(folder.path());
    command.args(["--epochs", "2", "--validation", "0", "--json", "--data-dir"]).arg(digits);
    let output = command.output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&answer["dataset"], &answer["validation_accuracy"]),
        (&"mnist".into(), &Value::Null)
    );
    assert!(answer["test_accuracy"].as_f64().unwrap() > 0.95, "{answer}");
}

/// Every phase has a row, the shares come to about a whole, and the weights are the same as without.
#[test]
fn a_profile_changes_nothing() {
    let folder = folder();
    let args = [&["train", "--no-save"], &SHORT[..]].concat();
    let plain = trained(folder.path(), &args);
    let profiled = [&args[..], &["--profile", "--threads", "2"]].concat();
    let output = succeeds(folder.path(), &[&profiled[..], &["--json"]].concat());
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["weights_sha256"], plain["weights_sha256"]);
    let said = text(&output.stderr);
    let share = |phase: &str| -> f64 {
        let line = said.lines().find(|line| line.trim_start().starts_with(phase));
        line.unwrap().split_whitespace().nth(2).unwrap().parse().unwrap()
    };
    let phases = ["load", "forward", "loss", "backward", "gradient", "update"];
    let sum: f64 = phases.iter().map(|phase| share(phase)).sum();
    assert!((95.0..105.0).contains(&sum), "{said}");
}
