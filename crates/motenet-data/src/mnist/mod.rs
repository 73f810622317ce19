//! The MNIST database of handwritten digits: 60,000 to train on, 10,000 to test (LeCun, Cortes,
//! Burges, 1998).
//!
//! [`load`] looks for the four files in this order and takes the first that applies:
//!
//! 1. [`Options::data_dir`], a folder named by hand;
//! 2. [`Options::mnist_dir`], the value of the environment variable `MNIST_DIR`;
//! 3. [`Options::cache_dir`], the user's cache folder; what is missing there is downloaded.
//!
//! A folder named by hand (1, 2) must be complete: nothing is ever downloaded into it, and its
//! lack is an error, not a reason to look further. Each file may be raw or gzip, with or without
//! `.gz`, and spelled `train-images-idx3-ubyte` or `train-images.idx3-ubyte`.
//!
//! Every load compares the SHA-256 of the decompressed content with the pinned one, so other data
//! under the same names (Fashion-MNIST, say) is refused.
//!
//! The parts: this file finds and loads, `pinned.rs` knows names and hashes, `download.rs` fetches
//! what is missing, `transfer.rs` one file from one mirror.

mod download;
mod options;
mod pinned;
mod transfer;

use std::path::{Path, PathBuf};

pub use download::Progress;
pub use options::{MIRRORS, Options};
#[doc(hidden)]
pub use pinned::Pinned;

use crate::{Digits, Error, Splits, idx};
use pinned::File;

/// Loads MNIST, downloading it if need be.
///
/// The validation set is the last [`Options::validation`] digits of the training files; the test
/// set is the test files, whole.
///
/// # Errors
/// [`Error::Incomplete`] for a named folder without the files; the errors of [`idx`] and
/// [`Error::Checksum`] for bad files; [`Error::Download`], [`Error::Write`], [`Error::Busy`],
/// [`Error::NotDownloaded`], [`Error::NoCacheFolder`] on the way to the cache folder;
/// [`Error::Validation`]. Never panics.
///
/// # Memory
/// The digits themselves, 55 MB, and up to 43 MB more while the validation set is split off.
///
/// ```no_run
/// use motenet_data::mnist::{Options, load};
/// let splits = load(&Options::from_env(), &mut |progress| eprintln!("{progress:?}")).unwrap();
/// assert_eq!((splits.train.len(), splits.validation.len(), splits.test.len()), (55_000, 5_000, 10_000));
/// ```
pub fn load(options: &Options, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Splits, Error> {
    let available = options.pinned[File::TrainLabels as usize].count;
    if options.validation >= available {
        return Err(Error::Validation { validation: options.validation, available });
    }
    let (paths, folder) = locate(options, progress)?;
    let path = |file: File| &paths[file as usize];
    let pinned = |file: File| &options.pinned[file as usize];
    let digits = |images: File, labels: File| -> Result<Digits, Error> {
        // Labels first: they are small, and show at once that a folder holds something else.
        let read_labels = checked_labels(path(labels), pinned(labels))?;
        let read_images = checked_images(path(images), pinned(images))?;
        idx::pair(read_images, path(images), read_labels, path(labels))
    };
    let mut train = digits(File::TrainImages, File::TrainLabels)?;
    let test = digits(File::TestImages, File::TestLabels)?;
    let validation = train.split_off_last(options.validation);
    let origin = folder.display().to_string();
    Ok(Splits::new("mnist", origin, train, validation, test))
}

/// Finds the four files, in the order of [`File::ALL`], and says in which folder.
fn locate(
    options: &Options,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<([PathBuf; 4], PathBuf), Error> {
    let by_hand = [(&options.data_dir, "data_dir"), (&options.mnist_dir, "MNIST_DIR")];
    for (folder, named_by) in by_hand {
        if let Some(folder) = folder {
            return match complete(folder) {
                Ok(paths) => Ok((paths, folder.clone())),
                Err(missing) => Err(Error::Incomplete {
                    folder: folder.clone(),
                    named_by,
                    missing: names(&missing),
                }),
            };
        }
    }
    let folder = options.cache_dir.as_ref().ok_or(Error::NoCacheFolder)?;
    let missing = match complete(folder) {
        Ok(paths) => return Ok((paths, folder.clone())),
        Err(missing) => missing,
    };
    if !options.download {
        return Err(Error::NotDownloaded { folder: folder.clone(), missing: names(&missing) });
    }
    download::fetch(&missing, folder, options, progress)?;
    match complete(folder) {
        Ok(paths) => Ok((paths, folder.clone())),
        // Somebody removed what was just put there.
        Err(missing) => {
            Err(Error::NotDownloaded { folder: folder.clone(), missing: names(&missing) })
        }
    }
}

/// The paths of the four files in `folder`, or the files that are not there.
fn complete(folder: &Path) -> Result<[PathBuf; 4], Vec<File>> {
    let found = File::ALL.map(|file| file.find(folder));
    let missing = File::ALL.into_iter().zip(&found);
    let missing: Vec<_> =
        missing.filter(|(_, path)| path.is_none()).map(|(file, _)| file).collect();
    if missing.is_empty() { Ok(found.map(Option::unwrap_or_default)) } else { Err(missing) }
}

fn names(files: &[File]) -> String {
    let names: Vec<_> = files.iter().map(|file| file.name()).collect();
    names.join(", ")
}

fn checked_images(path: &Path, pinned: &Pinned) -> Result<Vec<crate::Image>, Error> {
    let read = idx::read_images(path, pinned.count)?;
    check(path, read.sha256(), pinned)?;
    Ok(read.items)
}

fn checked_labels(path: &Path, pinned: &Pinned) -> Result<Vec<u8>, Error> {
    let read = idx::read_labels(path, pinned.count)?;
    check(path, read.sha256(), pinned)?;
    Ok(read.items.into_flattened())
}

fn check(path: &Path, found: String, pinned: &Pinned) -> Result<(), Error> {
    if found == pinned.sha256 {
        return Ok(());
    }
    Err(Error::Checksum { path: path.into(), found, expected: pinned.sha256.clone() })
}
