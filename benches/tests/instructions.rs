//! Instructions of each kernel, counted by valgrind and compared with `golden/`: a regression that no
//! noise can hide, on any machine.
//!
//! A call's count is that of three calls less that of one, halved, so what comes before and after does not
//! matter. Valgrind knows AVX2 but not AVX-512. Another compiler writes other instructions, so figures are
//! kept for each version of it. `MOTENET_BLESS=1` writes them anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The C library copies and clears in its own way on each system, so a count may differ by this share.
const TOLERANCE: f64 = 0.02;

#[test]
fn kernels_take_no_more_instructions_than_they_did() {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return eprintln!("skipped: the figures are of x86-64 and Linux");
    }
    if !Command::new("valgrind")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
    {
        return eprintln!("skipped: valgrind is missing (on Debian: apt-get install valgrind)");
    }
    let Some(file) = golden() else {
        return eprintln!("skipped: found no rustc to ask for its version");
    };
    let bless = std::env::var_os("MOTENET_BLESS").is_some();
    if !bless && !file.exists() {
        return eprintln!(
            "skipped: no figures of this compiler ({}): MOTENET_BLESS=1 writes them",
            file.display()
        );
    }
    let found = count_all();
    if bless {
        std::fs::write(&file, table(&found)).unwrap();
        return;
    }
    let expected = read(&std::fs::read_to_string(&file).unwrap());
    let mut wrong = String::new();
    for (kernel, &found) in &found {
        match expected.get(kernel) {
            None => writeln!(wrong, "{kernel}: {found}, not in the file").unwrap(),
            Some(&expected) => {
                let change = found as f64 / expected as f64 - 1.0;
                if change.abs() > TOLERANCE {
                    let percent = 100.0 * change;
                    writeln!(wrong, "{kernel}: {found}, expected {expected} ({percent:+.1} %)")
                        .unwrap();
                }
            }
        }
    }
    for kernel in expected.keys().filter(|kernel| !found.contains_key(*kernel)) {
        // A machine without AVX2 counts fewer.
        eprintln!("not counted here: {kernel}");
    }
    assert!(
        wrong.is_empty(),
        "instructions a call:\n{wrong}if this is meant, run the test once with MOTENET_BLESS=1 ({})",
        file.display()
    );
}

#[test]
fn the_figures_can_be_read_back() {
    let figures =
        BTreeMap::from([("a · b\tavx2".to_owned(), 7), ("c\tbaseline".to_owned(), 1_000_000)]);
    assert_eq!(read(&table(&figures)), figures);
}

/// `golden/instructions-rustc-1.95.0.tsv`
fn golden() -> Option<PathBuf> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.split_whitespace().nth(1)?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    Some(folder.join(format!("instructions-rustc-{version}.tsv")))
}

fn table(figures: &BTreeMap<String, u64>) -> String {
    figures.iter().map(|(kernel, count)| format!("{kernel}\t{count}\n")).collect()
}

fn read(text: &str) -> BTreeMap<String, u64> {
    let line = |line: &str| {
        let (kernel, count) = line.rsplit_once('\t')?;
        Some((kernel.to_owned(), count.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// `kernel, tab, level` and the instructions of a call.
fn count_all() -> BTreeMap<String, u64> {
    let list = valgrind(&[]).0;
    let mut figures = BTreeMap::new();
    for line in list.lines() {
        let (kernel, level) = line.split_once('\t').unwrap();
        let count = |times: &str| valgrind(&[kernel, level, times]).1;
        figures.insert(line.to_owned(), (count("3") - count("1")) / 2);
    }
    assert!(figures.len() >= 6, "valgrind listed {} kernels", figures.len());
    figures
}

/// Runs the program under valgrind: what it printed, and the instructions it took.
fn valgrind(arguments: &[&str]) -> (String, u64) {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env!("CARGO_BIN_EXE_instructions"))
        .args(arguments)
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {log}");
    let count = log.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    let count = count.unwrap_or_else(|| panic!("valgrind told no count:\n{log}"));
    (String::from_utf8(output.stdout).unwrap(), count)
}
