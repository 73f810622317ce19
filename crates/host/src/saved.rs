//! Runs on disk, as commands see them: [`Saved`] is read from a checkpoint, [`Book`] writes them.

use crate::cli::Dataset;
use crate::data::Cut;
use crate::engine::{Engine, Trainable, View};
use crate::failure::{Failure, fail};
use crate::report::Report;
use motenet::{LayerInfo, Params, Simd};
use motenet_data::Digits;
use motenet_models::Model;
use motenet_train::{
    Checkpoint, EpochMetrics, Header, LayerShape, Position, RunDir, Settings, Summary, Trainer,
    pictures,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Seconds after a checkpoint in which the end of an epoch is no reason for another.
const RESPITE: f64 = 0.1;

/// The data that a run learns from, as its checkpoints name it.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) dataset: String,
    pub(crate) sha256: String,
    /// Samples trained on.
    pub(crate) samples: usize,
    /// Samples held back for validation.
    pub(crate) validation: usize,
}

/// A checkpoint that has been read.
pub(crate) struct Saved {
    path: PathBuf,
    checkpoint: Checkpoint,
}

impl Saved {
    /// Reads the checkpoint of `run`, a folder or a file, or of the latest run in `out_dir`.
    pub(crate) fn open(run: Option<&Path>, out_dir: &Path) -> Result<Self, Failure> {
        let path = match run {
            Some(run) if run.is_dir() => RunDir::open(run)?.checkpoint_path(),
            Some(file) => file.to_path_buf(),
            None => match RunDir::latest(out_dir)? {
                Some(run) => run.checkpoint_path(),
                None => {
                    return fail!(
                        "{}: found no run there, expected a trained model: train one first (`{} train`), or name where runs are with --out-dir",
                        out_dir.display(),
                        crate::train::program()
                    );
                }
            },
        };
        let checkpoint = Checkpoint::read(&path)?;
        Ok(Saved { path, checkpoint })
    }

    fn header(&self) -> &Header {
        &self.checkpoint.header
    }

    /// The name of the model.
    pub(crate) fn model(&self) -> &str {
        &self.header().model
    }

    /// The name of the dataset that it was trained on.
    pub(crate) fn dataset(&self) -> &str {
        &self.header().dataset
    }

    /// The hash of that dataset.
    pub(crate) fn dataset_sha256(&self) -> &str {
        &self.header().dataset_sha256
    }

    /// The flag that asks for that dataset.
    pub(crate) fn dataset_flag(&self) -> Result<Dataset, Failure> {
        match self.dataset() {
            "mnist" => Ok(Dataset::Mnist),
            "made-up" => Ok(Dataset::MadeUp),
            other => fail!(
                "{}: trained on a dataset '{other}', expected mnist or made-up: name one with --dataset",
                self.path.display()
            ),
        }
    }

    /// What decided the bits of the run.
    pub(crate) fn settings(&self) -> Settings {
        self.header().settings
    }

    /// Samples that it was trained on.
    pub(crate) fn samples(&self) -> u64 {
        self.header().train_len
    }

    /// How its dataset was cut.
    pub(crate) fn cut(&self) -> Cut {
        let count = |len: u64| Some(u32::try_from(len).unwrap_or(u32::MAX));
        Cut { validation: count(self.header().validation_len), train: count(self.samples()) }
    }

    /// The checkpoint's file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A trainer that stands where the checkpoint was written.
    pub(crate) fn trainer<M: Model>(
        &self,
        threads: usize,
        simd: Simd,
    ) -> Result<Trainer<M>, Failure> {
        let Checkpoint { header, weights, moments } = &self.checkpoint;
        self.checkpoint.check_model::<M>()?;
        let trainer =
            Trainer::resume(header.settings, header.position, weights, moments, threads, simd);
        trainer.ok_or_else(|| {
            Failure::new(format!(
                "{}: holds {} moments, which its optimizer does not keep: train again",
                self.path.display(),
                moments.len()
            ))
        })
    }

    /// The trainer, and a book that goes on in the run's folder.
    pub(crate) fn resume<M: Model>(
        &self,
        threads: usize,
        simd: Simd,
        source: Source,
        every: f64,
    ) -> Result<(Trainer<M>, Book), Failure> {
        let trainer = self.trainer::<M>(threads, simd)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let run = RunDir::open(folder.unwrap_or(Path::new(".")))?;
        if run.checkpoint_path().file_name() != self.path.file_name() {
            return fail!(
                "{}: is not the checkpoint of a run, expected a run's folder: put it into one as {}",
                self.path.display(),
                run.checkpoint_path().file_name().unwrap_or_default().display()
            );
        }
        run.truncate_metrics(trainer.position().epoch)?;
        run.remove_unfinished();
        Ok((trainer, Book { run: Some(run), source, every, last: Instant::now() }))
    }

    /// SHA-256 of a trainer's weights.
    pub(crate) fn hash<M: Model>(trainer: &Trainer<M>) -> String {
        motenet_train::weights_sha256(trainer.network().flat())
    }
}

/// Where a run is written to, if it is.
pub(crate) struct Book {
    run: Option<RunDir>,
    source: Source,
    /// Seconds between two checkpoints within an epoch.
    every: f64,
    last: Instant,
}

impl Book {
    /// Makes a folder in `out_dir` and writes the first checkpoint; without `out_dir` nothing is kept.
    pub(crate) fn create<M: Model>(
        trainer: &Trainer<M>,
        source: Source,
        out_dir: Option<&Path>,
        every: f64,
    ) -> Result<Self, Failure> {
        let run = out_dir.map(|out_dir| RunDir::create(out_dir, M::NAME)).transpose()?;
        let mut book = Book { run, source, every, last: Instant::now() };
        // From here on a run can be killed at any moment and resumed.
        book.save(trainer)?;
        Ok(book)
    }

    /// The run's folder.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.run.as_ref().map(RunDir::path)
    }

    /// The hash of the data that the run learns from.
    pub(crate) fn dataset_sha256(&self) -> &str {
        &self.source.sha256
    }

    /// Writes a checkpoint.
    pub(crate) fn save<M: Model>(&mut self, trainer: &Trainer<M>) -> Result<(), Failure> {
        let Some(run) = &self.run else { return Ok(()) };
        let moments: Vec<&[f32]> = trainer.moments().collect();
        let header = Header {
            model: M::NAME.into(),
            layers: LayerShape::list::<M>(),
            params: M::Network::COUNT as u64,
            moments: moments.len() as u32,
            dataset: self.source.dataset.clone(),
            dataset_sha256: self.source.sha256.clone(),
            train_len: self.source.samples as u64,
            validation_len: self.source.validation as u64,
            settings: *trainer.settings(),
            position: trainer.position(),
        };
        Checkpoint::write_from(
            &run.checkpoint_path(),
            &header,
            trainer.network().flat(),
            &moments,
        )?;
        self.last = Instant::now();
        Ok(())
    }

    /// To be called after every step, or every few: writes a checkpoint when it is time for one.
    pub(crate) fn after_step<M: Trainable>(&mut self, view: View<'_, M>) -> Result<(), Failure> {
        if self.run.is_some() && self.last.elapsed() >= Duration::from_secs_f64(self.every) {
            self.save(view.trainer()?)?;
        }
        Ok(())
    }

    /// To be called after every epoch: writes its figures, then a checkpoint.
    pub(crate) fn after_epoch<M: Trainable>(
        &mut self,
        engine: &mut Engine<M>,
        train: Summary,
        validation: Option<Summary>,
        seconds: f64,
        samples_per_second: f64,
    ) -> Result<(), Failure> {
        let Some(run) = &self.run else { return Ok(()) };
        let Settings { recipe, .. } = *engine.settings();
        let Position { epoch, .. } = engine.position();
        let steps = train.samples.div_ceil(u64::from(recipe.batch_size.max(1))) as u32;
        let last_step = epoch.saturating_mul(steps).saturating_sub(1);
        let all_steps = recipe.epochs.saturating_mul(steps);
        run.append_metrics(&EpochMetrics {
            epoch,
            seconds,
            samples_per_second,
            learning_rate: recipe
                .schedule
                .learning_rate(recipe.learning_rate, last_step, all_steps)
                .into(),
            train_loss: train.loss,
            train_accuracy: train.accuracy,
            validation_loss: validation.map(|validation| validation.loss),
            validation_accuracy: validation.map(|validation| validation.accuracy),
        })?;
        // Epochs of a millisecond would spend their time waiting for the disk.
        if engine.is_done()
            || self.last.elapsed() >= Duration::from_secs_f64(self.every.min(RESPITE))
        {
            self.save(engine.trainer()?)?;
        }
        Ok(())
    }

    /// The training loss of the last epoch on record.
    pub(crate) fn last_train_loss(&self) -> Option<f64> {
        let metrics = self.run.as_ref()?.read_metrics().ok()?;
        metrics.last().map(|metrics| metrics.train_loss).filter(|loss| loss.is_finite())
    }

    /// Draws the curves of the run.
    pub(crate) fn draw_curves(&self) -> Result<(), Failure> {
        let Some(run) = &self.run else { return Ok(()) };
        let metrics = run.read_metrics()?;
        if !metrics.is_empty() {
            pictures::curves(&metrics, run.path())?;
        }
        Ok(())
    }

    /// Draws the curves, the confusions, the hardest digits, and what the units of the first layer look
    /// for.
    pub(crate) fn draw<M: Model>(
        &self,
        trainer: &Trainer<M>,
        report: &Report,
        test: &Digits,
    ) -> Result<(), Failure> {
        let Some(run) = &self.run else { return Ok(()) };
        self.draw_curves()?;
        pictures::confusion(&report.confusion, run.path())?;
        pictures::hardest_digits(&report.hardest(test), run.path())?;
        let mut first: Option<LayerInfo> = None;
        M::describe(&mut |layer| first = first.or(Some(layer)));
        let Some(layer) = first.filter(|layer| layer.name == "Dense") else { return Ok(()) };
        let weights = trainer.network().flat().get(..layer.input_len * layer.output_len);
        pictures::first_layer(weights.unwrap_or_default(), layer.output_len, run.path())?;
        Ok(())
    }

    /// The files in the folder, in lines of at most `width` characters or one name.
    pub(crate) fn contents(&self, width: usize) -> Vec<String> {
        let entries = self.folder().and_then(|folder| std::fs::read_dir(folder).ok());
        let names = entries.into_iter().flatten().flatten();
        let mut names: Vec<_> =
            names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        let mut lines: Vec<String> = Vec::new();
        for name in names {
            match lines.last_mut() {
                Some(line) if line.len() + 2 + name.len() <= width => *line += &format!("  {name}"),
                _ => lines.push(name),
            }
        }
        lines
    }
}
