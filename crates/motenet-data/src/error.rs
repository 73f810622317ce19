//! What can go wrong: one line each, saying what was found, what was expected, what to do.

use std::io;
use std::path::PathBuf;

use thiserror::Error as ThisError;

/// An error of this crate.
///
/// `Display` is one line that needs no context: what was found, what was expected, what to do.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// Images and labels of different counts were given to [`crate::Digits::new`].
    #[error("{images} images but {labels} labels: give as many of one as of the other")]
    Lengths {
        /// Number of images.
        images: usize,
        /// Number of labels.
        labels: usize,
    },
    /// A label over 9 was given to [`crate::Digits::new`].
    #[error("label number {index} is {found}, expected 0 to 9: correct the label")]
    NotADigit {
        /// Position of the label, from 0.
        index: usize,
        /// Its value.
        found: u8,
    },

    /// There is no such file.
    #[error("{path}: there is no such file: check the name of the file")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A folder stands where a file was expected.
    #[error("{path}: is a folder, expected a file: name a file inside it")]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A device, a pipe or a socket stands where a file was expected.
    #[error("{path}: is a device or a pipe, expected a regular file: copy its content to a file")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The operating system does not let us read the file.
    #[error("{path}: reading it is not permitted: give yourself the right to read it")]
    Denied {
        /// The file.
        path: PathBuf,
    },
    /// Any other failure to read.
    #[error("{path}: reading failed ({source}): try again, or fetch the file again")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// The file has no bytes.
    #[error("{path}: the file is empty, expected {expected}: fetch it again")]
    Empty {
        /// The file.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
    /// The file ends within the IDX header.
    #[error("{path}: ends after {found} bytes, within its header of {expected}: fetch it again")]
    Header {
        /// The file.
        path: PathBuf,
        /// Bytes found (after decompression).
        found: usize,
        /// Bytes of the header.
        expected: usize,
    },
    /// The first bytes are neither those of gzip nor those of IDX.
    #[error(
        "{path}: starts with {found:08x}, expected {expected:08x} ({what}) or gzip (1f8b): \
         this is another kind of file, fetch it again"
    )]
    Magic {
        /// The file.
        path: PathBuf,
        /// The first four bytes, big-endian.
        found: u32,
        /// The right ones.
        expected: u32,
        /// What the right ones stand for.
        what: &'static str,
    },
    /// An IDX file whose elements are not unsigned bytes.
    #[error(
        "{path}: holds elements of IDX type {found:#04x}, expected 0x08 (unsigned byte): convert it"
    )]
    ElementType {
        /// The file.
        path: PathBuf,
        /// The type code.
        found: u8,
    },
    /// An IDX file with another number of dimensions: labels in place of images, or the reverse.
    #[error(
        "{path}: has {found} dimensions, expected {expected} ({what}): were two files swapped?"
    )]
    Dimensions {
        /// The file.
        path: PathBuf,
        /// Dimensions found.
        found: u8,
        /// Dimensions expected.
        expected: u8,
        /// What was expected.
        what: &'static str,
    },
    /// Images that are not 28 by 28.
    #[error("{path}: images of {rows}x{columns}, expected 28x28: resize them first")]
    Shape {
        /// The file.
        path: PathBuf,
        /// Rows found.
        rows: u32,
        /// Columns found.
        columns: u32,
    },
    /// The header claims more items than the caller allows.
    #[error(
        "{path}: the header claims {found} items, expected at most {most}: this is another data set"
    )]
    TooMany {
        /// The file.
        path: PathBuf,
        /// Items claimed.
        found: u32,
        /// The limit.
        most: usize,
    },
    /// The data ends before the header said.
    #[error(
        "{path}: holds {found} bytes of data where its header claims {expected}: fetch it again"
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes found after the header.
        found: u64,
        /// Bytes claimed.
        expected: u64,
    },
    /// There is more data than the header said.
    #[error(
        "{path}: goes on after the {expected} bytes of data that its header claims: fetch it again"
    )]
    Trailing {
        /// The file.
        path: PathBuf,
        /// Bytes claimed.
        expected: u64,
    },
    /// A gzip file that ends too early.
    #[error("{path}: the gzip data ends too early, expected a complete file: fetch it again")]
    GzipTruncated {
        /// The file.
        path: PathBuf,
    },
    /// A gzip file with damage: bad codes, a wrong check value, or rubbish after the end.
    #[error("{path}: the gzip data is damaged ({reason}), expected an intact file: fetch it again")]
    GzipCorrupt {
        /// The file.
        path: PathBuf,
        /// What the decompressor said.
        reason: String,
    },
    /// A label over 9 in a file.
    #[error("{path}: label number {index} is {found}, expected 0 to 9: this is another data set")]
    Label {
        /// The file.
        path: PathBuf,
        /// Position of the label, from 0.
        index: usize,
        /// Its value.
        found: u8,
    },
    /// Two files that do not belong together.
    #[error(
        "{images_path}: {images} images, but {labels} labels in {labels_path}: take both from one source"
    )]
    Counts {
        /// The file of images.
        images_path: PathBuf,
        /// Its count.
        images: usize,
        /// The file of labels.
        labels_path: PathBuf,
        /// Its count.
        labels: usize,
    },
    /// A well-formed file that is not the one we know.
    #[error(
        "{path}: SHA-256 of the content is {found}, expected {expected}: \
         this is not the original MNIST, delete it and fetch it again"
    )]
    Checksum {
        /// The file.
        path: PathBuf,
        /// Hash found, of the decompressed content.
        found: String,
        /// Hash pinned.
        expected: String,
    },

    /// A folder that was named by hand lacks files.
    #[error(
        "{folder} (named by {named_by}): found no {missing}, expected the four MNIST files (with or \
         without .gz): put them there, or leave {named_by} unset to have them downloaded"
    )]
    Incomplete {
        /// The folder.
        folder: PathBuf,
        /// Which setting named it: `data_dir` or `MNIST_DIR`.
        named_by: &'static str,
        /// The files that are not there, joined by commas.
        missing: String,
    },
    /// The data is not on this machine and downloading was switched off.
    #[error(
        "found no {missing} in {folder}, and downloading is switched off: allow it, or put the four \
         MNIST files in a folder and set MNIST_DIR to it"
    )]
    NotDownloaded {
        /// The cache folder.
        folder: PathBuf,
        /// The files that are not there, joined by commas.
        missing: String,
    },
    /// The operating system names no cache folder for this user.
    #[error(
        "found no cache folder for this user (is HOME unset?): set MNIST_DIR to a folder with the four MNIST files"
    )]
    NoCacheFolder,
    /// More validation digits asked for than there are training digits.
    #[error(
        "{validation} validation digits asked for, expected fewer than the {available} of the training set: ask for fewer"
    )]
    Validation {
        /// Digits asked for.
        validation: usize,
        /// Digits in the training set.
        available: usize,
    },
    /// The cache folder or a file in it cannot be written.
    #[error(
        "{path}: writing failed ({source}): free some space, correct its permissions, or set MNIST_DIR to a folder with the four MNIST files"
    )]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another process holds the cache folder for too long.
    #[error(
        "{path}: another process has been downloading for {seconds} s: end it, or delete this file"
    )]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long we waited.
        seconds: u64,
    },
    /// No mirror gave the file.
    #[error(
        "downloading {file} failed: {reasons}: check the network, or put the four MNIST files in a folder and set MNIST_DIR to it"
    )]
    Download {
        /// The file.
        file: String,
        /// One reason for each mirror, joined by `; `.
        reasons: String,
    },
}
