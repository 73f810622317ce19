//! Puts the exported model where `main.rs` includes it from: `MOTENET_MODEL`, or the firmware's own.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-env-changed=MOTENET_MODEL");
    println!("cargo::rerun-if-changed=build.rs");
    if let Err(message) = copy() {
        println!("cargo::error={message}");
    }
}

fn copy() -> Result<(), String> {
    let own = || -> Option<PathBuf> {
        let files = fs::read_dir("../../crates/firmware/model").ok()?;
        let files = files.flatten().map(|entry| entry.path());
        files.filter(|path| path.extension().is_some_and(|rs| rs == "rs")).min()
    };
    let file = env::var_os("MOTENET_MODEL").map(PathBuf::from).or_else(own);
    let file =
        file.ok_or("found no model: set MOTENET_MODEL to the path of an exported .rs file")?;
    println!("cargo::rerun-if-changed={}", file.display());
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("run me with cargo")?);
    fs::copy(&file, out.join("model.rs"))
        .map_err(|error| format!("cannot read the model {}: {error}", file.display()))?;
    Ok(())
}
