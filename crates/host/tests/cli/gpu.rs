//! `--device gpu`: where there is one, and where there is none.
#![cfg(feature = "gpu")]

use crate::{SHORT, fails, folder, host, text, trained};

/// Whether this machine has an adapter; without one the test that needs it says so.
fn gpu_is_here() -> bool {
    let folder = folder();
    let output =
        host(folder.path()).args(SHORT).args(["--device", "gpu", "--no-save"]).output().unwrap();
    let error = text(&output.stderr);
    let here = !error.contains("no GPU adapter found");
    assert!(here || std::env::var("MOTENET_REQUIRE_GPU").as_deref() != Ok("1"), "{error}");
    if !here {
        eprintln!("skipped: {}", error.trim());
    }
    here
}

/// No machine drives both of these, so one of them finds nothing anywhere.
#[test]
fn without_an_adapter_it_says_so_and_leaves_nothing() {
    let folder = folder();
    let backend = if cfg!(windows) { "metal" } else { "dx12" };
    let output = host(folder.path())
        .env("WGPU_BACKEND", backend)
        .args(SHORT)
        .args(["--device", "gpu"])
        .output();
    let output = output.unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.starts_with("error: no GPU adapter found: "), "{error}");
    assert!(
        error.ends_with("; train with --device cpu\n") && error.lines().count() == 1,
        "{error}"
    );
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn phases_are_those_of_the_cpu() {
    let folder = folder();
    assert!(fails(folder.path(), &["--device", "gpu", "--profile"]).contains("--profile"));
}

#[test]
fn a_gpu_learns_what_the_cpu_learns_and_each_goes_on_for_the_other() {
    if !gpu_is_here() {
        return;
    }
    let folder = folder();
    let train = |more: &[&str]| trained(folder.path(), &[&SHORT[..], more].concat());
    let number = |answer: &serde_json::Value, key: &str| answer[key].as_f64().unwrap();
    let cpu = train(&["--no-save"]);
    let gpu = train(&["--device", "gpu"]);
    // The tolerance that `motenet-gpu` states.
    let loss = number(&gpu, "train_loss") / number(&cpu, "train_loss");
    assert!((loss - 1.0).abs() < 1e-3, "{gpu} {cpu}");
    assert!(
        (number(&gpu, "test_accuracy") - number(&cpu, "test_accuracy")).abs() <= 0.002,
        "{gpu} {cpu}"
    );
    // The checkpoint is the GPU's last state: testing it says the same.
    let again = trained(folder.path(), &["eval"]);
    assert_eq!(again["weights_sha256"], gpu["weights_sha256"]);
    assert_eq!(again["test_accuracy"], gpu["test_accuracy"]);

    // Stopped after an epoch on the CPU, resumed on the GPU.
    let resumed = trained(folder.path(), &["train", "--resume", "--device", "gpu"]);
    assert_eq!(resumed["weights_sha256"], gpu["weights_sha256"], "it was complete already");
}
