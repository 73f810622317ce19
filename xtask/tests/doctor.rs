//! `cargo xtask doctor`, where much is there and where nothing is.

use std::process::{Command, Output};

fn doctor(path: Option<&str>) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("doctor").env_remove("MNIST_DIR");
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    (output, said)
}

#[test]
fn here_the_tests_can_run() {
    let (output, said) = doctor(None);
    assert!(output.status.success(), "{said}");
    for what in
        ["Rust", "linker", "MNIST", "thumbv6m-none-eabi", "qemu-system-arm", "probe-rs", "cc"]
    {
        assert!(said.contains(&format!("{what} ")), "{what} is not in\n{said}");
    }
    assert!(said.contains("✓ Rust"), "{said}");
    // Whoever reads it through a pipe gets no escape codes.
    assert!(!said.contains('\x1b'), "{said}");
    // What is missing comes with a way out.
    let lines: Vec<_> = said.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        if line.contains("not found") {
            assert!(lines[at + 1].contains("→ "), "{line}");
        }
    }
}

#[test]
#[cfg(unix)]
fn where_nothing_is_it_says_so() {
    let empty = tempfile::tempdir().unwrap();
    let (output, said) = doctor(empty.path().to_str());
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("✗ Rust") && said.contains("✗ linker"), "{said}");
    for fix in [
        "rustup toolchain install",
        "apt-get install qemu-system-arm",
        "cargo install probe-rs-tools",
    ] {
        assert!(cfg!(not(target_os = "linux")) || said.contains(fix), "{fix} is not in\n{said}");
    }
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error.lines().count(), 1, "{error}");
}
