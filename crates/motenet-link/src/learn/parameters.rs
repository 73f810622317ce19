//! A run of a network's parameters.

use crate::Fault;
use crate::encoder::Encoder;
use crate::fields::Fields;
use crate::row::Row;

/// A run of numbers: `f32`s on one side, the bytes of a frame on the other.
#[derive(Clone, Copy)]
pub struct Parameters<'a> {
    /// The first one's number.
    pub first: u32,
    row: Row<'a, f32>,
}

impl<'a> Parameters<'a> {
    /// These numbers, the first of which is number `first`.
    pub const fn new(first: u32, numbers: &'a [f32]) -> Self {
        Parameters { first, row: Row::Numbers(numbers) }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.row.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = f32> + use<'a> {
        self.row.iter()
    }

    pub(super) fn encode<E, F: FnMut(&[u8]) -> Result<(), E>>(
        &self,
        encoder: &mut Encoder<F>,
    ) -> Result<(), E> {
        self.iter().try_for_each(|number| encoder.bytes(&number.to_le_bytes()))
    }

    /// What is left of a payload of `len` bytes.
    pub(super) fn decode(first: u32, fields: Fields<'a>, len: usize) -> Result<Self, Fault> {
        let (numbers, odd) = fields.rest().as_chunks();
        if !odd.is_empty() {
            return Err(Fault::length(len, len.saturating_sub(odd.len())));
        }
        Ok(Parameters { first, row: Row::Bytes(numbers) })
    }
}

/// The same bits, which for NaN is not the same as equal numbers.
impl PartialEq for Parameters<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.first == other.first
            && self.iter().map(f32::to_bits).eq(other.iter().map(f32::to_bits))
    }
}

impl core::fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {:?}", self.first, self.row)
    }
}
