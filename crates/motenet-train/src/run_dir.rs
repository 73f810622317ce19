//! The folder of a run: `runs/0001-mlp`, with its checkpoint and its metrics.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};

use crate::Error;
use crate::atomic::{remove_unfinished, replace, size_of_file};
use crate::error::one_line;

const CHECKPOINT: &str = "checkpoint.motenet";
const METRICS: &str = "metrics.jsonl";
/// No line of the metrics is longer, so that a file of one line takes no more memory than any other.
const LINE_MAX: u64 = 4096;

/// The folder of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

/// What is known of one epoch once it is complete.
///
/// A loss that is not finite is written as `null` and read back as NaN.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// Which epoch, from 1: as many were complete after it.
    pub epoch: u32,
    /// How long it took.
    #[serde(deserialize_with = "number")]
    pub seconds: f64,
    /// Training samples a second, validation left out.
    #[serde(deserialize_with = "number")]
    pub samples_per_second: f64,
    /// The learning rate of its last step.
    #[serde(deserialize_with = "number")]
    pub learning_rate: f64,
    /// The mean loss of the training samples, each as the model was when it met it.
    #[serde(deserialize_with = "number")]
    pub train_loss: f64,
    /// The share of the training samples that were right then, 0 to 1.
    #[serde(deserialize_with = "number")]
    pub train_accuracy: f64,
    /// The mean loss of the validation samples after the epoch, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_number")]
    pub validation_loss: Option<f64>,
    /// The share of them that were right, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_number")]
    pub validation_accuracy: Option<f64>,
}

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

fn some_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    number(from).map(Some)
}

impl RunDir {
    /// Makes the next run folder in `out`: `out/0001-mlp`, `out/0002-mlp`, ….
    ///
    /// `out` is made if it is not there. No two runs get the same number, not even when they start at
    /// the same moment.
    ///
    /// # Errors
    /// [`Error::ModelName`] if `model` cannot be part of a folder's name, [`Error::Io`].
    pub fn create(out: &Path, model: &str) -> Result<RunDir, Error> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if model.is_empty() || model.len() > 100 || !model.chars().all(allowed) {
            return Err(Error::ModelName { name: one_line(&model) });
        }
        fs::create_dir_all(out).map_err(Error::io(out, "making the folder"))?;
        let used = numbers(out)?.iter().map(|&(number, _)| number).max();
        RunDir::claim(out, model, used.unwrap_or(0) + 1)
    }

    /// Makes the folder of the first free number from `number` on, which another process may have
    /// taken since we looked.
    fn claim(out: &Path, model: &str, mut number: u32) -> Result<RunDir, Error> {
        loop {
            // A folder with the bare number is the lock on it: only one process can make it. It makes
            // way for the full name, so whoever makes it after that must look for such a name.
            let lock = out.join(format!("{number:04}"));
            match fs::create_dir(&lock) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    number += 1;
                    continue;
                }
                Err(error) => return Err(Error::io(&lock, "making the folder")(error)),
            }
            let taken = numbers(out)?.iter().any(|(other, path)| *other == number && *path != lock);
            if taken {
                fs::remove_dir(&lock).map_err(Error::io(&lock, "removing the folder"))?;
                number += 1;
                continue;
            }
            let path = out.join(format!("{number:04}-{model}"));
            fs::rename(&lock, &path).map_err(Error::io(&path, "making the folder"))?;
            return Ok(RunDir { path });
        }
    }

    /// A run folder that is there already.
    ///
    /// # Errors
    /// [`Error::Missing`] if there is nothing, [`Error::Io`] if it is no folder.
    pub fn open(path: &Path) -> Result<RunDir, Error> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Ok(RunDir { path: path.to_path_buf() }),
            Ok(_) => Err(Error::io(path, "opening the run")(io::ErrorKind::NotADirectory.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Error::Missing { path: path.to_path_buf(), expected: "a run's folder" })
            }
            Err(error) => Err(Error::io(path, "opening the run")(error)),
        }
    }

    /// Removes what a killed process left half-written. Only for the one process that writes here.
    pub fn remove_unfinished(&self) {
        remove_unfinished(&self.path);
    }

    /// The run in `out` with the highest number that holds a checkpoint; `None` if none does.
    ///
    /// # Errors
    /// [`Error::Io`] if `out` cannot be read; that there is no `out` is no error.
    pub fn latest(out: &Path) -> Result<Option<RunDir>, Error> {
        let mut runs = match numbers(out) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Vec::new(),
            result => result?,
        };
        runs.sort();
        let latest = runs.into_iter().rev().map(|(_, path)| RunDir { path });
        Ok(latest.into_iter().find(|run| run.checkpoint_path().is_file()))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the run's checkpoint is, or will be.
    pub fn checkpoint_path(&self) -> PathBuf {
        self.path.join(CHECKPOINT)
    }

    /// Where the run's metrics are, or will be: one JSON object a line.
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join(METRICS)
    }

    /// Adds a line to the metrics.
    ///
    /// To resume without a gap, do this before the checkpoint of the same epoch is written.
    ///
    /// # Errors
    /// [`Error::Io`]; the file is then as it was.
    pub fn append_metrics(&self, metrics: &EpochMetrics) -> Result<(), Error> {
        let path = self.metrics_path();
        let append = || {
            let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
            let len = file.metadata()?.len();
            file.write_all(&line(metrics)?).inspect_err(|_| {
                let _ = file.set_len(len); // the first error is the one to report
            })
        };
        append().map_err(Error::io(&path, "writing"))
    }

    /// The metrics of all epochs so far; none if there is no file.
    ///
    /// A last line that a kill cut off is left out.
    ///
    /// # Errors
    /// [`Error::Metrics`] for any other line that is not one of ours, [`Error::NotAFile`],
    /// [`Error::Io`].
    ///
    /// # Memory
    /// At most three times the size of the file, plus a constant.
    pub fn read_metrics(&self) -> Result<Vec<EpochMetrics>, Error> {
        let path = self.metrics_path();
        match size_of_file(&path, "the metrics of a run") {
            Err(Error::Missing { .. }) => return Ok(Vec::new()),
            result => result?,
        };
        let mut file = BufReader::new(File::open(&path).map_err(Error::io(&path, "reading"))?);
        let (mut all, mut text) = (Vec::new(), Vec::new());
        for number in 1.. {
            text.clear();
            let mut line = file.by_ref().take(LINE_MAX);
            line.read_until(b'\n', &mut text).map_err(Error::io(&path, "reading"))?;
            let refuse = |reason| Error::Metrics { path: path.clone(), line: number, reason };
            if text.last() != Some(&b'\n') {
                if text.len() as u64 == LINE_MAX {
                    return Err(refuse(format!("over {LINE_MAX} bytes")));
                }
                break;
            }
            all.push(serde_json::from_slice(&text).map_err(|error| refuse(one_line(&error)))?);
        }
        Ok(all)
    }

    /// Keeps the lines of the first `completed_epochs` epochs only, so that a resumed run, which
    /// starts after them, repeats none.
    ///
    /// # Errors
    /// Those of [`read_metrics`](RunDir::read_metrics); the file is then as it was.
    pub fn truncate_metrics(&self, completed_epochs: u32) -> Result<(), Error> {
        let path = self.metrics_path();
        let mut all = self.read_metrics()?;
        if !path.exists() {
            return Ok(());
        }
        all.retain(|metrics| metrics.epoch <= completed_epochs);
        replace(&path, |file| all.iter().try_for_each(|metrics| file.write_all(&line(metrics)?)))
    }
}

fn line(metrics: &EpochMetrics) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(metrics)?;
    line.push(b'\n');
    Ok(line)
}

/// The folders in `out` that are called by a number, or by a number, `-` and a name.
fn numbers(out: &Path) -> Result<Vec<(u32, PathBuf)>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(out).map_err(Error::io(out, "listing the folder"))? {
        let entry = entry.map_err(Error::io(out, "listing the folder"))?;
        let name = entry.file_name();
        let digits = name.to_str().and_then(|name| name.split('-').next()).unwrap_or("");
        // Nine digits at most, so that the number after this one is a number too.
        if (4..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
            found.extend(digits.parse().ok().map(|number| (number, entry.path())));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
