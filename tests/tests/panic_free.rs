//! A release build of inference and of training links without a branch that can panic.
//!
//! `no-panic/` is built as a library whose panic handler calls a function that does not exist; the linker
//! then says whether anything can reach it. A panic on a microcontroller is a dead device, and the
//! code for its message would be larger than the network.
//!
//! Not so at opt-level 0 and "z", where bounds checks that can never fail are left in.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::path::Path;
use std::process::Command;

const MISSING: &str = "this_code_can_panic";

/// Builds `no-panic/` at a level of optimisation; the error is what the compiler and linker said.
fn build(level: &str, features: &[&str]) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("no-panic-{level}"));
    // A copy, so that nothing is written into the source tree; the lock of the workspace serves.
    let copy = target.join("package");
    std::fs::create_dir_all(copy.join("src")).unwrap();
    let manifest = std::fs::read_to_string(root.join("no-panic/Cargo.toml")).unwrap();
    let core = root.join("../crates/motenet");
    let core = core.to_str().expect("a path in UTF-8").replace('\\', "/");
    std::fs::write(copy.join("Cargo.toml"), manifest.replace("../../crates/motenet", &core))
        .unwrap();
    std::fs::copy(root.join("../Cargo.lock"), copy.join("Cargo.lock")).unwrap();
    std::fs::copy(root.join("no-panic/src/lib.rs"), copy.join("src/lib.rs")).unwrap();

    let output = Command::new(env!("CARGO"))
        .args(["rustc", "--quiet", "--release", "--offline", "--manifest-path"])
        .arg(copy.join("Cargo.toml"))
        .arg(format!("--features={}", features.join(",")))
        .args(["--", "-Clink-arg=-Wl,-z,defs", "-Clink-arg=-lc"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", level)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

#[test]
fn nothing_panics() {
    for level in ["1", "2", "3", "s"] {
        build(level, &[]).unwrap_or_else(|said| panic!("at opt-level {level}: {said}"));
    }
    let said = build("3", &["control"]).expect_err("a branch that panics is not seen");
    assert!(said.contains(MISSING), "the control fails for another reason: {said}");
}
