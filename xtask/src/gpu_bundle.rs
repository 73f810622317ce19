//! `cargo xtask gpu-bundle`: the GPU's tests and bench in one folder, for a machine without Rust.
//!
//! The programs need a C library, as new as is said at the end, and nothing else: drivers are looked for when they
//! run. The folder holds the loader of Vulkan, too, for machines that have a driver but no loader.

use crate::{cargo, root};
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where Debian, Fedora and Arch keep the loader.
const LOADERS: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/libvulkan.so.1",
    "/usr/lib64/libvulkan.so.1",
    "/usr/lib/libvulkan.so.1",
];

/// The four files of MNIST.
const FILES: [&str; 4] = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
];

#[derive(Args)]
pub(crate) struct Arguments {
    /// The folder to write.
    #[arg(long, default_value = "target/gpu-bundle")]
    out: PathBuf,
    /// The profile to build with.
    #[arg(long, default_value = "release")]
    profile: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!("the bundle is for x86-64 Linux, and is built there: this is another machine");
    }
    let out = root().join(&arguments.out);
    fs::create_dir_all(&out).with_context(|| format!("making {} failed", out.display()))?;
    let profile = arguments.profile.as_str();
    let bench =
        ["build", "--package", "motenet-benches", "--bin", "gpu-bench", "--features", "cuda"];
    let tests = ["test", "--package", "motenet-gpu", "--lib", "--no-run"];
    let host = ["build", "--package", "host", "--bin", "host"];
    let programs = [("gpu-bench", &bench[..]), ("gpu-tests", &tests), ("host", &host)];
    for (name, words) in programs {
        let program = built(words, profile)?;
        copy(&program, &out.join(name))?;
        // Debug information is most of a file, and no use there; without `strip` it just stays.
        let _ = Command::new("strip").arg(out.join(name)).status();
    }
    let peers = root().join("benches/peers");
    for (from, to) in [("gpu.sh", "run.sh"), ("gpu.py", "gpu.py")] {
        copy(&peers.join(from), &out.join(to))?;
    }
    let data = std::env::var_os("MNIST_DIR").map(PathBuf::from);
    let found = data.filter(|folder| FILES.iter().all(|file| folder.join(file).is_file()));
    match &found {
        Some(folder) => {
            fs::create_dir_all(out.join("mnist")).context("making a folder failed")?;
            for file in FILES {
                copy(&folder.join(file), &out.join("mnist").join(file))?;
            }
        }
        None => eprintln!(
            "no MNIST in the bundle, so it trains on made-up digits: set MNIST_DIR to a folder with the four gzip files"
        ),
    }
    match LOADERS.iter().map(Path::new).find(|loader| loader.is_file()) {
        Some(loader) => {
            fs::create_dir_all(out.join("lib")).context("making a folder failed")?;
            copy(loader, &out.join("lib/libvulkan.so.1"))?;
        }
        None => eprintln!(
            "no Vulkan loader in the bundle (apt-get install libvulkan1): the other machine needs one"
        ),
    }
    let mut needed = (0, 0);
    for name in programs.map(|(name, _)| name) {
        let bytes = fs::read(out.join(name)).with_context(|| format!("reading {name} failed"))?;
        needed = needed.max(glibc(&bytes));
    }
    println!(
        "{}: copy it to a machine with a GPU (x86-64 Linux, glibc {}.{} or newer), and run `sh run.sh` there",
        out.display(),
        needed.0,
        needed.1
    );
    Ok(())
}

/// The newest version of glibc that a program names: its symbols' versions are strings in it.
fn glibc(program: &[u8]) -> (u32, u32) {
    let name = b"GLIBC_";
    let version = |at: usize| {
        let rest = program[at + name.len()..].iter().take(8).take_while(|&&byte| byte != 0);
        let text: String = rest.map(|&byte| char::from(byte)).collect();
        let mut numbers = text.split('.').map(|part| part.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    };
    let found = program.windows(name.len()).enumerate().filter(|(_, window)| window == name);
    found.filter_map(|(at, _)| version(at)).max().unwrap_or_default()
}

/// Builds, and returns the program.
fn built(words: &[&str], profile: &str) -> Result<PathBuf> {
    let output = cargo()
        .args(words)
        .args(["--profile", profile, "--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .context("could not start cargo")?;
    if !output.status.success() {
        bail!("`cargo {}` failed: it says why above", words.join(" "));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs =
        messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    programs.next_back().with_context(|| format!("`cargo {}` built no program", words.join(" ")))
}

/// Copies a file and its permissions; one that is there is replaced, even if it may not be written to.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_file(to).with_context(|| format!("removing {} failed", to.display()))?;
    }
    let context = || format!("copying {} to {} failed", from.display(), to.display());
    fs::copy(from, to).map(|_| ()).with_context(context)
}

#[cfg(test)]
mod tests {
    use super::glibc;

    #[test]
    fn the_newest_version_is_found() {
        let program = b"\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.4\0GLIBC_PRIVATE\0GLIBC_2.3";
        assert_eq!(glibc(program), (2, 34));
        assert_eq!(glibc(b"no such thing"), (0, 0));
    }
}
