//! The reader of IDX files: images (magic 0x00000803) and labels (0x00000801), raw or gzip.
//!
//! The format, from the page of the MNIST database: two zero bytes, a type code (0x08 is unsigned
//! byte), the number of dimensions, each dimension as a big-endian `u32`, then the elements in row
//! order. Gzip is recognised by its content, not by the name of the file.
//!
//! Nothing in a file is believed. A raw file must have exactly the length that its header claims,
//! which is checked before anything is allocated. A gzip file is decompressed into as much memory
//! as a file of its size can expand to and no more, and decompression stops one byte after the
//! claimed end.
//!
//! # Limits
//! - Images are 28×28 and labels 0 to 9; other IDX files are refused.
//! - At most `most` items, which the caller states; [`MOST`] suits any digit set of this shape.
//! - Regular files only: a pipe or a device is refused, because its length is unknown.
//! - Concatenated gzip members are read as one stream; bytes after the last member are an error.
//!
//! # Memory
//! With `n` the length of the file, `c` the claimed count and `s` the bytes of an item (784 or 1):
//! `c·s` for a raw file (which is `n` less the header), `min(c·s, 1032·n + 65536)` for gzip, plus a
//! constant under 400 KiB for buffers and the decompressor.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::digits::hex;
use crate::{Digits, Error, Image, PIXELS, SIDE};

/// A limit on items for callers who have no better one: 300,000, which is 235 MB of images.
pub const MOST: usize = 300_000;

/// Deflate cannot expand a byte to more than this (zlib's technical notes: 1032 to 1).
const DEFLATE_MOST: u64 = 1032;

/// Bytes that are taken from the source at once.
const CHUNK: usize = 1 << 16;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads a file of 28×28 images.
///
/// # Errors
/// One variant of [`Error`] for each way to be wrong, naming the file. Never panics.
///
/// # Memory
/// See the [module](self).
pub fn images(path: &Path, most: usize) -> Result<Vec<Image>, Error> {
    Ok(read_images(path, most)?.items)
}

/// Reads a file of labels, 0 to 9.
///
/// # Errors
/// One variant of [`Error`] for each way to be wrong, naming the file. Never panics.
///
/// # Memory
/// See the [module](self).
pub fn labels(path: &Path, most: usize) -> Result<Vec<u8>, Error> {
    Ok(read_labels(path, most)?.items.into_flattened())
}

/// Reads images from bytes in memory; `name` stands for the file in messages.
///
/// # Errors
/// As [`images`]. Never panics.
///
/// ```
/// use std::path::Path;
/// // Two images of 28×28, all background but the first pixel of the second.
/// let mut file = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28];
/// file.resize(16 + 2 * 784, 0);
/// file[16 + 784] = 255;
/// let images = motenet_data::idx::images_from(&file, Path::new("two"), 2).unwrap();
/// assert_eq!((images.len(), images[0][0], images[1][0]), (2, 0, 255));
/// ```
pub fn images_from(bytes: &[u8], name: &Path, most: usize) -> Result<Vec<Image>, Error> {
    Ok(parse(bytes, bytes.len() as u64, &IMAGES, name, most)?.items)
}

/// Reads labels from bytes in memory; `name` stands for the file in messages.
///
/// # Errors
/// As [`labels`]. Never panics.
///
/// ```
/// use std::path::Path;
/// let file = [0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1];
/// let labels = motenet_data::idx::labels_from(&file, Path::new("three"), 10).unwrap();
/// assert_eq!(labels, [7, 2, 1]);
/// ```
pub fn labels_from(bytes: &[u8], name: &Path, most: usize) -> Result<Vec<u8>, Error> {
    let read: Idx<1> = parse(bytes, bytes.len() as u64, &LABELS, name, most)?;
    check_labels(&read, name)?;
    Ok(read.items.into_flattened())
}

/// Reads a file of images and the file of their labels.
///
/// # Errors
/// As [`images`] and [`labels`], and [`Error::Counts`] where the counts differ.
pub fn digits(images_path: &Path, labels_path: &Path, most: usize) -> Result<Digits, Error> {
    let images = images(images_path, most)?;
    let labels = labels(labels_path, most)?;
    pair(images, images_path, labels, labels_path)
}

/// Joins what two files held.
pub(crate) fn pair(
    images: Vec<Image>,
    images_path: &Path,
    labels: Vec<u8>,
    labels_path: &Path,
) -> Result<Digits, Error> {
    if images.len() != labels.len() {
        return Err(Error::Counts {
            images_path: images_path.into(),
            images: images.len(),
            labels_path: labels_path.into(),
            labels: labels.len(),
        });
    }
    Digits::new(images, labels)
}

/// The content of an IDX file whose items are `N` bytes each.
pub(crate) struct Idx<const N: usize> {
    header: Vec<u8>,
    pub(crate) items: Vec<[u8; N]>,
}

impl<const N: usize> Idx<N> {
    /// SHA-256 of the decompressed content, header included, in hex.
    pub(crate) fn sha256(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(&self.header);
        hasher.update(self.items.as_flattened());
        hex(&hasher.finalize())
    }
}

pub(crate) fn read_images(path: &Path, most: usize) -> Result<Idx<PIXELS>, Error> {
    let (file, length) = open(path)?;
    parse(file, length, &IMAGES, path, most)
}

pub(crate) fn read_labels(path: &Path, most: usize) -> Result<Idx<1>, Error> {
    let (file, length) = open(path)?;
    let read = parse(file, length, &LABELS, path, most)?;
    check_labels(&read, path)?;
    Ok(read)
}

fn check_labels(read: &Idx<1>, path: &Path) -> Result<(), Error> {
    match read.items.iter().position(|&[label]| label > 9) {
        None => Ok(()),
        Some(index) => Err(Error::Label { path: path.into(), index, found: read.items[index][0] }),
    }
}

/// What is expected in a file.
struct Kind {
    dimensions: u8,
    what: &'static str,
}

const IMAGES: Kind = Kind { dimensions: 3, what: "IDX images" };
const LABELS: Kind = Kind { dimensions: 1, what: "IDX labels" };

fn open(path: &Path) -> Result<(BufReader<File>, u64), Error> {
    let name = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => Error::Missing { path: path.into() },
        io::ErrorKind::PermissionDenied => Error::Denied { path: path.into() },
        _ => read_error(path, source),
    };
    // Asked before opening: opening a pipe would wait for its other end.
    let metadata = fs::metadata(path).map_err(name)?;
    if metadata.is_dir() {
        return Err(Error::Folder { path: path.into() });
    }
    if !metadata.is_file() {
        return Err(Error::NotAFile { path: path.into() });
    }
    let file = File::open(path).map_err(name)?;
    Ok((BufReader::with_capacity(CHUNK, file), metadata.len()))
}

/// Parses a source of `length` bytes, gzip or raw.
fn parse<const N: usize>(
    mut source: impl BufRead,
    length: u64,
    kind: &Kind,
    path: &Path,
    most: usize,
) -> Result<Idx<N>, Error> {
    let mut start = [0; 2];
    let got = fill(&mut source, &mut start).map_err(|source| read_error(path, source))?;
    if got == 0 {
        let expected = kind.what;
        let path = path.into();
        return Err(Error::Empty { path, expected });
    }
    let source = start[..got].chain(source);
    let mut input = if start == GZIP {
        Input {
            bytes: Box::new(MultiGzDecoder::new(source)),
            raw_length: None,
            justified: length.saturating_mul(DEFLATE_MOST),
            path,
        }
    } else {
        Input { bytes: Box::new(source), raw_length: Some(length), justified: length, path }
    };
    let (header, count) = input.header(kind, most)?;
    let items = input.items(count)?;
    Ok(Idx { header, items })
}

/// The decompressed bytes of a file.
struct Input<'a> {
    bytes: Box<dyn Read + 'a>,
    /// The length of a file that is not compressed.
    raw_length: Option<u64>,
    /// More bytes than this cannot come.
    justified: u64,
    path: &'a Path,
}

impl Input<'_> {
    /// Reads and checks the header; returns its bytes and the count of items.
    fn header(&mut self, kind: &Kind, most: usize) -> Result<(Vec<u8>, usize), Error> {
        let path = || self.path.to_path_buf();
        let mut header = [0; 16];
        let header = &mut header[..4 + 4 * usize::from(kind.dimensions)];
        let (length, expected) = (header.len(), u32::from(kind.dimensions) | 0x0800);
        let found = self.fill(&mut header[..4])?;
        let magic = [header[0], header[1], header[2], header[3]];
        // Fewer than four bytes that could still become the right ones are a header cut short.
        if found < 4 && magic[..found] == expected.to_be_bytes()[..found] {
            let expected = length;
            return Err(Error::Header { path: path(), found, expected });
        }
        match magic {
            [0, 0, 0x08, dimensions] if dimensions == kind.dimensions => {}
            [0, 0, 0x08, dimensions @ 1..=0xff] if found == 4 => {
                return Err(Error::Dimensions {
                    path: path(),
                    found: dimensions,
                    expected: kind.dimensions,
                    what: kind.what,
                });
            }
            [0, 0, element @ 0x09..=0x0e, 1..=0xff] => {
                return Err(Error::ElementType { path: path(), found: element });
            }
            _ => {
                return Err(Error::Magic {
                    path: path(),
                    found: u32::from_be_bytes(magic),
                    expected,
                    what: kind.what,
                });
            }
        }
        let found = 4 + self.fill(&mut header[4..])?;
        if found < length {
            let expected = length;
            return Err(Error::Header { path: path(), found, expected });
        }
        let dimension = |k: usize| {
            let at = 4 + 4 * k;
            u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        if kind.dimensions == 3 && (dimension(1), dimension(2)) != (SIDE as u32, SIDE as u32) {
            return Err(Error::Shape { path: path(), rows: dimension(1), columns: dimension(2) });
        }
        let found = dimension(0);
        match usize::try_from(found) {
            Ok(count) if count <= most => Ok((header.to_vec(), count)),
            _ => Err(Error::TooMany { path: path(), found, most }),
        }
    }

    /// Reads exactly `count` items and checks that nothing follows.
    fn items<const N: usize>(&mut self, count: usize) -> Result<Vec<[u8; N]>, Error> {
        let expected = count as u64 * N as u64;
        let header = if N == 1 { 8 } else { 16 };
        if let Some(length) = self.raw_length {
            let found = length.saturating_sub(header);
            if found < expected {
                return Err(self.truncated(found, expected));
            }
            if found > expected {
                return Err(self.trailing(expected));
            }
        }
        let chunk = (CHUNK / N).max(1);
        let justified = usize::try_from(self.justified).unwrap_or(usize::MAX) / N;
        let mut items = Vec::new();
        items.reserve_exact(count.min(justified.saturating_add(chunk)));
        while items.len() < count {
            let from = items.len();
            items.resize(count.min(from + chunk), [0; N]);
            let wanted = items[from..].as_flattened_mut();
            let room = wanted.len();
            let got = self.fill(wanted)?;
            if got < room {
                return Err(self.truncated((from * N + got) as u64, expected));
            }
        }
        // Reading past the end also makes the decompressor compare its check values.
        match self.fill(&mut [0])? {
            0 => Ok(items),
            _ => Err(self.trailing(expected)),
        }
    }

    fn truncated(&self, found: u64, expected: u64) -> Error {
        let path = self.path.into();
        Error::Truncated { path, found, expected }
    }

    fn trailing(&self, expected: u64) -> Error {
        let path = self.path.into();
        Error::Trailing { path, expected }
    }

    /// Fills `to` as far as the data goes, and names what stopped it.
    fn fill(&mut self, to: &mut [u8]) -> Result<usize, Error> {
        fill(&mut self.bytes, to).map_err(|source| {
            let path = self.path.into();
            match source.kind() {
                _ if self.raw_length.is_some() => read_error(self.path, source),
                io::ErrorKind::UnexpectedEof => Error::GzipTruncated { path },
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                    Error::GzipCorrupt { path, reason: source.to_string() }
                }
                _ => Error::Read { path, source },
            }
        })
    }
}

fn read_error(path: &Path, source: io::Error) -> Error {
    let path = path.into();
    Error::Read { path, source }
}

/// Reads until `to` is full or the source ends; returns the number of bytes.
fn fill(source: &mut impl Read, to: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < to.len() {
        match source.read(&mut to[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
