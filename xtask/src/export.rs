//! `cargo xtask export`: a trained network as integers, in the languages that others speak.

use crate::boards::Boards;
use crate::card;
use crate::firmware::hex;
use crate::integers::{self, CALIBRATION, Quantized};
use crate::interrupt;
use anyhow::{Context, Result, bail};
use clap::Args;
use motenet_export::{c, rust};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// More accuracy than this, in points, is not lost without a question.
const LOSS_MAX: f64 = 1.0;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The run to export; the latest of `runs` by default.
    run: Option<PathBuf>,
    /// Where the files go; `export` in the run's folder by default.
    #[arg(long)]
    out_dir: Option<PathBuf>,
    /// The folder of the MNIST files, if not MNIST_DIR or the cache.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Writes the files even if more than one point of accuracy is lost.
    #[arg(long)]
    force: bool,
    /// Does not measure on simulated boards, which takes a minute the first time.
    #[arg(long)]
    no_boards: bool,
    /// Prints one JSON object as the last line.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    interrupt::catch();
    let run = integers::open(arguments.run.as_deref())?;
    let mut quantized = integers::quantized(run, arguments.data_dir.clone())?;
    let (float, int8) = (quantized.accuracy_float, quantized.accuracy());
    let lost = 100.0 * (float - int8);
    let report = &mut |line: String| match arguments.json {
        true => eprintln!("{line}"),
        false => println!("{line}"),
    };
    card(&quantized, report);
    report(format!(
        "accuracy on {} test digits: float {:.2} %, int8 {:.2} % ({lost:+.2} points lost)",
        quantized.splits.test.len(),
        100.0 * float,
        100.0 * int8,
    ));
    if lost > LOSS_MAX && !arguments.force {
        bail!(
            "int8 loses {lost:.2} points of accuracy, expected at most {LOSS_MAX}: nothing was written (--force writes it)"
        );
    }

    let folder = match &arguments.out_dir {
        Some(folder) => folder.clone(),
        None => quantized.run.path().join("export"),
    };
    let identifier = quantized.identifier();
    let rust = rust::write(&quantized.model, &identifier)?;
    let stack = if arguments.no_boards {
        None
    } else {
        let boards = Boards::read()?;
        let measured = card::measure_all(&boards, &mut quantized, &rust)?;
        report(format!("\n{}", card::table(&boards, &measured)));
        let figures = measured.values().flatten().map(|measured| measured.figures.stack_bytes);
        figures.max()
    };
    let files = files(&quantized, int8, rust)?;
    write_all(&folder, &files)?;
    report(format!("written to {}:", folder.display()));
    for (name, bytes) in &files {
        report(format!("  {name:<24}{:>9} bytes", bytes.len()));
    }
    if arguments.json {
        let names: Vec<_> = files.iter().map(|(name, _)| folder.join(name)).collect();
        let line = json!({
            "accuracy_float": float,
            "accuracy_int8": int8,
            "flash_bytes": quantized.flash_bytes,
            "ram_bytes": quantized.ram_bytes,
            "stack_bytes": stack,
            "files": names,
        });
        println!("{line}");
    }
    Ok(())
}

/// What the network costs, layer by layer.
fn card(quantized: &Quantized, report: &mut impl FnMut(String)) {
    let (name, run) = (&quantized.header.model, quantized.run.path().display());
    report(format!("{name} from {run}\n"));
    report(format!("{:<12}{:>8}{:>9}{:>12}{:>11}", "layer", "inputs", "outputs", "MACs", "bytes"));
    for layer in &quantized.model.layers {
        let rules = layer.requantize.as_ref().map_or(0, |rules| size_of_val(rules.as_slice()));
        let bytes = layer.weights.len() + 4 * layer.bias.len() + rules;
        let name = if layer.requantize.is_some() { "dense + relu" } else { "dense" };
        let (inputs, outputs, macs) = (layer.inputs, layer.outputs, layer.weights.len());
        report(format!("{name:<12}{inputs:>8}{outputs:>9}{macs:>12}{bytes:>11}"));
    }
    let (flash, ram) = (quantized.flash_bytes, quantized.ram_bytes);
    report(format!("\nflash {flash} bytes of weights, RAM {ram} bytes with the input"));
}

/// What is written, by name; the manifest is the last.
fn files(
    quantized: &Quantized,
    accuracy_int8: f64,
    rust: String,
) -> Result<Vec<(String, Vec<u8>)>> {
    let (identifier, header) = (quantized.identifier(), &quantized.header);
    let sources = c::write(&quantized.model, &identifier)?;
    let mut files = vec![
        (format!("{identifier}.h"), sources.header.into_bytes()),
        (format!("{identifier}.c"), sources.source.into_bytes()),
        (format!("{identifier}.rs"), rust.into_bytes()),
        (format!("{identifier}.safetensors"), quantized.safetensors.clone()),
        (format!("{identifier}.onnx"), quantized.onnx.clone()),
    ];
    let manifest = json!({
        "model": header.model,
        "weights_sha256": quantized.weights_sha256,
        "dataset": header.dataset,
        "dataset_sha256": header.dataset_sha256,
        "settings": header.settings,
        "calibration_samples": CALIBRATION.min(quantized.splits.train.len()),
        "accuracy_float": quantized.accuracy_float,
        "accuracy_int8": accuracy_int8,
        "flash_bytes": quantized.flash_bytes,
        "ram_bytes": quantized.ram_bytes,
        "files": files.iter().map(|(name, bytes)| (name.clone(), sha256(bytes).into()))
            .collect::<serde_json::Map<String, Value>>(),
    });
    let text = serde_json::to_string_pretty(&manifest)? + "\n";
    files.push(("manifest.json".into(), text.into_bytes()));
    Ok(files)
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Writes all files into a folder beside `folder`, then lets it take that place: all or nothing.
fn write_all(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<()> {
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    fs::create_dir_all(parent).with_context(|| format!("making {} failed", parent.display()))?;
    let fresh = tempfile::Builder::new()
        .prefix(".export-")
        .tempdir_in(parent)
        .with_context(|| format!("writing into {} failed", parent.display()))?;
    for (name, bytes) in files {
        let path = fresh.path().join(name);
        fs::write(&path, bytes).with_context(|| format!("writing {} failed", path.display()))?;
    }
    if folder.exists() {
        // Only what an export has written is replaced.
        if !folder.join("manifest.json").exists() {
            bail!("{} is there and holds no export: name another --out-dir", folder.display());
        }
        fs::remove_dir_all(folder)
            .with_context(|| format!("removing {} failed", folder.display()))?;
    }
    let fresh = fresh.keep();
    fs::rename(&fresh, folder).with_context(|| format!("renaming to {} failed", folder.display()))
}
