//! Getting digits: MNIST from a folder, from the cache or downloaded; made-up ones where it cannot be had.

use crate::cli::{DataArgs, Dataset};
use crate::console::Console;
use crate::failure::{Failure, fail};
use motenet_data::mnist::{self, Options, Progress};
use motenet_data::{Error, Splits, made_up};

/// More made-up digits than this are not drawn for a split.
const MADE_UP_MOST: u32 = 60_000;

/// How the training digits are cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Digits held back for validation.
    pub(crate) validation: Option<u32>,
    /// Digits trained on.
    pub(crate) train: Option<u32>,
}

/// Loads the dataset that was asked for.
pub(crate) fn load(args: &DataArgs, cut: Cut, console: &Console) -> Result<Splits, Failure> {
    let splits = match args.dataset.unwrap_or(Dataset::Auto) {
        Dataset::Mnist => mnist(args, cut, console)?,
        Dataset::MadeUp => made_up(cut)?,
        Dataset::Auto => match mnist(args, cut, console) {
            Ok(splits) => splits,
            Err(error) if is_absence(&error) => {
                console.line(console.bold(format_args!(
                    "MNIST cannot be had, so this trains on made-up digits instead ({error})"
                )));
                console.line("");
                made_up(cut)?
            }
            Err(error) => return Err(error.into()),
        },
    };
    shorten(splits, cut)
}

/// Whether MNIST is simply not there, rather than there and wrong.
fn is_absence(error: &Error) -> bool {
    use Error::{Busy, Download, NoCacheFolder, NotDownloaded, Write};
    matches!(
        error,
        Download { .. } | NotDownloaded { .. } | NoCacheFolder | Write { .. } | Busy { .. }
    )
}

fn mnist(args: &DataArgs, cut: Cut, console: &Console) -> Result<Splits, Error> {
    let defaults = Options::from_env();
    let options = Options {
        data_dir: args.data_dir.clone(),
        validation: cut.validation.map_or(defaults.validation, |count| count as usize),
        ..defaults
    };
    let (mut tenth, mut last_url) = (0, String::new());
    mnist::load(&options, &mut |progress| match progress {
        Progress::Waiting { folder } => {
            console.line(format_args!("waiting for another download into {} …", folder.display()));
        }
        Progress::Connecting { url, .. } => {
            tenth = 0;
            // Another try at the same address is not worth another line.
            if last_url != url {
                console.line(console.dim(format_args!("downloading {url} …")));
                last_url = url.into();
            }
        }
        Progress::Received { bytes, total: Some(total), .. } if total > 1_000_000 => {
            let now = bytes * 10 / total;
            if now > tenth {
                tenth = now;
                console.line(console.dim(format_args!(
                    "  {} of {} kB",
                    bytes / 1000,
                    total / 1000
                )));
            }
        }
        Progress::Failed { reason, .. } => {
            console.line(console.dim(format_args!("  failed: {reason}")))
        }
        _ => {}
    })
}

fn made_up(cut: Cut) -> Result<Splits, Failure> {
    let (train, validation, test) = made_up::SIZES;
    let validation = cut.validation.unwrap_or(validation as u32);
    if validation > MADE_UP_MOST {
        return fail!(
            "{validation} validation digits asked for, expected at most {MADE_UP_MOST}: ask for fewer"
        );
    }
    Ok(made_up::splits(made_up::SEED, train, validation as usize, test))
}

fn shorten(splits: Splits, cut: Cut) -> Result<Splits, Failure> {
    let Some(count) = cut.train else { return Ok(splits) };
    let (count, available) = (count as usize, splits.train.len());
    if count > available {
        return fail!("{count} training digits asked for, found {available}: lower --train-size");
    }
    Ok(splits.keep_train(count))
}
