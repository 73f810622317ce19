//! `cargo xtask bench-report`: runs the benches and writes `docs/benchmarks.md` with its picture.
//!
//! The kernels' table comes from `target/tmp/kernels.json`, which the bench writes; times of the models from
//! criterion's samples; frameworks from `target/tmp/peers.json`, if `benches/peers/compare.py` has been run.

use crate::{cargo, root, run};
use anyhow::{Context, Result, bail};
use clap::Args;
use plotters::prelude::*;
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Writes the page from the figures of the last run.
    #[arg(long)]
    no_run: bool,
    /// Measures other crates beside ours: compiles for minutes.
    #[arg(long)]
    peers: bool,
}

const PAGE: &str = "docs/benchmarks.md";
const PICTURE: &str = "docs/images/benchmarks.svg";

pub(crate) fn run_report(arguments: &Arguments) -> Result<()> {
    if !arguments.no_run {
        let mut command = cargo();
        command.args(["bench", "-p", "motenet-benches", "--bench", "kernels", "--bench", "mlp"]);
        if arguments.peers {
            command.args(["--features", "peers"]);
        }
        run(&mut command)?;
    }
    let target = target_folder()?;
    let kernels = read(&target.join("tmp/kernels.json"))
        .context("no figures of the kernels: run this without --no-run")?;
    let models = models(&target.join("criterion"))?;
    let frameworks = read(&target.join("tmp/peers.json")).ok();
    draw(&kernels, &root().join(PICTURE))?;
    let page = page(&kernels, &models, frameworks.as_ref())?;
    fs::write(root().join(PAGE), page).with_context(|| format!("writing {PAGE} failed"))?;
    println!("written: {PAGE}, {PICTURE}");
    Ok(())
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read(path).with_context(|| format!("reading {} failed", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))
}

fn target_folder() -> Result<PathBuf> {
    let output = cargo().args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let folder = metadata["target_directory"].as_str();
    Ok(folder.context("cargo metadata names no target_directory")?.into())
}

/// A measurement of criterion: seconds a call.
struct Timing {
    group: String,
    name: String,
    /// Images a call.
    elements: f64,
    /// Quartiles and median.
    seconds: [f64; 3],
}

/// What `benches/mlp.rs` has measured, by name.
fn models(folder: &Path) -> Result<Vec<Timing>> {
    let mut timings = Vec::new();
    for group in folders(folder)? {
        for bench in folders(&group)? {
            let (about, sample) = (bench.join("new/benchmark.json"), bench.join("new/sample.json"));
            if !about.exists() || !sample.exists() {
                continue;
            }
            let (about, sample) = (read(&about)?, read(&sample)?);
            let group = about["group_id"].as_str().unwrap_or_default();
            if !group.contains(", epoch of ") && !group.contains(", inference of ") {
                continue;
            }
            timings.push(Timing {
                group: group.into(),
                name: about["function_id"].as_str().unwrap_or_default().into(),
                elements: about["throughput"]["Elements"].as_f64().unwrap_or(1.0),
                seconds: quartiles(&sample)?,
            });
        }
    }
    timings.sort_by(|a, b| (&a.group, &a.name).cmp(&(&b.group, &b.name)));
    Ok(timings)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("reading {} failed: run the benches", folder.display()))?;
    Ok(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect())
}

/// Criterion keeps the calls and the nanoseconds of each sample.
fn quartiles(sample: &Value) -> Result<[f64; 3]> {
    let numbers =
        |key: &str| sample[key].as_array().into_iter().flatten().filter_map(Value::as_f64);
    let mut seconds: Vec<f64> =
        numbers("times").zip(numbers("iters")).map(|(t, n)| t / n / 1e9).collect();
    if seconds.is_empty() {
        bail!(
            "found a sample.json of criterion without times, expected some: run the benches again"
        );
    }
    seconds.sort_by(f64::total_cmp);
    let at = |quarter: usize| seconds[(seconds.len() - 1) * quarter / 4];
    Ok([at(1), at(2), at(3)])
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_default()
}

/// The median of `[low, median, high]`.
fn median(value: &Value) -> Option<f64> {
    value[1].as_f64()
}

fn page(kernels: &Value, models: &[Timing], frameworks: Option<&Value>) -> Result<String> {
    let mut page = String::new();
    writeln!(
        page,
        "# Benchmarks\n\n\
         Written by `cargo xtask bench-report`; do not edit.\n\n\
         {}. Medians; in brackets the quartiles. Times are of this machine at that moment: compare figures \
         within a table. `cargo bench` repeats the first two, with `MNIST_DIR` set on the real digits.\n",
        machine()
    )?;
    kernels_table(&mut page, kernels)?;
    models_table(&mut page, models)?;
    if let Some(frameworks) = frameworks {
        frameworks_table(&mut page, frameworks)?;
    }
    Ok(page)
}

fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unnamed processor", |(_, model)| model.trim());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let rustc = std::process::Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let rustc = rustc.unwrap_or_default();
    let rustc = rustc.split(" (").next().unwrap_or_default();
    format!("{model}, {threads} CPUs, {}, {rustc}", std::env::consts::OS)
}

/// Rows are products, columns are contenders: GFLOP/s and the share of the peak.
fn kernels_table(page: &mut String, kernels: &Value) -> Result<()> {
    let columns = contenders(kernels);
    writeln!(
        page,
        "## The products of a dense layer\n\n\
         One thread, GFLOP/s: two operations a multiply-add, zeros count. In brackets the share of the \
         machine's own peak, multiply-adds that touch registers only, measured in turn with each row (upper \
         quartiles of both: a neighbour on the core only ever slows down): \
         ours against the peak of the same instruction set, other crates against that of the widest.\n"
    )?;
    let heads: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    writeln!(page, "| | {} | peak |", heads.join(" | "))?;
    writeln!(page, "|---|{}", "---|".repeat(columns.len() + 1))?;
    for row in list(&kernels["rows"]) {
        write!(page, "| {} |", name(row))?;
        for (column, _) in &columns {
            let found = list(&row["contenders"]).find(|contender| name(contender) == column);
            let Some(rate) = found.and_then(|found| median(&found["gflops"])) else {
                write!(page, " – |")?;
                continue;
            };
            write!(page, " {rate:.*}", if rate < 10.0 { 1 } else { 0 })?;
            if let Some(share) = found.and_then(|found| found["share"].as_f64()) {
                write!(page, " ({:.0} %)", 100.0 * share)?;
            }
            write!(page, " |")?;
        }
        writeln!(page, " {:.0} |", median(&row["peaks"][0]["gflops"]).unwrap_or(f64::NAN))?;
    }
    writeln!(
        page,
        "\n![The share of the peak that each product reaches](images/benchmarks.svg)\n\n\
         Digits have zeros for background; their terms are left out, so the rate counts work that was \
         not done and may exceed the peak."
    )?;
    if let Some(clock) = kernels["clock_ghz"].as_f64() {
        writeln!(
            page,
            "The peak is two multiply-adds of the widest vectors a cycle at {clock:.2} GHz."
        )?;
    }
    let load = |load: &Value| {
        let rate = median(&load["gigabytes_per_second"]).unwrap_or(f64::NAN);
        format!("{} {rate:.0}", name(load))
    };
    let loads: Vec<String> = list(&kernels["loads"]).map(load).collect();
    writeln!(page, "Loads from memory of several sizes, GB/s: {}.\n", loads.join(", "))?;
    Ok(())
}

/// The names of all contenders, and whether they are other crates, in the order of the first row.
fn contenders(kernels: &Value) -> Vec<(String, bool)> {
    let mut names: Vec<(String, bool)> = Vec::new();
    for contender in list(&kernels["rows"]).flat_map(|row| list(&row["contenders"])) {
        if !names.iter().any(|(known, _)| known == name(contender)) {
            names.push((name(contender).into(), contender["peer"] == true));
        }
    }
    names
}

fn models_table(page: &mut String, models: &[Timing]) -> Result<()> {
    writeln!(
        page,
        "## The models\n\n\
         Epochs are of 60,000 images in batches of 64, plain gradient descent; `framework` is 784-64-10, \
         `mlp-wide` 784-512-10. Inference is of `mlp`, 784-64-10, after an epoch.\n\n\
         | | | time | images a second |\n|---|---|---|---|"
    )?;
    for Timing { group, name, elements, seconds: [low, median, high] } in models {
        let rate = elements / median;
        writeln!(
            page,
            "| {group} | {name} | {} ({} to {}) | {} |",
            time(*median),
            time(*low),
            time(*high),
            if rate < 1e6 { format!("{rate:.0}") } else { format!("{:.2} million", rate / 1e6) }
        )?;
    }
    writeln!(page)?;
    Ok(())
}

fn time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 1e-6 => (s * 1e9, "ns"),
        s if s < 1e-3 => (s * 1e6, "µs"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

fn frameworks_table(page: &mut String, frameworks: &Value) -> Result<()> {
    writeln!(
        page,
        "## Beside frameworks\n\n\
         An epoch of MNIST, 784-64-10, plain gradient descent, batches of 64, in turn \
         (`benches/peers/compare.py`, {} rounds); medians of the times, and of the ratios to motenet's.\n\n\
         | | threads | an epoch | fastest | times as long |\n|---|---|---|---|---|",
        frameworks["repeats"]
    )?;
    for row in list(&frameworks["rows"]) {
        let seconds = |key: &str| time(row[key].as_f64().unwrap_or(f64::NAN));
        writeln!(
            page,
            "| {} | {} | {} | {} | {:.2} |",
            format!("{} {}", name(row), row["version"].as_str().unwrap_or_default()).trim(),
            row["threads"],
            seconds("seconds"),
            seconds("fastest"),
            row["ratio"].as_f64().unwrap_or(f64::NAN)
        )?;
    }
    Ok(())
}

/// Bars: for each product, the share of the peak of each contender that has one.
fn draw(kernels: &Value, path: &Path) -> Result<()> {
    const BAR: i32 = 11;
    const COLORS: [RGBColor; 6] = [
        RGBColor(0, 90, 181),
        RGBColor(110, 170, 230),
        RGBColor(220, 50, 32),
        RGBColor(230, 140, 40),
        RGBColor(130, 130, 130),
        RGBColor(190, 190, 190),
    ];
    let baseline = "baseline";
    let columns: Vec<_> =
        contenders(kernels).into_iter().filter(|(name, _)| name != baseline).collect();
    let rows: Vec<&Value> = list(&kernels["rows"])
        .filter(|row| list(&row["contenders"]).any(|contender| !contender["share"].is_null()))
        .collect();
    let height = columns.len() as i32 * BAR + 12;
    let (left, width, top) = (260, 560, 50);
    let size = (left + width + 50, top + height * rows.len() as i32 + 30);
    let area = SVGBackend::new(path, (size.0 as u32, size.1 as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let text =
        |size: f64| ("DejaVu Sans, Verdana, Arial, sans-serif", size).into_font().color(&BLACK);
    let mut place = left;
    for ((name, peer), color) in columns.iter().zip(COLORS) {
        let label = if *peer { name.clone() } else { format!("motenet, {name}") };
        area.draw(&Rectangle::new([(place, 16), (place + 11, 27)], color.filled()))?;
        area.draw(&Text::new(label.clone(), (place + 15, 14), text(13.0)))?;
        place += 28 + 7 * label.chars().count() as i32;
    }
    let bottom = top + height * rows.len() as i32;
    for tenth in (0..=10).step_by(2) {
        let x = left + width * tenth / 10;
        area.draw(&PathElement::new([(x, top - 4), (x, bottom)], RGBColor(210, 210, 210)))?;
        area.draw(&Text::new(format!("{} %", 10 * tenth), (x - 12, bottom + 6), text(13.0)))?;
    }
    for (k, row) in rows.iter().enumerate() {
        let y = top + height * k as i32;
        let middle = y + (height - 12) / 2 - 8;
        area.draw(&Text::new(name(row).to_owned(), (8, middle), text(13.0)))?;
        for (c, ((column, _), color)) in columns.iter().zip(COLORS).enumerate() {
            let found = list(&row["contenders"]).find(|contender| name(contender) == column);
            let Some(share) = found.and_then(|found| found["share"].as_f64()) else { continue };
            let length = (share.min(1.05) * f64::from(width)).round() as i32;
            let y = y + BAR * c as i32;
            area.draw(&Rectangle::new([(left, y), (left + length, y + BAR - 1)], color.filled()))?;
        }
    }
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quartiles_are_of_seconds_a_call() {
        let sample =
            json!({ "iters": [1.0, 2.0, 4.0, 1.0, 1.0], "times": [3e9, 2e9, 8e9, 4e9, 5e9] });
        assert_eq!(quartiles(&sample).unwrap(), [2.0, 3.0, 4.0]);
        assert!(quartiles(&json!({})).is_err());
    }

    #[test]
    fn the_page_says_what_was_measured() {
        let contender = |name: &str, share: Option<f64>| json!({ "name": name, "peer": name == "gemm", "gflops": [1.0, 120.4, 3.0], "share": share });
        let row = |name: &str, contenders: Vec<Value>| json!({ "name": name, "contenders": contenders, "peaks": [{ "gflops": [1.0, 283.6, 2.0] }] });
        let kernels = json!({
            "rows": [
                row("a · b", vec![contender("avx512", Some(0.95))]),
                row("digits", vec![contender("avx512", None), contender("gemm", Some(0.5))]),
            ],
            "loads": [{ "name": "16 KiB", "gigabytes_per_second": [1.0, 248.0, 2.0] }],
            "clock_ghz": 4.43,
        });
        let seconds = [0.07, 0.0754, 0.08];
        let timing =
            Timing { group: "framework".into(), name: "x".into(), elements: 60e3, seconds };
        let frameworks = json!({ "repeats": 3, "rows": [
            { "name": "JAX", "version": "0.1", "threads": 2, "seconds": 0.5, "fastest": 0.4, "ratio": 2.5 },
        ] });
        let page = page(&kernels, &[timing], Some(&frameworks)).unwrap();
        for line in [
            "| | avx512 | gemm | peak |",
            "| a · b | 120 (95 %) | – | 284 |",
            "| digits | 120 | 120 (50 %) | 284 |",
            "at 4.43 GHz",
            "GB/s: 16 KiB 248.",
            "| framework | x | 75.4 ms (70.0 ms to 80.0 ms) | 795756 |",
            "| JAX 0.1 | 2 | 500 ms | 400 ms | 2.50 |",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }

    #[test]
    fn times_have_three_digits() {
        let found = [5e-7, 1.234e-5, 0.1234, 2.5].map(time);
        assert_eq!(found, ["500 ns", "12.3 µs", "123 ms", "2.50 s"]);
    }
}
