//! `cargo xtask export` as a user meets it: what it writes, what it prints, what it refuses.

mod support;

use motenet_data::made_up;
use motenet_models::Recipe;
use motenet_models::digits::{DigitModel, FrameworkSigmoid, Notebook};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A run of a few epochs on some of the made-up digits.
fn train<M: DigitModel>(out: &Path, digits: usize, epochs: u32) -> PathBuf {
    let (train, _, test) = made_up::SIZES;
    let splits = made_up::splits(made_up::SEED, train, 0, test).keep_train(digits);
    support::train::<M>(out, splits, Recipe { epochs, ..M::RECIPE })
}

fn export(run: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["export", "--no-boards"])
        .arg(run)
        .args(more)
        .output()
        .unwrap()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    let last = said.lines().last().unwrap().to_owned();
    assert!(last.starts_with("error: "), "{said}");
    last
}

#[test]
fn files_and_figures() {
    let out = tempfile::tempdir().unwrap();
    let run = train::<Notebook>(out.path(), 3_000, 8);
    let output = export(&run, &["--json"]);
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(output.status.success(), "{said}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stdout.lines().count(), 1);
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    let figure = |key: &str| answer[key].as_f64().unwrap();
    assert!(figure("accuracy_float") > 0.9, "{answer}");
    assert!((figure("accuracy_float") - figure("accuracy_int8")).abs() < 0.005, "{answer}");
    assert_eq!(figure("flash_bytes"), f64::from((784 + 12) * 10 + (10 + 4) * 10));

    let files = answer["files"].as_array().unwrap();
    assert_eq!(files.len(), 6);
    for file in files {
        assert!(fs::metadata(file.as_str().unwrap()).unwrap().len() > 500, "{file}");
    }
    let manifest = fs::read_to_string(run.join("export/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["accuracy_int8"], answer["accuracy_int8"]);
    assert_eq!(manifest["files"].as_object().unwrap().len(), 5);

    // Twice the same, and nothing left beside it.
    let source = fs::read(run.join("export/notebook.c")).unwrap();
    assert!(export(&run, &[]).status.success());
    assert_eq!(fs::read(run.join("export/notebook.c")).unwrap(), source);
    let mut names: Vec<_> =
        fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["checkpoint.motenet", "export"]);
}

#[test]
fn what_cannot_be_exported_is_named_and_nothing_is_written() {
    let out = tempfile::tempdir().unwrap();
    let sigmoid = train::<FrameworkSigmoid>(out.path(), 100, 1);
    assert!(refused(&export(&sigmoid, &[])).contains("cannot be quantized"));

    let run = train::<Notebook>(out.path(), 100, 1);
    let taken = out.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("mine.txt"), "precious").unwrap();
    let said = refused(&export(&run, &["--out-dir", taken.to_str().unwrap()]));
    assert!(said.contains("holds no export"), "{said}");
    assert_eq!(fs::read_to_string(taken.join("mine.txt")).unwrap(), "precious");

    let checkpoint = run.join("checkpoint.motenet");
    let mut bytes = fs::read(&checkpoint).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&checkpoint, &bytes).unwrap();
    refused(&export(&run, &[]));
    fs::write(&checkpoint, &bytes[..100]).unwrap();
    refused(&export(&run, &[]));
    fs::remove_file(&checkpoint).unwrap();
    refused(&export(&run, &[]));
    refused(&export(&out.path().join("nowhere"), &[]));
    for run in [&sigmoid, &run] {
        assert!(!run.join("export").exists());
    }
    let left = fs::read_dir(out.path()).unwrap().count();
    assert_eq!(left, 3, "two runs and the folder that was there");
}
