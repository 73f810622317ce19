//! `cargo xtask export`: a trained network as integers, in the languages that others speak.

use crate::root;
use anyhow::{Context, Result, bail};
use clap::Args;
use motenet::{Acts, Pass, Simd, Zero};
use motenet_data::{Digits, Splits, made_up, mnist};
use motenet_export::models::{self, NAMES, Visit};
use motenet_export::quantize::{Quantize, quantize};
use motenet_export::{Integers, c, onnx, rust, safetensors};
use motenet_models::digits::DigitModel;
use motenet_quant::Footprint;
use motenet_train::{Checkpoint, RunDir, Samples, Trainer, weights_sha256};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Training digits that the activations are calibrated on.
const CALIBRATION: usize = 5_000;

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
    /// Prints one JSON object as the last line.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let run = match &arguments.run {
        Some(run) => RunDir::open(run)?,
        None => RunDir::latest(&root().join("runs"))?
            .context("found no run in `runs`, expected a trained network: `cargo run -p host`")?,
    };
    let checkpoint = Checkpoint::read(&run.checkpoint_path())?;
    let name = checkpoint.header.model.clone();
    let splits = load(&checkpoint, arguments.data_dir.clone())?;
    let export = Export { arguments, run, checkpoint, splits };
    models::find(&name, export).with_context(|| {
        format!("`{name}` cannot be quantized, expected one of {}", NAMES.join(", "))
    })?
}

/// The dataset that a run was trained on.
fn load(checkpoint: &Checkpoint, data_dir: Option<PathBuf>) -> Result<Splits> {
    let header = &checkpoint.header;
    let validation = usize::try_from(header.validation_len)?;
    let splits = match header.dataset.as_str() {
        "made-up" => {
            let (train, _, test) = made_up::SIZES;
            made_up::splits(made_up::SEED, train, validation, test)
        }
        "mnist" => {
            let options = mnist::Options { data_dir, validation, ..mnist::Options::from_env() };
            mnist::load(&options, &mut |_| {})?
        }
        other => bail!("trained on `{other}`, expected mnist or made-up: export a run on digits"),
    };
    let splits = splits.keep_train(usize::try_from(header.train_len)?);
    if splits.sha256 != header.dataset_sha256 {
        bail!(
            "the data is not what the run was trained on (SHA-256 {}, expected {}): give its --data-dir",
            splits.sha256,
            header.dataset_sha256
        );
    }
    Ok(splits)
}

struct Export<'a> {
    arguments: &'a Arguments,
    run: RunDir,
    checkpoint: Checkpoint,
    splits: Splits,
}

impl Visit for Export<'_> {
    type Result = Result<()>;

    fn visit<M: DigitModel>(self) -> Result<()>
    where
        M::Network: Quantize<Quantized: models::DigitIntegers>,
    {
        let Checkpoint { header, weights, moments } = &self.checkpoint;
        self.checkpoint.check_model::<M>()?;
        let simd = Simd::detect();
        let trainer =
            Trainer::<M>::resume(header.settings, header.position, weights, moments, 1, simd);
        let mut trainer = trainer.context("the checkpoint's parts do not fit its optimizer")?;
        let float = trainer.evaluate(&self.splits.test, |_, _, _, _| {}).accuracy;

        let integers = quantize(trainer.network(), 1.0 / 255.0, &calibration(&self.splits.train))?;
        let int8 = accuracy(&*integers, &self.splits.test);
        let lost = 100.0 * (float - int8);
        type Quantized<M> = <<M as motenet_models::Model>::Network as Quantize>::Quantized;
        let (flash, ram) = (Quantized::<M>::FLASH_BYTES, Quantized::<M>::RAM_BYTES);
        let report = &mut |line: String| match self.arguments.json {
            true => eprintln!("{line}"),
            false => println!("{line}"),
        };
        report(format!("{} from {}", M::NAME, self.run.path().display()));
        report(String::new());
        report(format!(
            "{:<12}{:>8}{:>9}{:>12}{:>11}",
            "layer", "inputs", "outputs", "MACs", "bytes"
        ));
        let model = integers.integers();
        for layer in &model.layers {
            let rules = layer.requantize.as_ref().map_or(0, |rules| size_of_val(rules.as_slice()));
            let bytes = layer.weights.len() + 4 * layer.bias.len() + rules;
            let name = if layer.requantize.is_some() { "dense + relu" } else { "dense" };
            report(format!(
                "{name:<12}{:>8}{:>9}{:>12}{bytes:>11}",
                layer.inputs,
                layer.outputs,
                layer.weights.len()
            ));
        }
        report(String::new());
        report(format!(
            "accuracy on {} test digits: float {:.2} %, int8 {:.2} % ({lost:+.2} points lost)",
            self.splits.test.len(),
            100.0 * float,
            100.0 * int8,
        ));
        report(format!("flash {flash} bytes of weights, RAM {ram} bytes with the input"));
        if lost > LOSS_MAX && !self.arguments.force {
            bail!(
                "int8 loses {lost:.2} points of accuracy, expected at most {LOSS_MAX}: nothing was written (--force writes it)"
            );
        }

        let identifier = M::NAME.replace('-', "_");
        let sources = c::write(&model, &identifier)?;
        let mut files = vec![
            (format!("{identifier}.h"), sources.header.into_bytes()),
            (format!("{identifier}.c"), sources.source.into_bytes()),
            (format!("{identifier}.rs"), rust::write(&model, &identifier)?.into_bytes()),
            (format!("{identifier}.safetensors"), safetensors::write(trainer.network())?),
            (format!("{identifier}.onnx"), onnx::write(trainer.network(), &identifier)?),
        ];
        let manifest = json!({
            "model": M::NAME,
            "weights_sha256": weights_sha256(weights),
            "dataset": header.dataset,
            "dataset_sha256": header.dataset_sha256,
            "settings": header.settings,
            "calibration_samples": CALIBRATION.min(self.splits.train.len()),
            "accuracy_float": float,
            "accuracy_int8": int8,
            "flash_bytes": flash,
            "ram_bytes": ram,
            "files": files.iter().map(|(name, bytes)| (name.clone(), sha256(bytes).into()))
                .collect::<serde_json::Map<String, Value>>(),
        });
        let text = serde_json::to_string_pretty(&manifest)? + "\n";
        files.push(("manifest.json".into(), text.into_bytes()));
        let folder = match &self.arguments.out_dir {
            Some(folder) => folder.clone(),
            None => self.run.path().join("export"),
        };
        write_all(&folder, &files)?;
        report(format!("written to {}:", folder.display()));
        for (name, bytes) in &files {
            report(format!("  {name:<24}{:>9} bytes", bytes.len()));
        }
        if self.arguments.json {
            let names: Vec<_> = files.iter().map(|(name, _)| folder.join(name)).collect();
            let line = json!({
                "accuracy_float": float,
                "accuracy_int8": int8,
                "flash_bytes": flash,
                "ram_bytes": ram,
                "files": names,
            });
            println!("{line}");
        }
        Ok(())
    }
}

/// The first training digits as the network reads them.
fn calibration(train: &Digits) -> Vec<[f32; 784]> {
    let mut samples = vec![[0.0; 784]; CALIBRATION.min(train.len())];
    for (index, x) in samples.iter_mut().enumerate() {
        train.load(Simd::detect(), index, x);
    }
    samples
}

/// The share of `digits` that the integer network reads right.
fn accuracy<Q: models::DigitIntegers>(network: &Q, digits: &Digits) -> f64 {
    let mut acts: Box<Q::Acts<1>> = Zero::boxed();
    let right = digits.images.iter().zip(&digits.labels).filter(|(image, label)| {
        network.forward(Pass::infer(Simd::baseline()), &[**image], &mut acts);
        acts.output().first().map(|logits| motenet_quant::argmax(logits))
            == Some(usize::from(**label))
    });
    right.count() as f64 / digits.len().max(1) as f64
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
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
