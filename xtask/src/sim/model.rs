//! Which model is simulated, and the host's own copy of it.

use super::twin::Twin;
use crate::boards::firmware;
use crate::integers::{self, Engine};
use crate::root;
use anyhow::{Context, Result, bail};
use motenet_data::{Digits, Splits, made_up, mnist};
use motenet_quant::Softmax;
use motenet_train::RunDir;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A model to run on a chip and on the host.
pub(crate) struct Model {
    /// The Rust file that the firmware is built around.
    pub(crate) file: PathBuf,
    /// Where it comes from, for people.
    pub(crate) origin: String,
    /// The host's network.
    pub(crate) engine: Box<dyn Engine>,
    /// From logits to how sure they are.
    pub(crate) softmax: Softmax,
    /// The test digits.
    pub(crate) test: Digits,
    /// The dataset that they are from.
    pub(crate) dataset: String,
}

/// The file of the model that the arguments name: a run's, or a file, or else the latest run's, or else the firmware's own;
/// and a line to say if it was the last.
pub(crate) fn file(run: Option<&Path>, file: Option<&Path>) -> Result<(PathBuf, Option<String>)> {
    if let Some(file) = file {
        return Ok((file.into(), None));
    }
    if run.is_none() && RunDir::latest(&root().join("runs"))?.is_none() {
        return Ok((own()?, Some(NO_RUN.into())));
    }
    Ok((Export::of(&integers::open(run)?)?.file, None))
}

const NO_RUN: &str = "found no run in `runs`, so this is the firmware's own small model \
    (`cargo run -p host` trains one, `cargo xtask export` exports it)";

/// The model that comes with the firmware.
fn own() -> Result<PathBuf> {
    let folder = firmware().join("model");
    let files = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let files = files.filter(|path| path.extension().is_some_and(|rs| rs == "rs"));
    files.min().with_context(|| format!("found no model in {}, expected one", folder.display()))
}

/// What `cargo xtask export` has written of a run.
struct Export {
    /// The Rust file.
    file: PathBuf,
    /// SHA-256 of the weights that it was made of.
    weights_sha256: String,
    /// The line that writes it anew.
    how: String,
}

impl Export {
    fn of(run: &RunDir) -> Result<Self> {
        let (short, folder) = (short(run.path()), run.path().join("export"));
        let how = format!("`cargo xtask export {short}`");
        if !run.checkpoint_path().exists() {
            bail!("{short} holds no checkpoint, expected the folder of a run: `cargo run -p host`");
        }
        let Ok(manifest) = fs::read_to_string(folder.join("manifest.json")) else {
            bail!("{short} is not exported yet: {how}");
        };
        let manifest: Value = serde_json::from_str(&manifest).unwrap_or_default();
        let text = |key: &str| manifest[key].as_str().map(str::to_owned);
        let (Some(model), Some(weights_sha256)) = (text("model"), text("weights_sha256")) else {
            bail!("{short}/export/manifest.json is damaged: {how}");
        };
        let file = folder.join(format!("{}.rs", model.replace('-', "_")));
        if !file.is_file() {
            bail!("{} is gone: {how}", file.display());
        }
        Ok(Export { file, weights_sha256, how })
    }
}

/// A path as people type it.
fn short(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// MNIST if it is here, without a download; else made-up digits, `train` of them to train on and `validation` to choose by.
///
/// # Errors
/// MNIST was said to be somewhere and is not.
pub(super) fn digits(data_dir: Option<PathBuf>, train: usize, validation: usize) -> Result<Splits> {
    let options = mnist::Options { data_dir, download: false, ..mnist::Options::from_env() };
    let named = options.data_dir.is_some() || options.mnist_dir.is_some();
    match mnist::load(&options, &mut |_| {}) {
        Err(error) if named => Err(error.into()),
        Err(_) => {
            let (_, _, test) = made_up::SIZES;
            Ok(made_up::splits(made_up::SEED, train, validation, test))
        }
        Ok(splits) => Ok(splits),
    }
}

impl Model {
    /// The one that the arguments name, as [`file`](fn@file) chooses it.
    pub(crate) fn choose(
        run: Option<&Path>,
        file: Option<&Path>,
        data_dir: Option<PathBuf>,
    ) -> Result<(Self, Option<String>)> {
        if let Some(file) = file {
            return Ok((Self::of_file(file, data_dir)?, None));
        }
        if run.is_none() && RunDir::latest(&root().join("runs"))?.is_none() {
            return Ok((Self::of_file(&own()?, data_dir)?, Some(NO_RUN.into())));
        }
        Ok((Self::of_run(integers::open(run)?, data_dir)?, None))
    }

    /// A run's, quantized anew from its checkpoint.
    fn of_run(run: RunDir, data_dir: Option<PathBuf>) -> Result<Self> {
        let origin = short(run.path());
        let export = Export::of(&run)?;
        let quantized = integers::quantized(run, data_dir)?;
        if export.weights_sha256 != quantized.weights_sha256 {
            bail!("{origin}/export is of other weights than its checkpoint: {}", export.how);
        }
        Ok(Self {
            file: export.file,
            origin,
            engine: quantized.engine,
            softmax: quantized.model.softmax,
            test: quantized.splits.test,
            dataset: quantized.header.dataset,
        })
    }

    /// A file's, compiled for the host.
    fn of_file(file: &Path, data_dir: Option<PathBuf>) -> Result<Self> {
        let twin = Twin::start(file)?;
        let splits = digits(data_dir, 1, 0)?;
        Ok(Self {
            file: file.into(),
            origin: short(file),
            softmax: twin.softmax,
            engine: Box::new(twin),
            test: splits.test,
            dataset: splits.name,
        })
    }
}
