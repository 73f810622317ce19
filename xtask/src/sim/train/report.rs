//! The figures of a board that learned, for people and for programs.

use super::super::report::grouped;
use super::drive::{Figures, Plan, Start};
use crate::boards::{Board, check_stack};
use crate::firmware::{Firmware, hex};
use anyhow::{Result, bail};
use serde_json::{Value, json};

/// A board and what was found on it.
pub(super) struct Measured<'a> {
    pub(super) board: &'a Board,
    /// `None` for a real board, whose program was not built here.
    pub(super) firmware: Option<&'a Firmware>,
    pub(super) plan: &'a Plan,
    pub(super) dataset: &'a str,
    /// Of the learner, as its type says.
    pub(super) ram_bytes: usize,
    /// Of the whole program, as its type promises.
    pub(super) ram_bytes_max: usize,
    /// Of the stack of the whole program.
    pub(super) stack_budget: u32,
    pub(super) figures: &'a Figures,
}

impl Measured<'_> {
    fn accuracy(&self, right: usize) -> f64 {
        right as f64 / self.plan.test.len().max(1) as f64
    }

    fn adapts(&self) -> bool {
        matches!(self.plan.start, Start::Weights(_))
    }

    /// RAM of the whole program: variables, and the most stack that was used.
    fn program_bytes(&self) -> u64 {
        u64::from(self.figures.info.static_bytes) + u64::from(self.figures.stack_bytes_max)
    }

    /// For a sample: learning, and its part of a step.
    fn count(&self) -> f64 {
        let Figures { learn, step, .. } = self.figures;
        (learn.sum + step.sum) as f64 / learn.times.max(1) as f64
    }

    /// What that is at least: a step loads weight and gradient, multiplies, stores the weight and clears the gradient.
    fn floor(&self) -> f64 {
        let step = 5.0 * f64::from(self.figures.info.parameters);
        self.figures.products.floor() + step / f64::from(self.plan.schedule.batch)
    }

    /// An error that names the first number that differs, if any does.
    pub(super) fn verdict(&self) -> Result<()> {
        let (name, figures) = (&self.board.name, self.figures);
        if let Some(first) = &figures.first_difference {
            let more = match figures.differences {
                1 => String::new(),
                count => format!(" ({} more numbers differ)", grouped(count as u64 - 1)),
            };
            bail!("{name} and the host disagree on {first}{more}");
        }
        check_stack(name, figures.stack_bytes_max, self.stack_budget)?;
        let (found, most) = (self.program_bytes(), self.ram_bytes_max);
        if found > most as u64 {
            bail!("{name} takes {found} bytes of RAM with its stack, expected at most {most}");
        }
        Ok(())
    }
}

/// A line a figure.
pub(super) fn table(one: &Measured<'_>) -> String {
    let figures = one.figures;
    let unit = figures.info.counter.unit;
    let whole = |mean: f64| grouped(mean.round() as u64);
    let mut text = String::new();
    let mut row = |name: &str, value: String| text.push_str(&format!("{name:<32}{value:>14}\n"));
    if one.adapts() {
        row("accuracy before", format!("{:.2} %", 100.0 * one.accuracy(figures.right_before)));
    }
    row("accuracy", format!("{:.2} %", 100.0 * one.accuracy(figures.right)));
    row("loss, first and last tenth", format!("{:.3}, {:.3}", figures.losses.0, figures.losses.1));
    row("numbers that differ", grouped(figures.differences as u64));
    row(&format!("{unit} a sample, all"), whole(one.count()));
    row("  of at least, one number each", whole(one.floor()));
    row("  learning, mean", whole(figures.learn.mean()));
    row("  learning, most", grouped(figures.learn.max.into()));
    row("  multiply-adds, mean", whole(figures.products.sum()));
    row("  a step", whole(figures.step.mean()));
    row("  reading", whole(figures.evaluate.mean()));
    let kept = match figures.kept {
        Some(true) => "yes",
        Some(false) => "no",
        None => "no place",
    };
    row("saved, the same after a restart", kept.into());
    row("RAM bytes of learning", grouped(one.ram_bytes as u64));
    row("  .data and .bss of all", grouped(figures.info.static_bytes.into()));
    row("  stack of learning", grouped(figures.learn.stack_bytes.into()));
    row(
        "  stack of all, of at most",
        format!(
            "{} of {}",
            grouped(figures.stack_bytes_max.into()),
            grouped(one.stack_budget.into())
        ),
    );
    row(
        "  all, of at most",
        format!("{} of {}", grouped(one.program_bytes()), grouped(one.ram_bytes_max as u64)),
    );
    if let Some(firmware) = one.firmware {
        row("flash bytes", grouped(firmware.sizes.flash_bytes));
    }
    text + &format!(
        "weights, SHA-256 {}\nthe twin's       {}",
        hex(&figures.sha256),
        hex(&figures.twin_sha256)
    )
}

pub(super) fn json(one: &Measured<'_>) -> Value {
    let (figures, plan) = (one.figures, one.plan);
    let unit = figures.info.counter.unit.to_string();
    let mut object = json!({
        "board": one.board.name,
        "core": one.board.core,
        "task": figures.info.task,
        "dataset": one.dataset,
        "parameters": figures.info.parameters,
        "samples": plan.train.len(),
        "epochs": plan.schedule.epochs,
        "batch": plan.schedule.batch,
        "steps": plan.schedule.steps(),
        "learning_rate": plan.schedule.learning_rate,
        "weight_decay": plan.schedule.weight_decay,
        "seed": plan.schedule.seed,
        "images": plan.test.len(),
        "accuracy": one.accuracy(figures.right),
        "accuracy_before": one.adapts().then(|| one.accuracy(figures.right_before)),
        "loss_first": figures.losses.0,
        "loss_last": figures.losses.1,
        "differences": figures.differences,
        "weights_sha256": hex(&figures.sha256),
        "twin_sha256": hex(&figures.twin_sha256),
        "kept": figures.kept,
        "multiply_adds_mean": figures.products.sum(),
        "instructions_floor": one.floor(),
        "elf": one.firmware.map(|firmware| &firmware.elf),
        "ram_bytes": one.ram_bytes,
        "ram_bytes_program": one.program_bytes(),
        "ram_bytes_program_max": one.ram_bytes_max,
        "static_bytes": figures.info.static_bytes,
        "stack_bytes": figures.learn.stack_bytes,
        "stack_bytes_firmware": figures.stack_bytes_max,
        "flash_bytes": one.firmware.map(|firmware| firmware.sizes.flash_bytes),
        "rustc": one.firmware.map(|firmware| &firmware.rustc_version),
        "counted": unit,
        "seconds": figures.time.as_secs_f64(),
    });
    for (name, count) in [
        ("sample", one.count()),
        ("learn_mean", figures.learn.mean()),
        ("learn_max", figures.learn.max.into()),
        ("step_mean", figures.step.mean()),
        ("evaluate_mean", figures.evaluate.mean()),
    ] {
        object[format!("{unit}_{name}")] = json!(count);
    }
    object
}
