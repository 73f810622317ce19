//! What can go wrong: one line each, saying what was found, what was expected, what to do.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error as ThisError;

/// An error of this crate.
///
/// `Display` is one line that needs no context: what was found, what was expected, what to do.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// There is no such file or folder.
    #[error("{path}: found nothing there, expected {expected}: check the name")]
    Missing {
        /// The path.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
    /// A folder, a device, a pipe or a socket stands where a file was expected.
    #[error("{path}: is not a regular file, expected {expected}: name the file itself")]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
    /// The operating system refused: no permission, a full disk, a broken one.
    #[error("{path}: {attempted} failed ({source}): {}", advice(source))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was attempted.
        attempted: &'static str,
        /// What the operating system said.
        source: io::Error,
    },

    /// The first bytes are not those of a checkpoint.
    #[error(
        "{path}: starts with the bytes {found:?}, expected {expected:?}: \
         this is not a checkpoint, name one"
    )]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
        /// Its first bytes.
        found: String,
        /// Those of a checkpoint.
        expected: &'static str,
    },
    /// A checkpoint of another format version.
    #[error(
        "{path}: a checkpoint of format version {found}, expected version {expected}: \
         read it with the motenet that wrote it"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that this crate reads.
        expected: u32,
    },
    /// The file ends too early.
    #[error("{path}: ends after {found} bytes, expected {expected}: copy it again, or train again")]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes found.
        found: u64,
        /// Bytes that its beginning announces; `u64::MAX` stands for more than that.
        expected: u64,
    },
    /// The file goes on after its end.
    #[error("{path}: holds {found} bytes, expected {expected}: copy it again, or train again")]
    Trailing {
        /// The file.
        path: PathBuf,
        /// Bytes found.
        found: u64,
        /// Bytes that its header announces.
        expected: u64,
    },
    /// The header is not what [`crate::Header`] is written as.
    #[error(
        "{path}: found a header that makes no sense ({reason}), expected a checkpoint's: \
         copy it again, or train again"
    )]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A damaged checkpoint.
    #[error(
        "{path}: SHA-256 of the content is {found}, expected {expected}: \
         the file is damaged, copy it again, or train again"
    )]
    Checksum {
        /// The file.
        path: PathBuf,
        /// Hash of the bytes found.
        found: String,
        /// Hash at the end of the file.
        expected: String,
    },
    /// A checkpoint of another model.
    #[error("found a checkpoint of model {found:?}, expected {expected:?}: name the other model")]
    WrongModel {
        /// The model in the checkpoint.
        found: String,
        /// The model asked for.
        expected: &'static str,
    },
    /// A checkpoint of a model of the right name, but with other layers.
    #[error(
        "found a checkpoint of model {model:?} whose layer {number} is {found}, expected {expected}: \
         the model has changed since, train it again"
    )]
    WrongLayer {
        /// The model.
        model: &'static str,
        /// Which layer differs, from 1.
        number: usize,
        /// The layer in the checkpoint.
        found: String,
        /// The layer of the model.
        expected: String,
    },
    /// A checkpoint has fewer moments than asked for.
    #[error("found {found} moments in the checkpoint, expected {expected}: use its own optimizer")]
    NoMoment {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// What a caller wants to write as a checkpoint does not fit together.
    #[error("cannot write a checkpoint: found {found}, expected {expected}: correct the caller")]
    Parts {
        /// What does not fit.
        found: String,
        /// What it should be.
        expected: String,
    },

    /// A model's name that cannot be part of a folder's name.
    #[error("found the model name {name:?}, expected letters, digits, `-` and `_`: rename it")]
    ModelName {
        /// The name.
        name: String,
    },
    /// A line of the metrics is not what this crate writes.
    #[error(
        "{path}: line {line} makes no sense ({reason}), expected the metrics of one epoch: \
         remove the line"
    )]
    Metrics {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },

    /// The data given for a picture cannot be drawn.
    #[error("cannot draw {picture}: found {found}, expected {expected}: correct the caller")]
    Picture {
        /// Which picture.
        picture: &'static str,
        /// What was given.
        found: String,
        /// What can be drawn.
        expected: String,
    },
    /// Drawing or encoding a picture failed.
    #[error("drawing {picture} failed ({reason}), expected no such thing: report it")]
    Drawing {
        /// Which picture.
        picture: &'static str,
        /// What went wrong.
        reason: String,
    },
}

impl Error {
    /// Turns what the operating system said into an error, for `map_err`.
    pub(crate) fn io(path: &Path, attempted: &'static str) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { path: path.to_path_buf(), attempted, source }
    }
}

/// A reason that may quote a hostile file: one line of bounded length.
pub(crate) fn one_line(reason: &dyn std::fmt::Display) -> String {
    reason.to_string().chars().take(200).flat_map(char::escape_debug).collect()
}

/// What to do about an error of the operating system.
fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space",
        io::ErrorKind::PermissionDenied => "give yourself the right to do so",
        io::ErrorKind::NotFound => "check that the folder exists",
        io::ErrorKind::NotADirectory => "name a folder, not a file",
        io::ErrorKind::IsADirectory => "name a file, not a folder",
        io::ErrorKind::ReadOnlyFilesystem => "name a folder that can be written",
        io::ErrorKind::OutOfMemory => "use a machine with more memory",
        _ => "check the disk and try again",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_one_line() {
        let hostile = "a\nb\r\u{1b}[2J".repeat(1000);
        let line = one_line(&hostile);
        assert!(!line.contains(char::is_control) && line.len() < 2000, "{line}");
        let error = Error::io(Path::new("p"), "writing")(io::ErrorKind::StorageFull.into());
        assert_eq!(error.to_string(), "p: writing failed (no storage space): free some space");
    }
}
