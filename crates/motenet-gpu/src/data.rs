//! Datasets as a device keeps them: all samples at once, as small as they are.

use motenet_data::Digits;
use motenet_data::rectangles::Rectangles;

/// A dataset whose samples lie in one piece, to be uploaded once.
pub trait Resident<X, T> {
    /// The inputs of all samples, one after the other.
    fn inputs(&self) -> Inputs<'_>;

    /// The targets of all samples, in the same order.
    fn targets(&self) -> Targets<'_>;
}

/// Inputs of samples.
#[derive(Clone, Copy, Debug)]
pub enum Inputs<'a> {
    /// Bytes, each of which stands for itself times `scale`.
    Bytes {
        /// The bytes of all samples.
        data: &'a [u8],
        /// What each is multiplied by.
        scale: f32,
    },
    /// Numbers.
    Floats(&'a [f32]),
}

/// Targets of samples.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a> {
    /// A class each, counted from 0.
    Classes(&'a [u8]),
    /// A row of numbers each.
    Values(&'a [f32]),
}

impl Resident<[f32; 784], u8> for Digits {
    fn inputs(&self) -> Inputs<'_> {
        Inputs::Bytes { data: self.images.as_flattened(), scale: 1.0 / 255.0 }
    }

    fn targets(&self) -> Targets<'_> {
        Targets::Classes(&self.labels)
    }
}

impl<const LEN: usize> Resident<[f32; LEN], [f32; 1]> for Rectangles<LEN> {
    fn inputs(&self) -> Inputs<'_> {
        Inputs::Floats(self.pixels().as_flattened())
    }

    fn targets(&self) -> Targets<'_> {
        Targets::Values(self.means())
    }
}

impl Inputs<'_> {
    /// How many numbers there are.
    pub(crate) fn len(self) -> usize {
        match self {
            Inputs::Bytes { data, .. } => data.len(),
            Inputs::Floats(data) => data.len(),
        }
    }

    /// As the words that the kernel `gather` reads: four bytes in each, first one lowest, or one number.
    pub(crate) fn words(self) -> Vec<u32> {
        match self {
            Inputs::Bytes { data, .. } => data
                .chunks(4)
                .map(|bytes| {
                    let mut word = [0; 4];
                    word[..bytes.len()].copy_from_slice(bytes);
                    u32::from_le_bytes(word)
                })
                .collect(),
            Inputs::Floats(data) => data.iter().map(|x| x.to_bits()).collect(),
        }
    }
}

impl Targets<'_> {
    /// As the words that the kernel `loss` reads.
    pub(crate) fn words(self) -> Vec<u32> {
        match self {
            Targets::Classes(labels) => labels.iter().map(|&label| u32::from(label)).collect(),
            Targets::Values(values) => values.iter().map(|x| x.to_bits()).collect(),
        }
    }

    /// How many samples, with `width` numbers each.
    pub(crate) fn count(self, width: usize) -> usize {
        match self {
            Targets::Classes(labels) => labels.len(),
            Targets::Values(values) => values.len() / width.max(1),
        }
    }
}
