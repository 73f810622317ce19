//! `cargo xtask doctor`: what is installed, what is missing, and the line that installs it.

use crate::boards::Boards;
use crate::flash::{tools, usb};
use crate::root;
use crate::sim::qemu;
use crate::toolchain::{Core, DEBIAN_PACKAGES, Toolchain, add_target, find_command, output_of};
use anyhow::{Result, bail};
use motenet_data::mnist;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::process::Command;

/// One line of the table.
struct Finding {
    what: String,
    state: State,
    /// What was found, or what is wrong.
    found: String,
    /// What mends it; empty if nothing needs to.
    fix: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    /// Something works less well without it.
    Optional,
    /// Training and the tests do not work without it.
    Missing,
}

impl Finding {
    fn good(what: &str, found: impl Into<String>) -> Self {
        Finding { what: what.into(), state: State::Good, found: found.into(), fix: String::new() }
    }

    fn optional(what: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Finding { what: what.into(), state: State::Optional, found: found.into(), fix: fix.into() }
    }

    fn missing(what: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Finding { what: what.into(), state: State::Missing, found: found.into(), fix: fix.into() }
    }
}

/// Prints the table; an error if training or the tests cannot run.
pub(crate) fn run() -> Result<()> {
    let boards = Boards::read();
    let mut groups = vec![("To train and to test", needed()), ("Digits", vec![digits()])];
    match &boards {
        Ok(boards) => {
            groups.push(("To simulate chips", simulators(boards)));
            groups.push(("To flash boards", flashers()));
        }
        Err(error) => {
            let finding = Finding::optional("table of boards", format!("{error:#}"), "");
            groups.push(("To simulate chips", vec![finding]));
        }
    }
    groups.push(("To test the C export", vec![c_compiler(), arm_compiler()]));
    print(&groups);

    let findings = || groups.iter().flat_map(|(_, findings)| findings);
    let missing = findings().filter(|finding| finding.state == State::Missing).count();
    let optional = findings().filter(|finding| finding.state == State::Optional).count();
    if missing > 0 {
        bail!("{missing} of what training and tests need is missing: see ✗ above");
    }
    println!(
        "\n`cargo run -p host` and `cargo xtask test` have all they need{}",
        if optional > 0 { "; what has a – is optional." } else { "." }
    );
    Ok(())
}

fn needed() -> Vec<Finding> {
    let wanted = std::fs::read_to_string(root().join("rust-toolchain.toml")).unwrap_or_default();
    let wanted = wanted.split('"').nth(1).unwrap_or("stable").to_owned();
    let rust = match output_of(Command::new("rustc").arg("--version")) {
        Ok(version) => {
            let number = version.split(' ').nth(1).unwrap_or("").to_owned();
            if number == wanted {
                Finding::good("Rust", version)
            } else {
                // Another one may do, but the pinned one is what is tested.
                let fix = format!("rustup toolchain install {wanted}");
                Finding::optional("Rust", format!("{number}, expected the pinned {wanted}"), fix)
            }
        }
        Err(error) => Finding::missing(
            "Rust",
            error.to_string(),
            format!("rustup toolchain install {wanted}"),
        ),
    };
    let component = |name: &str, command: &str| match output_of(
        Command::new("cargo").args([command, "--version"]),
    ) {
        Ok(version) => Finding::good(name, version),
        Err(_) => {
            let fix = format!("rustup component add {name}");
            Finding::optional(name, "not found (to contribute)", fix)
        }
    };
    vec![rust, linker(), component("rustfmt", "fmt"), component("clippy", "clippy")]
}

/// `rustc` links programs of this machine by calling a C compiler.
fn linker() -> Finding {
    if cfg!(all(windows, target_env = "msvc")) {
        return Finding::good("linker", "the one of Visual Studio");
    }
    let fix = match std::env::consts::OS {
        "macos" => "xcode-select --install",
        _ => "apt-get install gcc libc6-dev",
    };
    match find_command("cc") {
        Some(path) => Finding::good("linker", path.display().to_string()),
        None => Finding::missing("linker", "found no `cc`", fix),
    }
}

fn digits() -> Finding {
    let options = mnist::Options { download: false, ..mnist::Options::from_env() };
    match mnist::load(&options, &mut |_| {}) {
        Ok(splits) => Finding::good("MNIST", splits.origin),
        Err(error) if options.mnist_dir.is_some() => {
            let fix = "set MNIST_DIR to a folder with the four files, or unset it";
            Finding::optional("MNIST", error.to_string(), fix)
        }
        Err(_) => Finding::optional(
            "MNIST",
            "not here yet; made-up digits take its place",
            "`cargo run -p host` downloads it, or set MNIST_DIR to a folder with the four files",
        ),
    }
}

fn simulators(boards: &Boards) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut targets: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for board in boards.all() {
        targets.entry(&board.target).or_default().push(&board.name);
    }
    for (target, boards) in targets {
        findings.push(match Toolchain::find(target) {
            Ok(toolchain) if toolchain.lacks_linker() => {
                Finding::optional(target, "no linker for Debian's Rust", "apt-get install lld-22")
            }
            Ok(toolchain) => Finding::good(
                target,
                match toolchain.core() {
                    Core::Installed => format!("core of Rust {}", toolchain.rustc_version()),
                    Core::Sources => {
                        format!("built from the sources of {}", toolchain.rustc_version())
                    }
                    Core::Debian => format!("built by Debian's Rust {}", toolchain.rustc_version()),
                },
            ),
            Err(_) => {
                let fix = format!("{} (on Debian also: {DEBIAN_PACKAGES})", add_target(target));
                Finding::optional(target, format!("no core, for {}", boards.join(", ")), fix)
            }
        });
    }
    let mut programs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for board in boards.simulated() {
        let program = board.qemu.first().map_or("", String::as_str);
        programs.entry(program).or_default().push(&board.name);
    }
    for (program, boards) in programs {
        findings.push(match output_of(Command::new(program).arg("--version")) {
            Ok(version) => {
                Finding::good(program, version.lines().next().unwrap_or_default().to_owned())
            }
            Err(_) => {
                let found = format!("not found, simulates {}", boards.join(", "));
                Finding::optional(program, found, qemu::how_to_install(program))
            }
        });
    }
    findings
}

fn flashers() -> Vec<Finding> {
    let tool = |name: &str, install: &str| match output_of(Command::new(name).arg("--version")) {
        Ok(version) => Finding::good(name, version.lines().next().unwrap_or_default().to_owned()),
        Err(_) => Finding::optional(name, "not found", install),
    };
    let mut findings =
        vec![tool("probe-rs", tools::INSTALL_PROBE_RS), tool("espflash", tools::INSTALL_ESPFLASH)];
    let probes = usb::probes();
    for probe in &probes {
        findings.push(if probe.writable {
            Finding::good(probe.name, probe.node.display().to_string())
        } else {
            let found = format!("{}: using it is not permitted", probe.node.display());
            Finding::optional(probe.name, found, usb::RULES)
        });
    }
    if probes.is_empty() && cfg!(target_os = "linux") {
        findings.push(Finding::optional("debug probe", "none plugged in", ""));
    }
    findings
}

fn c_compiler() -> Finding {
    match output_of(Command::new("cc").arg("--version")) {
        Ok(version) => Finding::good("cc", version.lines().next().unwrap_or_default().to_owned()),
        Err(_) => Finding::optional("cc", "not found", "apt-get install gcc libc6-dev"),
    }
}

fn arm_compiler() -> Finding {
    let name = "arm-none-eabi-gcc";
    match output_of(Command::new(name).arg("--version")) {
        Ok(version) => Finding::good(name, version.lines().next().unwrap_or_default().to_owned()),
        Err(_) => Finding::optional(name, "not found", "apt-get install gcc-arm-none-eabi"),
    }
}

fn print(groups: &[(&str, Vec<Finding>)]) {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let colour = std::io::stdout().is_terminal() && !set("NO_COLOR");
    let style = |code: &str, text: &str| match colour {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text.to_owned(),
    };
    let names = groups.iter().flat_map(|(_, findings)| findings);
    let width = names.map(|finding| finding.what.chars().count()).max().unwrap_or(0);
    for (number, (title, findings)) in groups.iter().enumerate() {
        if number > 0 {
            println!();
        }
        println!("{}", style("1", title));
        for Finding { what, state, found, fix } in findings {
            let mark = match state {
                State::Good => style("32", "✓"),
                State::Optional => style("33", "–"),
                State::Missing => style("31", "✗"),
            };
            println!("  {mark} {what:width$}  {}", style("2", found));
            if !fix.is_empty() {
                println!("      → {fix}");
            }
        }
    }
}
