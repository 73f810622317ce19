//! What a network costs on each known board, measured on the simulated ones.

use crate::boards::{Board, Boards};
use crate::elf::Sizes;
use crate::firmware;
use crate::integers::Quantized;
use crate::sim::measure::{Figures, Task, check_sizes, measure};
use crate::sim::report::grouped;
use crate::sim::{qemu, with_qemu};
use crate::toolchain::Toolchain;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

/// Test digits that the mean is taken over; a full and an empty image come on top.
const IMAGES: usize = 100;

/// What was measured on a simulated board.
pub(crate) struct Measured {
    sizes: Sizes,
    pub(crate) figures: Figures,
}

/// The costs on every simulated board that can be built for and simulated here, by the board's name; for the others why
/// not.
pub(crate) fn measure_all(
    boards: &Boards,
    quantized: &mut Quantized,
    rust: &str,
) -> Result<BTreeMap<String, Result<Measured>>> {
    let mut file = tempfile::Builder::new().suffix(".rs").tempfile()?;
    file.write_all(rust.as_bytes()).context("writing the model's file failed")?;
    let mut all = BTreeMap::new();
    for board in boards.simulated() {
        crate::interrupt::check()?;
        let measured = one(board, quantized, file.path());
        all.insert(board.name.clone(), measured);
    }
    Ok(all)
}

fn one(board: &Board, quantized: &mut Quantized, file: &std::path::Path) -> Result<Measured> {
    qemu::check_board(board)?;
    Toolchain::find(&board.target)?;
    let firmware = firmware::build(board, file)?;
    let test = &quantized.splits.test;
    let count = IMAGES.min(test.len());
    let mut task = Task {
        engine: &mut *quantized.engine,
        softmax: quantized.model.softmax,
        model_hash: firmware::model_hash(file)?,
        images: test.images.get(..count).unwrap_or_default(),
        labels: test.labels.get(..count).unwrap_or_default(),
        ahead: 8,
    };
    let timeout = Duration::from_secs(30);
    let figures =
        with_qemu(board, &firmware, timeout, |line| measure(line, &mut task, &mut |_| {}))?;
    check_sizes(&figures.info, &firmware.sizes)?;
    if let Some(mismatch) = &figures.first_mismatch {
        bail!("{} and the host disagree on {mismatch}", board.name);
    }
    Ok(Measured { sizes: firmware.sizes, figures })
}

/// The table, a row for each board; then why some have none.
pub(crate) fn table(boards: &Boards, all: &BTreeMap<String, Result<Measured>>) -> String {
    let mut text = format!(
        "{:<15}{:<12}{:>9}{:>9}{:>8}{:>14}{:>9}  {}\n",
        "board", "core", "flash", "RAM", "stack", "instructions", "all lit", "fits"
    );
    for board in boards.all() {
        let by = board.simulated_by.as_ref().unwrap_or(&board.name);
        let Some(Ok(Measured { sizes, figures })) = all.get(by) else {
            let none = "–";
            text += &format!(
                "{:<15}{:<12}{none:>9}{none:>9}{none:>8}{none:>14}{none:>9}  {none}\n",
                board.name, board.core
            );
            continue;
        };
        let ram = sizes.static_bytes + u64::from(figures.stack_bytes_max);
        let fits = match (sizes.flash_bytes <= board.flash.bytes, ram <= board.ram.bytes) {
            (true, true) => "yes",
            (false, _) => "no: too little flash",
            (true, false) => "no: too little RAM",
        };
        text += &format!(
            "{:<15}{:<12}{:>9}{:>9}{:>8}{:>14}{:>9}  {fits}\n",
            board.name,
            board.core,
            grouped(sizes.flash_bytes),
            grouped(ram),
            grouped(figures.stack_bytes.into()),
            grouped(figures.count_mean.round() as u64),
            grouped(figures.count_full.into()),
        );
    }
    text += "Flash and RAM of the whole program, its stack included; stack of an inference alone; instructions:\n\
             mean of the first 100 test digits. A real board's figures are those of the simulated one with its\n\
             core; its drivers come on top.\n";
    let mut reasons: Vec<String> = Vec::new();
    for error in all.values().filter_map(|measured| measured.as_ref().err()) {
        let reason = format!("not measured: {error:#}");
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    for reason in reasons {
        text += &reason;
        text.push('\n');
    }
    text
}
