//! How to build for a chip: with the active toolchain if it can, else with Debian's.
//!
//! Looked for in this order: the target's `core` in the active toolchain; the sources of `core` in the
//! active toolchain; Debian's Rust with its sources, which builds `core` itself.

use crate::root;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A compiler that can build for one target.
pub(crate) struct Toolchain {
    target: String,
    core: Core,
    rustc_version: String,
}

/// Where `core` comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Core {
    /// It is installed.
    Installed,
    /// It is built from the active toolchain's sources.
    Sources,
    /// It is built from Debian's sources by Debian's compiler.
    Debian,
}

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust/library/core";

impl Toolchain {
    /// The first compiler that can build for `target`; else an error with the line that installs one.
    pub(crate) fn find(target: &str) -> Result<Self> {
        let active = |what: &str| print_path("rustc", &["--print", what, "--target", target]);
        let installed = active("target-libdir")?.is_some_and(|folder| holds_core(&folder));
        let sources = || -> Result<bool> {
            let sysroot = active("sysroot")?;
            Ok(sysroot.is_some_and(|root| root.join("lib/rustlib/src/rust/library/core").exists()))
        };
        let core = if installed {
            Core::Installed
        } else if sources()? {
            Core::Sources
        } else if Path::new(DEBIAN_SOURCES).exists() && Path::new(DEBIAN_CARGO).exists() {
            Core::Debian
        } else {
            bail!("no `core` for {target}: run `{}` (on Debian also: `{DEBIAN_PACKAGES}`)", {
                add_target(target)
            });
        };
        let rustc = if core == Core::Debian { DEBIAN_RUSTC } else { "rustc" };
        let version = output_of(without_rustup(core, rustc).arg("--version"))?;
        let version = version.split(' ').nth(1).unwrap_or("unknown").trim();
        Ok(Self { target: target.into(), core, rustc_version: version.into() })
    }

    /// The compiler's version, as `1.95.0`: sizes and instruction counts change with it.
    pub(crate) fn rustc_version(&self) -> &str {
        &self.rustc_version
    }

    /// Where `core` comes from.
    pub(crate) fn core(&self) -> Core {
        self.core
    }

    /// `cargo build` for the target in `folder`, with one target folder for all that is built this way.
    pub(crate) fn build(&self, folder: &Path) -> Command {
        self.cargo("build", "core", folder)
    }

    /// `cargo test` for a target with an operating system, likewise.
    pub(crate) fn test(&self, folder: &Path) -> Command {
        self.cargo("test", "std,panic_abort,test", folder)
    }

    /// What cargo is to do, and the crates of Rust itself that this takes.
    fn cargo(&self, verb: &str, crates: &str, folder: &Path) -> Command {
        let mut command = match self.core {
            Core::Installed | Core::Sources => {
                Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            }
            Core::Debian => without_rustup(self.core, DEBIAN_CARGO),
        };
        command.current_dir(folder).args([verb, "--target", &self.target]);
        if self.core != Core::Installed {
            command.env("RUSTC_BOOTSTRAP", "1").arg(format!("-Zbuild-std={crates}"));
        }
        if self.core == Core::Debian {
            command.env("RUSTC", DEBIAN_RUSTC);
        }
        // They would take the place of the linker scripts in `.cargo/config.toml`.
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
            command.env_remove(name);
        }
        if let Some(linker) = self.linker() {
            let target = self.target.to_uppercase().replace(['-', '.'], "_");
            command.env(format!("CARGO_TARGET_{target}_LINKER"), linker);
        }
        command.arg("--target-dir").arg(self.folder());
        command
    }

    /// The folder that [`Toolchain::build`] builds in: another one for another compiler, or each would throw
    /// away what the other built.
    pub(crate) fn folder(&self) -> PathBuf {
        target_folder().join(if self.core == Core::Debian { "debian" } else { "chips" })
    }

    /// The linker to name; none where the compiler finds its own.
    fn linker(&self) -> Option<PathBuf> {
        if self.core != Core::Debian || find_command("rust-lld").is_some() {
            return None;
        }
        versioned_linker(self.linker_name())
    }

    fn linker_name(&self) -> &'static str {
        if self.target.starts_with("wasm32") { "wasm-ld" } else { "ld.lld" }
    }

    /// Whether there is nothing to link with: a rustup toolchain brings its own, Debian's is a package.
    pub(crate) fn lacks_linker(&self) -> bool {
        let own = self.core != Core::Debian || find_command("rust-lld").is_some();
        !own && versioned_linker(self.linker_name()).is_none()
    }
}

/// Debian's linker bears its version in its name.
fn versioned_linker(name: &str) -> Option<PathBuf> {
    let names = (15..40).rev().map(|version| format!("{name}-{version}"));
    names.chain([name.into()]).find_map(|name| find_command(&name))
}

/// The line that installs a target.
pub(crate) fn add_target(target: &str) -> String {
    format!("rustup target add {target}")
}

/// The line that installs Debian's Rust for all targets.
pub(crate) const DEBIAN_PACKAGES: &str = "apt-get install rustc-web cargo-web rust-web-src lld-22";

/// Where a command lies in the `PATH`.
pub(crate) fn find_command(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&folders).map(|folder| folder.join(&name)).find(|path| path.is_file())
}

/// What a command prints; an error if it cannot be started or fails.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .current_dir(root())
        .output()
        .with_context(|| format!("could not start `{name}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{name}` failed: {}", said.lines().next().unwrap_or("it said nothing"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A path that `rustc` prints; `None` if it does not know the target.
fn print_path(rustc: &str, arguments: &[&str]) -> Result<Option<PathBuf>> {
    let output = Command::new(rustc)
        .current_dir(root())
        .args(arguments)
        .output()
        .context("could not start `rustc`")?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok((output.status.success() && !path.is_empty()).then(|| path.into()))
}

fn holds_core(folder: &Path) -> bool {
    let Ok(files) = std::fs::read_dir(folder) else { return false };
    files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
}

/// A command of Debian's Rust must not hear what `rustup` has set for ours.
fn without_rustup(core: Core, program: &str) -> Command {
    let mut command = Command::new(program);
    if core == Core::Debian {
        for name in
            ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTUP_HOME", "LD_LIBRARY_PATH", "RUSTDOC", "RUSTC"]
        {
            command.env_remove(name);
        }
    }
    command
}

/// The folder that cargo builds in.
pub(crate) fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || root().join("target"),
        |folder| {
            // Builds run in other folders than ours.
            std::path::absolute(&folder).unwrap_or_else(|_| folder.into())
        },
    )
}
