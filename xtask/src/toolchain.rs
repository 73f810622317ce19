//! How to build for a target: with the active toolchain if it can, else with Debian's.

use crate::root;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

/// A `cargo` that can build `core` programs for a target, arguments included.
///
/// Looked for in this order: the target's `core` in the active toolchain; Debian's Rust with its
/// sources (`rustc-web cargo-web rust-web-src`), which builds `core` itself. Neither: an error that
/// names the `rustup` line.
pub(crate) fn cargo_for(target: &str) -> Result<Command> {
    if has_core(target)? {
        let mut command = crate::cargo();
        command.args(["build", "--target", target]);
        return Ok(command);
    }
    if Path::new(DEBIAN_SOURCES).exists() && Path::new("/usr/bin/cargo").exists() {
        let mut command = Command::new("/usr/bin/cargo");
        command.current_dir(root()).env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
        for name in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTUP_HOME", "LD_LIBRARY_PATH", "RUSTDOC"] {
            command.env_remove(name);
        }
        command.args(["build", "-Zbuild-std=core", "--target", target]);
        // Another compiler: another folder, or each would throw away what the other built.
        command.arg("--target-dir").arg(target_folder().join("debian"));
        return Ok(command);
    }
    bail!(
        "no `core` for {target}: run `rustup target add {target}` (on Debian: `apt-get install rustc-web cargo-web rust-web-src`)"
    );
}

const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust/library/core";

/// Whether the active toolchain has `core` for the target.
fn has_core(target: &str) -> Result<bool> {
    let output = Command::new("rustc")
        .current_dir(root())
        .args(["--print", "target-libdir", "--target", target])
        .output()
        .context("could not start `rustc`")?;
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let Ok(files) = std::fs::read_dir(folder) else {
        return Ok(false);
    };
    Ok(files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libcore-")))
}

fn target_folder() -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into)
}
