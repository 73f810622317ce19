//! The figures, for people and for programs.

use super::Measured;
use super::fuzz::Thrown;
use anyhow::{Result, bail};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use motenet_link::Unit;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};

/// Where text for people goes: to standard error where standard output is for a program.
pub(crate) struct Console {
    pub(crate) json: bool,
}

impl Console {
    /// Writes one line, or several.
    pub(crate) fn line(&self, text: &str) {
        // A reader that has gone is no reason to stop.
        let _ = match self.json {
            true => writeln!(std::io::stderr().lock(), "{text}"),
            false => writeln!(std::io::stdout().lock(), "{text}"),
        };
    }
}

/// How far it is: a bar on a terminal, else a line every quarter.
pub(crate) struct Bar<'a> {
    bar: Option<ProgressBar>,
    console: &'a Console,
    what: String,
    unit: &'static str,
    total: usize,
    quarter: Cell<usize>,
}

impl<'a> Bar<'a> {
    /// Of `total` of `unit`.
    pub(crate) fn new(what: &str, total: usize, unit: &'static str, console: &'a Console) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = "{prefix:20} {bar:30} {human_pos} of {human_len} {msg}, {eta} left";
            let style = ProgressStyle::with_template(style)
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("━╸ ");
            ProgressBar::new(total as u64)
                .with_style(style)
                .with_prefix(what.to_owned())
                .with_message(unit)
        });
        Bar { bar, console, what: what.into(), unit, total, quarter: Cell::new(0) }
    }

    /// `done` are done.
    pub(crate) fn set(&self, done: usize) {
        match &self.bar {
            Some(bar) => bar.set_position(done as u64),
            None => {
                let quarter = done * 4 / self.total.max(1);
                if quarter > self.quarter.replace(quarter) {
                    let (what, total, unit) = (&self.what, self.total, self.unit);
                    self.console.line(&format!("{what}: {done} of {total} {unit}"));
                }
            }
        }
    }

    /// Removes the bar.
    pub(crate) fn end(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}

/// One row of the table: a name, and a value for each board.
type Row<'a> = (&'a str, &'a dyn Fn(&Measured) -> String);

/// A column for each board.
pub(crate) fn table(measured: &[Measured]) -> String {
    let unit = measured.first().map_or(Unit::Instructions, |one| one.figures.info.counter.unit);
    let counts = format!("{unit}, mean");
    let sizes = |one: &Measured, value: fn(&crate::elf::Sizes) -> u64| {
        one.sizes.as_ref().map_or("–".into(), |sizes| grouped(value(sizes)))
    };
    let rows: &[Row<'_>] = &[
        ("", &|one| one.board.name.clone()),
        ("core", &|one| one.board.core.clone()),
        ("accuracy", &|one| format!("{:.2} %", 100.0 * accuracy(one))),
        ("numbers that differ", &|one| grouped(mismatches(one) as u64)),
        (&counts, &|one| grouped(one.figures.count_mean.round() as u64)),
        ("  of the slowest image", &|one| grouped(one.figures.count_max.into())),
        ("  with every pixel lit", &|one| grouped(one.figures.count_full.into())),
        ("  with none lit", &|one| grouped(one.figures.count_empty.into())),
        ("RAM bytes, inference", &|one| grouped(one.figures.info.ram_bytes.into())),
        ("  its stack", &|one| grouped(one.figures.stack_bytes.into())),
        ("  .data and .bss of all", &|one| grouped(one.figures.info.static_bytes.into())),
        ("  stack of all", &|one| grouped(one.figures.stack_bytes_max.into())),
        ("flash bytes, weights", &|one| grouped(one.figures.info.flash_bytes.into())),
        ("  code of inference", &|one| sizes(one, |sizes| sizes.code_bytes)),
        ("  whole firmware", &|one| sizes(one, |sizes| sizes.flash_bytes)),
    ];
    let mut text = String::new();
    for (name, value) in rows {
        text.push_str(&format!("{name:<24}"));
        for one in measured {
            text.push_str(&format!("{:>12}", value(one)));
        }
        text.push('\n');
    }
    text + &footnote(unit)
}

fn footnote(unit: Unit) -> String {
    let from = "Counted from the input in RAM to logits and class.";
    match unit {
        Unit::Cycles => format!("\n{from} Cycles of the chip's own counter."),
        Unit::Instructions => format!(
            "\n{from} Each takes the simulator\n\
             the same time, which the board's timer tells: exact and repeatable, but not cycles."
        ),
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    HumanCount(number).to_string()
}

fn accuracy(one: &Measured) -> f64 {
    one.figures.right as f64 / one.figures.images.max(1) as f64
}

fn mismatches(one: &Measured) -> usize {
    one.figures.logit_mismatches + one.figures.other_mismatches
}

/// One object for one board; for several, one that lists them.
pub(crate) fn json(measured: &[Measured], dataset: &str) -> Value {
    match measured {
        [one] => object(one, dataset),
        all => json!({ "boards": all.iter().map(|one| object(one, dataset)).collect::<Vec<_>>() }),
    }
}

fn object(one: &Measured, dataset: &str) -> Value {
    let figures = &one.figures;
    let unit = figures.info.counter.unit.to_string();
    let mut object = json!({
        "board": one.board.name,
        "core": one.board.core,
        "model": figures.info.model,
        "dataset": dataset,
        "images": figures.images,
        "logit_mismatches": figures.logit_mismatches,
        "other_mismatches": figures.other_mismatches,
        "accuracy": accuracy(one),
        "ram_bytes": figures.info.ram_bytes,
        "stack_bytes": figures.stack_bytes,
        "static_bytes": figures.info.static_bytes,
        "stack_bytes_firmware": figures.stack_bytes_max,
        "weights_bytes": figures.info.flash_bytes,
        "code_bytes": one.sizes.map(|sizes| sizes.code_bytes),
        "flash_bytes": one.sizes.map(|sizes| sizes.flash_bytes),
        "rustc": one.rustc_version,
        "counted": unit,
        "seconds": figures.time.as_secs_f64(),
    });
    let counts = [
        ("mean", json!(figures.count_mean)),
        ("max", json!(figures.count_max)),
        ("full", json!(figures.count_full)),
        ("empty", json!(figures.count_empty)),
    ];
    for (name, count) in counts {
        object[format!("{unit}_{name}")] = count;
    }
    object
}

/// An error that names the first number that differs, if any does.
pub(crate) fn verdict(measured: &[Measured]) -> Result<()> {
    let Some((one, first)) =
        measured.iter().find_map(|one| Some((one, one.figures.first_mismatch.as_ref()?)))
    else {
        return Ok(());
    };
    let others = match mismatches(one) {
        1 => String::new(),
        count => format!(" ({} more numbers differ)", grouped(count as u64 - 1)),
    };
    bail!("{} and the host disagree on {first}{others}", one.board.name)
}

/// What became of the noise.
pub(crate) fn thrown(board: &str, thrown: &Thrown) -> String {
    let list = |map: &BTreeMap<String, usize>| {
        let parts: Vec<_> =
            map.iter().map(|(name, &count)| format!("{} {name}", grouped(count as u64))).collect();
        if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
    };
    let pieces = thrown.pieces.iter().map(|(&name, &count)| (name.to_owned(), count)).collect();
    format!(
        "{board}: threw {} bytes: {}\n  faults it reported: {}\n  inferences: {}, damaged replies: {}; it lives",
        grouped(thrown.bytes as u64),
        list(&pieces),
        list(&thrown.faults),
        grouped(thrown.answers as u64),
        grouped(thrown.broken as u64),
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn digits_in_threes() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")]
        {
            assert_eq!(super::grouped(number), text);
        }
    }
}
