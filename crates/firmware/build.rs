//! Lays out the board's memory, names the model and takes its fingerprint.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::{env, fs};
use toml::{Table, Value};

/// The model that is built in if `MOTENET_MODEL` names no other. To make it anew, from the root:
/// `cargo run -p host -- train --model notebook --dataset made-up`, `cargo xtask export`, and copy
/// `notebook.rs` from the folder that prints.
const MODEL: &str = "model/notebook.rs";

/// What the program without the model takes at most, of flash and of RAM with the stack: the rest of a
/// board's is the model's budget.
const PROGRAM_FLASH: i64 = 40 << 10;
const PROGRAM_RAM: i64 = 8 << 10;

fn main() {
    if let Err(message) = build() {
        println!("cargo::error={message}");
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("run me with cargo")?);
    println!("cargo::rerun-if-changed=build.rs");
    model(&out)?;
    board(&out)
}

/// Copies the model's file to where src/model.rs includes it from, and its SHA-256 beside it.
fn model(out: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=MOTENET_MODEL");
    let file = env::var("MOTENET_MODEL").unwrap_or_else(|_| MODEL.to_owned());
    println!("cargo::rerun-if-changed={file}");
    let source = fs::read(&file).map_err(|error| {
        format!("cannot read the model {file}: {error}. MOTENET_MODEL is the path of an exported .rs file")
    })?;
    let hash: [u8; 32] = Sha256::digest(&source).into();
    write(&out.join("model_hash.rs"), &format!("{hash:?}"))?;
    write(&out.join("model.rs"), &String::from_utf8_lossy(&source))
}

/// Finds the board among the features and writes its memory.x.
fn board(out: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-changed=boards.toml");
    let boards: Table = fs::read_to_string("boards.toml")
        .map_err(|error| format!("boards.toml: {error}"))?
        .parse()
        .map_err(|error| format!("boards.toml: {error}"))?;
    let chosen = |name: &str| {
        env::var_os(format!("CARGO_FEATURE_{}", name.to_uppercase().replace('-', "_"))).is_some()
    };
    let mut found = boards.iter().filter(|(name, _)| chosen(name));
    let (Some((name, board)), None) = (found.next(), found.next()) else {
        let names: Vec<_> = boards.keys().map(String::as_str).collect();
        return Err(format!(
            "choose one board: --no-default-features --features <one of {}>",
            names.join(", ")
        ));
    };
    let target = env::var("TARGET").unwrap_or_default();
    let named = |key| board.get(key).and_then(Value::as_str);
    match named("target") {
        Some(wanted) if wanted != target && named("target_fpu") != Some(&target) => {
            return Err(format!("the board {name} needs --target {wanted}, not {target}"));
        }
        _ => {}
    }
    println!("cargo::rustc-env=MOTENET_BOARD={name}");
    let (ram, ram_bytes) = region(name, board, "ram")?;
    let (mut flash, mut flash_bytes) = region(name, board, "flash")?;
    let learns = env::var_os("CARGO_FEATURE_LEARN").is_some();
    if learns {
        let kept = kept(name, board, &mut flash_bytes)?;
        write(&out.join("kept.rs"), &kept)?;
    }
    let budget = format!(
        "motenet_quant::Budget {{ flash: {flash_bytes} - {PROGRAM_FLASH}, ram: {ram_bytes} - {PROGRAM_RAM} }}"
    );
    write(&out.join("budget.rs"), &budget)?;
    let stack = board.get("stack").and_then(|stack| stack.get("learn")?.as_integer());
    let stack = stack
        .ok_or_else(|| format!("boards.toml: {name} needs stack = {{ infer = …, learn = … }}"))?;
    write(&out.join("stack.rs"), &stack.to_string())?;
    let release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let defmt = env::var_os("CARGO_FEATURE_DEFMT").is_some(); // which has a panic of its own
    let program = if learns { "learn" } else { "infer" };
    if board.get("panics").is_some_and(|panics| panics.get(program).is_some()) {
        println!("cargo::rustc-link-arg-bins=--emit-relocs"); // for `cargo xtask chips` to follow
    } else if release && !defmt {
        println!("cargo::rustc-cfg=panic_free");
    }
    if defmt {
        if board.get("qemu").is_some() {
            return Err(format!("the board {name} is simulated: leave the feature defmt out"));
        }
        println!("cargo::rustc-link-arg-bins=-Tdefmt.x");
    }
    if let Some(script) = board.get("linker_script").and_then(Value::as_str) {
        println!("cargo::rustc-link-arg-bins=-T{script}");
        return Ok(()); // the board's own crate brings it, and its memory.x
    }
    let mut boot = String::new();
    if let Some(boot_bytes) = board.get("boot_bytes").and_then(Value::as_integer) {
        boot = format!(
            "MEMORY {{ BOOT2 : ORIGIN = {flash:#010x}, LENGTH = {boot_bytes} }}\n\
             SECTIONS {{ .boot2 ORIGIN(BOOT2) : {{ KEEP(*(.boot2)); }} > BOOT2 }} INSERT BEFORE .text;\n\
             ASSERT(SIZEOF(.boot2) == {boot_bytes}, \"{name} does not start without its .boot2\");\n"
        );
        flash += boot_bytes;
        flash_bytes -= boot_bytes;
    }
    let mut script = format!(
        "MEMORY\n{{\n  FLASH : ORIGIN = {flash:#010x}, LENGTH = {flash_bytes}\n  RAM : ORIGIN = {ram:#010x}, LENGTH = {ram_bytes}\n}}\n"
    );
    if target.starts_with("riscv") {
        for (alias, region) in [
            ("TEXT", "FLASH"),
            ("RODATA", "FLASH"),
            ("DATA", "RAM"),
            ("BSS", "RAM"),
            ("HEAP", "RAM"),
            ("STACK", "RAM"),
        ] {
            script += &format!("REGION_ALIAS(\"REGION_{alias}\", {region});\n");
        }
    }
    write(&out.join("memory.x"), &(script + &boot))?;
    println!("cargo::rustc-link-search={}", out.display());
    // Here, not in .cargo/config.toml, which cargo reads only when it runs in this folder.
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bins=--nmagic");
    Ok(())
}

/// Where what is learned is kept, as Rust; on a real board that is taken from the end of the flash.
fn kept(name: &str, board: &Value, flash_bytes: &mut i64) -> Result<String, String> {
    let (mut address, mut bytes) = (0, 0);
    if board.get("keep").is_some() {
        (address, bytes) = region(name, board, "keep")?;
        let (flash, all) = region(name, board, "flash")?;
        let end = (address + bytes, flash + all);
        if board.get("qemu").is_none() {
            if end.0 != end.1 || address <= flash || bytes % 2 != 0 {
                return Err(format!(
                    "boards.toml: {name} keeps what it learns in {address:#x} to {:#x}, expected two areas at the end of its flash, {flash:#x} to {:#x}",
                    end.0, end.1
                ));
            }
            *flash_bytes = address - flash;
            if *flash_bytes < PROGRAM_FLASH {
                return Err(format!(
                    "boards.toml: {name} keeps what it learns from {address:#x} on, which leaves {flash_bytes} bytes of flash, expected at least {PROGRAM_FLASH}"
                ));
            }
        }
    }
    Ok(format!("Kept {{ address: {address:#x}, area: {} }}", bytes / 2))
}

/// First address and bytes of a memory.
fn region(name: &str, board: &Value, memory: &str) -> Result<(i64, i64), String> {
    let number = |key| board.get(memory)?.get(key)?.as_integer();
    number("origin")
        .zip(number("bytes"))
        .ok_or_else(|| format!("boards.toml: {name} needs {memory} = {{ origin = …, bytes = … }}"))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
