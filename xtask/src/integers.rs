//! A trained run's network in integers: what `export` writes and `sim` compares a chip with.

use crate::root;
use anyhow::{Context, Result, bail};
use motenet::{Acts, Pass, Simd, Zero};
use motenet_data::{Digits, Splits, made_up, mnist};
use motenet_export::models::{self, DigitIntegers, NAMES, Visit};
use motenet_export::quantize::{Quantize, quantize};
use motenet_export::{IntegerModel, Integers, onnx, safetensors};
use motenet_models::digits::DigitModel;
use motenet_quant::Footprint;
use motenet_train::{Checkpoint, Header, RunDir, Samples, Trainer, weights_sha256};
use std::path::{Path, PathBuf};

/// Training digits that the activations are calibrated on.
pub(crate) const CALIBRATION: usize = 5_000;

/// A run's network in integers, with everything that is made of it.
pub(crate) struct Quantized {
    pub(crate) run: RunDir,
    pub(crate) header: Header,
    pub(crate) weights_sha256: String,
    pub(crate) splits: Splits,
    /// The share of the test digits that the network of floats reads right.
    pub(crate) accuracy_float: f64,
    pub(crate) engine: Box<dyn Engine>,
    /// The network as lists.
    pub(crate) model: IntegerModel,
    pub(crate) flash_bytes: usize,
    pub(crate) ram_bytes: usize,
    pub(crate) safetensors: Vec<u8>,
    pub(crate) onnx: Vec<u8>,
}

/// The host's integer engine, whatever the network's type.
pub(crate) trait Engine {
    fn logits(&mut self, image: &[u8; 784]) -> [i32; 10];
}

struct Typed<Q: DigitIntegers> {
    network: Box<Q>,
    acts: Box<Q::Acts<1>>,
}

impl<Q: DigitIntegers> Engine for Typed<Q> {
    fn logits(&mut self, image: &[u8; 784]) -> [i32; 10] {
        self.network.forward(Pass::infer(Simd::detect()), &[*image], &mut self.acts);
        self.acts.output().first().copied().unwrap_or_default()
    }
}

impl Quantized {
    /// The model's name as an identifier and the head of its files' names.
    pub(crate) fn identifier(&self) -> String {
        self.header.model.replace('-', "_")
    }

    /// The share of the test digits that the integers read right.
    pub(crate) fn accuracy(&mut self) -> f64 {
        let test = &self.splits.test;
        let right = test.images.iter().zip(&test.labels).filter(|(image, label)| {
            motenet_quant::argmax(&self.engine.logits(image)) == usize::from(**label)
        });
        right.count() as f64 / test.len().max(1) as f64
    }
}

/// The run in `folder`, or the latest of `runs`.
pub(crate) fn open(folder: Option<&Path>) -> Result<RunDir> {
    match folder {
        Some(folder) => Ok(RunDir::open(folder)?),
        None => RunDir::latest(&root().join("runs"))?
            .context("found no run in `runs`, expected a trained network: `cargo run -p host`"),
    }
}

/// Quantizes a run's network. `data_dir` is where the files of MNIST are, if not where they are looked for.
pub(crate) fn quantized(run: RunDir, data_dir: Option<PathBuf>) -> Result<Quantized> {
    let checkpoint = Checkpoint::read(&run.checkpoint_path())?;
    let name = checkpoint.header.model.clone();
    if !NAMES.contains(&name.as_str()) {
        bail!("`{name}` cannot be quantized, expected one of {}", NAMES.join(", "));
    }
    let splits = load(&checkpoint.header, data_dir)?;
    models::find(&name, Job { run, checkpoint, splits })
        .with_context(|| format!("`{name}` cannot be quantized"))?
}

/// The dataset that a run was trained on.
pub(crate) fn load(header: &Header, data_dir: Option<PathBuf>) -> Result<Splits> {
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

struct Job {
    run: RunDir,
    checkpoint: Checkpoint,
    splits: Splits,
}

impl Visit for Job {
    type Result = Result<Quantized>;

    fn visit<M: DigitModel>(self) -> Result<Quantized>
    where
        M::Network: Quantize<Quantized: DigitIntegers>,
    {
        type Integer<M> = <<M as motenet_models::Model>::Network as Quantize>::Quantized;
        self.checkpoint.check_model::<M>()?;
        let Checkpoint { header, weights, moments } = self.checkpoint;
        let simd = Simd::detect();
        let trainer =
            Trainer::<M>::resume(header.settings, header.position, &weights, &moments, 1, simd);
        let mut trainer = trainer.context("the checkpoint's parts do not fit its optimizer")?;
        let accuracy_float = trainer.evaluate(&self.splits.test, |_, _, _, _| {}).accuracy;
        let samples = calibration(&self.splits.train);
        let integers = quantize(trainer.network(), 1.0 / 255.0, &samples)?;
        let identifier = M::NAME.replace('-', "_");
        Ok(Quantized {
            model: integers.network.integers(integers.softmax),
            flash_bytes: Integer::<M>::FLASH_BYTES,
            ram_bytes: Integer::<M>::RAM_BYTES,
            engine: Box::new(Typed { network: integers.network, acts: Zero::boxed() }),
            accuracy_float,
            safetensors: safetensors::write(trainer.network())?,
            onnx: onnx::write(trainer.network(), &identifier)?,
            weights_sha256: weights_sha256(&weights),
            run: self.run,
            header,
            splits: self.splits,
        })
    }
}

/// The first training digits as the network reads them.
pub(crate) fn calibration(train: &Digits) -> Vec<[f32; 784]> {
    let mut samples = vec![[0.0; 784]; CALIBRATION.min(train.len())];
    for (index, x) in samples.iter_mut().enumerate() {
        train.load(Simd::detect(), index, x);
    }
    samples
}
