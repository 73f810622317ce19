//! A checkpoint: everything a run needs to go on, in one file that is either whole or refused.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `MOTENET` and a zero |
//! | 4 | format version, little-endian: 1 |
//! | 4 | length `H` of the header, little-endian |
//! | `H` | [`Header`], as JSON |
//! | `4·P·(1 + moments)` | `P` weights, then each moment: `f32`, little-endian |
//! | 32 | SHA-256 of everything before |

mod bits;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use motenet::{LayerInfo, Params};
use motenet_models::Model;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::atomic::{replace, size_of_file};
use crate::error::one_line;
use crate::{Error, Position, Settings};

const MAGIC: [u8; 8] = *b"MOTENET\0";
const VERSION: u32 = 1;
/// Magic, version, length of the header.
const PREFIX_LEN: usize = 16;
const HASH_LEN: usize = 32;
/// No header is longer, so that reading one takes a bounded amount of memory.
const HEADER_LEN_MAX: usize = 64 * 1024;
/// The fewest bytes that floats are converted in at a time.
const CHUNK: usize = 16 * 1024;
const EXPECTED: &str = "a checkpoint";

/// What a checkpoint says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The name of the model.
    pub model: String,
    /// Its layers in order.
    pub layers: Vec<LayerShape>,
    /// Its parameters, all layers together.
    pub params: u64,
    /// How many moments of the optimizer follow the weights: 0, 1 or 2.
    pub moments: u32,
    /// The name of the dataset.
    pub dataset: String,
    /// SHA-256 of its content, in hex.
    pub dataset_sha256: String,
    /// Samples trained on.
    pub train_len: u64,
    /// Samples held back for validation.
    pub validation_len: u64,
    /// What decides the bits of the run.
    pub settings: Settings,
    /// How far the run has come.
    #[serde(with = "bits")]
    pub position: Position,
}

/// The shape of one layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerShape {
    /// The layer's name: `Dense`, `Relu`, ….
    pub name: String,
    /// Elements of one input.
    pub input_len: u64,
    /// Elements of one output.
    pub output_len: u64,
    /// Trainable parameters.
    pub params: u64,
}

impl LayerShape {
    /// The layers of a model in order. Never panics.
    pub fn list<M: Model>() -> Vec<LayerShape> {
        let mut layers = Vec::new();
        M::describe(&mut |layer: LayerInfo| {
            layers.push(LayerShape {
                name: layer.name.to_owned(),
                input_len: layer.input_len as u64,
                output_len: layer.output_len as u64,
                params: layer.params as u64,
            });
        });
        layers
    }
}

impl std::fmt::Display for LayerShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let LayerShape { name, input_len, output_len, params } = self;
        write!(f, "{} {input_len}-{output_len} ({params} parameters)", one_line(name))
    }
}

/// A checkpoint in memory: a header, the weights, the moments, all as flat slices.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What it says of itself.
    pub header: Header,
    /// The weights.
    pub weights: Vec<f32>,
    /// The moments of the optimizer, each as long as the weights.
    pub moments: Vec<Vec<f32>>,
}

impl Checkpoint {
    /// Writes the checkpoint to `path`, as [`write_from`](Checkpoint::write_from).
    ///
    /// # Errors
    /// Those of [`write_from`](Checkpoint::write_from).
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let moments: Vec<&[f32]> = self.moments.iter().map(Vec::as_slice).collect();
        Checkpoint::write_from(path, &self.header, &self.weights, &moments)
    }

    /// Writes a checkpoint from borrowed parts, replacing what `path` named.
    ///
    /// Any file that `path` names stays whole until the new one is safe on the disk.
    ///
    /// # Errors
    /// [`Error::Io`] if writing fails; the old file is then untouched and no other one is left.
    /// [`Error::Parts`] if the parts do not fit the header, or a number in it is not finite.
    ///
    /// # Memory
    /// A constant; the parts are not copied.
    pub fn write_from(
        path: &Path,
        header: &Header,
        weights: &[f32],
        moments: &[&[f32]],
    ) -> Result<(), Error> {
        let prefix = prefix(header, weights, moments)?;
        replace(path, |file| write_to(file, &prefix, weights, moments))
    }

    /// Reads the checkpoint at `path`.
    ///
    /// Weights may have any bits, NaN included.
    ///
    /// # Errors
    /// One variant of [`Error`] for each way in which the file is not whole and sound:
    /// [`NotACheckpoint`](Error::NotACheckpoint), [`Version`](Error::Version),
    /// [`Truncated`](Error::Truncated), [`Trailing`](Error::Trailing), [`Header`](Error::Header),
    /// [`Checksum`](Error::Checksum); and [`Missing`](Error::Missing),
    /// [`NotAFile`](Error::NotAFile), [`Io`](Error::Io). Never panics, whatever the file holds.
    ///
    /// # Memory
    /// The size of the file plus a constant, whatever the file claims.
    pub fn read(path: &Path) -> Result<Checkpoint, Error> {
        size_of_file(path, EXPECTED)?;
        let file = File::open(path).map_err(Error::io(path, "reading"))?;
        let size = file.metadata().map_err(Error::io(path, "reading"))?.len();
        read_from(path, BufReader::new(file), size)
    }

    /// Checks that the checkpoint is of model `M`: its name, its layers.
    ///
    /// # Errors
    /// [`Error::WrongModel`], [`Error::WrongLayer`].
    pub fn check_model<M: Model>(&self) -> Result<(), Error> {
        if self.header.model != M::NAME {
            let found = one_line(&self.header.model);
            return Err(Error::WrongModel { found, expected: M::NAME });
        }
        let (found, expected) = (&self.header.layers, &LayerShape::list::<M>());
        for k in 0..found.len().max(expected.len()) {
            let (found, expected) = (found.get(k), expected.get(k));
            if found != expected {
                let show = |shape: Option<&LayerShape>| match shape {
                    Some(shape) => shape.to_string(),
                    None => "missing".to_owned(),
                };
                let (found, expected) = (show(found), show(expected));
                return Err(Error::WrongLayer { model: M::NAME, number: k + 1, found, expected });
            }
        }
        copyable(&self.weights, M::Network::COUNT)
    }

    /// Copies the weights into a network (overwritten).
    ///
    /// # Errors
    /// Those of [`check_model`](Checkpoint::check_model); the network is then untouched.
    pub fn copy_weights<M: Model>(&self, network: &mut M::Network) -> Result<(), Error> {
        self.check_model::<M>()?;
        network.flat_mut().copy_from_slice(&self.weights);
        Ok(())
    }

    /// Copies moment `k`, counted from 0, into a value of the network's type (overwritten).
    ///
    /// # Errors
    /// Those of [`check_model`](Checkpoint::check_model), and [`Error::NoMoment`] if there is no such
    /// moment; `moment` is then untouched.
    pub fn copy_moment<M: Model>(&self, k: usize, moment: &mut M::Network) -> Result<(), Error> {
        self.check_model::<M>()?;
        let Some(values) = self.moments.get(k) else {
            return Err(Error::NoMoment { found: self.moments.len(), expected: k + 1 });
        };
        copyable(values, M::Network::COUNT)?;
        moment.flat_mut().copy_from_slice(values);
        Ok(())
    }
}

/// SHA-256 of the little-endian bytes of weights, in hex: what a run's result is known by.
///
/// # Accuracy
/// Of the bits: −0 and 0 differ, and so do NaNs.
pub fn weights_sha256(weights: &[f32]) -> String {
    let mut hash = Sha256::new();
    for_each_chunk(weights, |bytes| {
        hash.update(bytes);
        Ok(())
    })
    .expect("a hash takes any bytes");
    hex(&hash.finalize())
}

/// A [`Checkpoint`] is open to its callers, who may have changed the length of a part.
fn copyable(values: &[f32], expected: usize) -> Result<(), Error> {
    if values.len() == expected {
        return Ok(());
    }
    Err(Error::Parts {
        found: format!("{} values", values.len()),
        expected: format!("{expected} for the model"),
    })
}

/// The bytes before the weights, once everything that follows is known to fit them.
fn prefix(header: &Header, weights: &[f32], moments: &[&[f32]]) -> Result<Vec<u8>, Error> {
    let fail = |found: String, expected: String| Err(Error::Parts { found, expected });
    if weights.len() as u64 != header.params {
        return fail(format!("{} weights", weights.len()), header.params.to_string());
    }
    if moments.len() as u64 != u64::from(header.moments) {
        return fail(format!("{} moments", moments.len()), header.moments.to_string());
    }
    if let Some(moment) = moments.iter().find(|moment| moment.len() != weights.len()) {
        return fail(format!("a moment of {}", moment.len()), weights.len().to_string());
    }
    if let Err(reason) = consistent(header) {
        return fail(reason, "a header that agrees with itself".to_owned());
    }
    let json = serde_json::to_vec(header).unwrap_or_default();
    // JSON has no infinity and no NaN: never write what cannot be read back as it was.
    let read = serde_json::from_slice::<Header>(&json);
    if !read.is_ok_and(|read| read.settings == header.settings) {
        return fail("a setting that is not a number".to_owned(), "finite settings".to_owned());
    }
    if json.len() > HEADER_LEN_MAX {
        return fail(format!("a header of {} bytes", json.len()), format!("{HEADER_LEN_MAX}"));
    }
    Ok([&MAGIC[..], &VERSION.to_le_bytes(), &(json.len() as u32).to_le_bytes(), &json].concat())
}

/// Whether the numbers of a header fit together.
fn consistent(header: &Header) -> Result<(), String> {
    if header.moments > 2 {
        return Err(format!("{} moments, at most 2 can be", header.moments));
    }
    let sum = header.layers.iter().try_fold(0_u64, |sum, layer| sum.checked_add(layer.params));
    if sum != Some(header.params) {
        return Err(format!("{} parameters, which its layers do not add up to", header.params));
    }
    // A trainer numbers samples with 32 bits, and goes on counting where the position stands.
    let (right, of) = (header.position.right, header.train_len);
    if right > of || of > u64::from(u32::MAX) {
        return Err(format!("{right} of {of} samples right"));
    }
    Ok(())
}

fn write_to(
    sink: impl Write,
    prefix: &[u8],
    weights: &[f32],
    moments: &[&[f32]],
) -> io::Result<()> {
    let mut sink = BufWriter::with_capacity(CHUNK, sink);
    let mut hash = Sha256::new();
    let mut put = |bytes: &[u8]| {
        hash.update(bytes);
        sink.write_all(bytes)
    };
    put(prefix)?;
    for values in std::iter::once(&weights).chain(moments) {
        for_each_chunk(values, &mut put)?;
    }
    sink.write_all(&hash.finalize())?;
    sink.flush()
}

fn read_from(path: &Path, mut source: impl Read, size: u64) -> Result<Checkpoint, Error> {
    let path_buf = || path.to_path_buf();
    let truncated = |expected| Error::Truncated { path: path_buf(), found: size, expected };
    let mut hash = Sha256::new();
    let mut take = |bytes: &mut [u8]| {
        source.read_exact(bytes).map_err(Error::io(path, "reading"))?;
        hash.update(&*bytes);
        Ok::<(), Error>(())
    };

    let mut prefix = [0; PREFIX_LEN];
    let prefix_len = size.min(PREFIX_LEN as u64) as usize;
    take(&mut prefix[..prefix_len])?;
    let magic_len = prefix_len.min(MAGIC.len());
    if prefix[..magic_len] != MAGIC[..magic_len] || magic_len == 0 {
        let found = String::from_utf8_lossy(&prefix[..magic_len]).into_owned();
        return Err(Error::NotACheckpoint { path: path_buf(), found, expected: "MOTENET\0" });
    }
    if prefix_len < PREFIX_LEN {
        return Err(truncated((PREFIX_LEN + HASH_LEN) as u64));
    }
    let [.., v0, v1, v2, v3, h0, h1, h2, h3] = prefix;
    let found = u32::from_le_bytes([v0, v1, v2, v3]);
    if found != VERSION {
        return Err(Error::Version { path: path_buf(), found, expected: VERSION });
    }
    let header_len = u32::from_le_bytes([h0, h1, h2, h3]);
    let header_end = PREFIX_LEN as u64 + u64::from(header_len);
    if header_end + HASH_LEN as u64 > size {
        return Err(truncated(header_end + HASH_LEN as u64));
    }
    let refuse = |reason: String| Error::Header { path: path_buf(), reason };
    if header_len as usize > HEADER_LEN_MAX {
        return Err(refuse(format!("{header_len} bytes, at most {HEADER_LEN_MAX} can be")));
    }
    let mut json = vec![0; header_len as usize];
    take(&mut json)?;
    let header: Header = serde_json::from_slice(&json).map_err(|e| refuse(one_line(&e)))?;
    drop(json);
    consistent(&header).map_err(refuse)?;

    // Nothing is allocated on the header's word alone: the file must be as long as it says.
    let expected = header
        .params
        .checked_mul(4 * (1 + u64::from(header.moments)))
        .and_then(|payload| payload.checked_add(header_end + HASH_LEN as u64))
        .ok_or_else(|| truncated(u64::MAX))?;
    if size < expected {
        return Err(truncated(expected));
    }
    if size > expected {
        return Err(Error::Trailing { path: path_buf(), found: size, expected });
    }
    let mut floats = || {
        let memory = |_| Error::io(path, "reading")(io::ErrorKind::OutOfMemory.into());
        let len = usize::try_from(header.params).map_err(|_| truncated(expected))?;
        let mut values: Vec<f32> = Vec::new();
        values.try_reserve_exact(len).map_err(memory)?;
        let mut chunk = [0; CHUNK];
        while values.len() < len {
            let bytes = &mut chunk[..(4 * (len - values.len())).min(CHUNK)];
            take(bytes)?;
            values.extend(bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)));
        }
        Ok::<_, Error>(values)
    };
    let weights = floats()?;
    let moments = (0..header.moments).map(|_| floats()).collect::<Result<Vec<_>, _>>()?;

    let found = hash.finalize();
    let mut written = [0; HASH_LEN];
    source.read_exact(&mut written).map_err(Error::io(path, "reading"))?;
    if found[..] != written {
        let (found, expected) = (hex(&found), hex(&written));
        return Err(Error::Checksum { path: path_buf(), found, expected });
    }
    Ok(Checkpoint { header, weights, moments })
}

/// Calls `put` with the little-endian bytes of `values`, some at a time.
fn for_each_chunk(values: &[f32], mut put: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut bytes = [[0; 4]; CHUNK / 4];
    for values in values.chunks(bytes.len()) {
        for (bytes, value) in bytes.iter_mut().zip(values) {
            *bytes = value.to_le_bytes();
        }
        put(bytes[..values.len()].as_flattened())?;
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string works");
        text
    })
}

#[cfg(test)]
mod tests;
