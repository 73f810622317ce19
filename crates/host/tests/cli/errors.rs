//! What goes wrong says so in one line: exit code 1, or 2 for what cannot be meant.

use crate::{SHORT, fails, folder, host, succeeds, text, trained};
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn names_that_do_not_exist() {
    let folder = folder();
    let fails = |args: &[&str]| fails(folder.path(), args);
    let error = fails(&["--model", "nosuch"]);
    assert!(error.contains("mlp-wide") && error.contains("napkin"), "{error}");
    assert!(fails(&["--activation", "gelu"]).contains("relu or sigmoid"));
    assert!(fails(&["--activation", "sigmoid"]).contains("framework"));
    assert!(fails(&["--model", "napkin", "--dataset", "made-up"]).contains("--dataset"));
    assert!(fails(&["--optimizer", "adam", "--momentum", "0.5"]).contains("--momentum"));
    assert!(fails(&["--dataset", "made-up", "--train-size", "12001"]).contains("12000"));
    assert!(fails(&["--dataset", "made-up", "--validation", "4000000000"]).contains("60000"));
    assert!(fails(&["show", "--dataset", "made-up", "--index", "4000"]).contains("3999"));
    let steps = ["--dataset", "made-up", "--epochs", "1000000", "--batch-size", "1"];
    assert!(fails(&steps).contains("--batch-size"));
    // A long name, or one that steers a terminal, stays on its line.
    assert!(!fails(&["--model", "a\nb\x1b[2J"]).contains('\x1b'));
}

#[test]
fn what_cannot_be_meant_is_a_usage_error() {
    let folder = folder();
    let wrong: [&[&str]; 18] = [
        &["--batch-size", "0"],
        &["--batch-size", "-1"],
        &["--epochs", "0"],
        &["--epochs", "1.5"],
        &["--learning-rate", "-0.1"],
        &["--learning-rate", "0"],
        &["--learning-rate", "nan"],
        &["--learning-rate", "inf"],
        &["--momentum", "1"],
        &["--weight-decay", "-1"],
        &["--label-smoothing", "1"],
        &["--threads", "0"],
        &["--threads", "65"],
        &["--checkpoint-seconds", "-1"],
        &["--dataset", "nosuch"],
        &["--nosuch"],
        &["nosuch"],
        &["--resume", "--no-save"],
    ];
    for args in wrong {
        let output = host(folder.path()).args(args).output().unwrap();
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert!(error.starts_with("error: ") && !error.contains("panicked"), "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_run_that_diverges_stops_with_advice() {
    let folder = folder();
    let args = [&SHORT[..], &["--learning-rate", "1e30"]].concat();
    assert!(fails(folder.path(), &args).contains("--learning-rate"));
}

#[test]
fn without_mnist() {
    let folder = folder();
    let started = Instant::now();
    let error = fails(folder.path(), &["--dataset", "mnist"]);
    assert!(error.contains("MNIST_DIR") && started.elapsed() < Duration::from_secs(30), "{error}");
    let error = fails(folder.path(), &["--data-dir", "nowhere"]);
    assert!(error.contains("nowhere"), "{error}");

    // Where it is only a default, made-up digits take its place, and a line says so.
    let args = ["--epochs", "1", "--train-size", "320", "--no-save"];
    let output = succeeds(folder.path(), &args);
    let said = text(&output.stdout);
    assert!(said.contains("MNIST cannot be had") && said.contains("made-up digits"), "{said}");
    assert_eq!(trained(folder.path(), &args)["dataset"], "made-up");
}

#[test]
fn checkpoints_that_cannot_be_used() {
    let folder = folder();
    let fails = |args: &[&str]| fails(folder.path(), args);
    for args in [&["eval"][..], &["--resume"]] {
        assert!(fails(args).contains("train"), "{args:?}");
    }
    assert!(fails(&["eval", "nosuch"]).contains("nosuch"));
    let answer = trained(folder.path(), &SHORT);
    let run = folder.path().join(answer["run_dir"].as_str().unwrap());
    let path = run.join("checkpoint.motenet");
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 5, 100, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        for args in [&["eval"][..], &["--resume"], &["eval", "runs/0001-mlp"]] {
            assert!(fails(args).contains("checkpoint.motenet"), "{args:?} at {length}");
        }
    }
    for place in [9, 40, 500, whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        fails(&["eval"]);
    }
    std::fs::write(&path, &whole).unwrap();
    // A checkpoint elsewhere can be tested, but a run goes on in its own folder.
    std::fs::copy(&path, folder.path().join("copy")).unwrap();
    succeeds(folder.path(), &["eval", "copy"]);
    assert!(fails(&["--resume", "copy"]).contains("copy"));
}

#[test]
fn folders_that_cannot_be_written() {
    let folder = folder();
    std::fs::write(folder.path().join("file"), "").unwrap();
    fn at(out_dir: &str) -> Vec<&str> {
        [&SHORT[..], &["--out-dir", out_dir]].concat()
    }
    for out_dir in ["file", "file/below"] {
        assert!(fails(folder.path(), &at(out_dir)).contains(out_dir));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let locked = folder.path().join("locked");
        std::fs::create_dir(&locked).unwrap();
        std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).unwrap();
        // Nothing is locked for root.
        if std::fs::write(locked.join("probe"), "").is_err() {
            assert!(fails(folder.path(), &at("locked")).contains("locked"));
        }
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let folder = folder();
    for args in [&["models"][..], &["show", "--dataset", "made-up", "--count", "500"], &SHORT] {
        let mut command = host(folder.path());
        let mut child =
            command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{args:?}: {}",
            text(&output.stderr)
        );
    }
}
