//! `cargo xtask hashes`: the same training runs on every machine that can be had here, simulated or real,
//! and one hash for each run.
//!
//! - [`machines`]: what there is, and how a program gets there;
//! - [`listen`]: what a program says.
//!
//! The runs are [`motenet_tests::hashes::Run`]; `docs/reproducibility.md` has the table.

mod listen;
mod machines;

use crate::interrupt;
use anyhow::{Result, bail};
use clap::Args;
use listen::Line;
use motenet_tests::hashes::Run;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Only the machines whose name holds this; may be given several times.
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// Prints one JSON object as the last line: machine → hash of the run that all have room for.
    #[arg(long)]
    json: bool,
}

/// What became of one machine.
enum Outcome {
    /// What its program said.
    Said(Vec<Line>),
    /// What is missing.
    Skipped(String),
}

/// The run whose hash stands for a machine in JSON: the largest that all chips have room for.
const HEADLINE: Run = Run::Small;

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    interrupt::catch();
    let machines = machines::all()?;
    let names: Vec<_> = machines.iter().map(|machine| machine.name.clone()).collect();
    let chosen = |name: &str| {
        arguments.only.is_empty() || arguments.only.iter().any(|part| name.contains(part))
    };
    if let Some(part) =
        arguments.only.iter().find(|part| !names.iter().any(|name| name.contains(*part)))
    {
        bail!("found no machine `{part}`, expected a part of one of: {}", names.join(", "));
    }
    let say = |line: &str| if arguments.json { eprintln!("{line}") } else { println!("{line}") };
    for run in Run::ALL {
        say(&format!("{:<7} {}", run.name(), run.expected()));
    }
    let columns = Run::ALL.map(|run| format!("{:<13}", run.name())).concat();
    say(&format!("\n{:<34}{:<10}{columns}", "machine", "fma"));

    let mut hashes = Map::new();
    let mut wrong = Vec::new();
    for machine in machines.iter().filter(|machine| chosen(&machine.name)) {
        let lines = match machine.run() {
            Ok(Outcome::Said(lines)) => lines,
            Ok(Outcome::Skipped(why)) => {
                say(&format!("{:<34}skipped: {why}", machine.name));
                continue;
            }
            Err(error) => {
                interrupt::check()?;
                say(&format!("{:<34}failed: {error:#}", machine.name));
                wrong.push(machine.name.clone());
                continue;
            }
        };
        // A program may say the hashes of several levels, of which each is a row.
        let mut rows = BTreeMap::<usize, (String, Vec<&Line>)>::new();
        for line in &lines {
            let at = lines.iter().position(|other| other.level == line.level).unwrap_or_default();
            let name = machine.row(&line.level);
            rows.entry(at).or_insert_with(|| (name, Vec::new())).1.push(line);
        }
        for (name, lines) in rows.into_values() {
            let verdict = verdict(&lines);
            if verdict != "same" {
                wrong.push(name.clone());
            }
            say(&row(&name, &lines, verdict));
            if let Some(line) = lines.iter().find(|line| line.run == HEADLINE.name()) {
                hashes.insert(name, line.hash.clone().into());
            }
        }
    }
    if chosen(machines::THREADS) {
        say(&machines::threads(&mut wrong));
    }
    if arguments.json {
        println!("{}", Value::Object(hashes));
    }
    if !wrong.is_empty() {
        bail!("found another hash on {}, expected the same everywhere", wrong.join(", "));
    }
    Ok(())
}

/// Whether every hash is the one that it should be.
fn verdict(lines: &[&Line]) -> &'static str {
    let expected =
        |line: &Line| Run::ALL.iter().find(|run| run.name() == line.run).map(|run| run.expected());
    match lines.iter().all(|line| expected(line) == Some(&line.hash)) {
        true => "same",
        false => "DIFFERENT",
    }
}

fn row(name: &str, lines: &[&Line], verdict: &str) -> String {
    let fma = lines.first().map_or("", |line| &line.fma);
    let cells = Run::ALL.map(|run| {
        let line = lines.iter().find(|line| line.run == run.name());
        let hash = line.and_then(|line| line.hash.get(..11)).unwrap_or("-");
        format!("{hash:<13}")
    });
    format!("{name:<34}{fma:<10}{}{verdict}", cells.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(run: Run, hash: &str) -> Line {
        Line {
            hash: hash.into(),
            run: run.name().into(),
            level: "baseline".into(),
            fma: "fmadd".into(),
        }
    }

    #[test]
    fn a_verdict_looks_at_every_hash() {
        let good = Run::ALL.map(|run| line(run, run.expected()));
        assert_eq!(verdict(&good.iter().collect::<Vec<_>>()), "same");
        for k in 0..good.len() {
            let mut lines = good.clone();
            lines[k].hash = lines[k].hash.replace('d', "e");
            assert_eq!(verdict(&lines.iter().collect::<Vec<_>>()), "DIFFERENT");
        }
        let swapped = line(Run::Job, Run::Small.expected());
        assert_eq!(verdict(&[&swapped]), "DIFFERENT");
    }

    #[test]
    fn a_row_has_a_cell_for_each_run() {
        let small = line(Run::Small, Run::Small.expected());
        let row = row("chip", &[&small], "same");
        let words: Vec<_> = row.split_whitespace().collect();
        assert_eq!(words, ["chip", "fmadd", "-", &Run::Small.expected()[..11], "-", "-", "same"]);
    }
}
