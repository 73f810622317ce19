//! A row of numbers: numbers on the side that has them, the bytes of a frame on the other.

use core::fmt;

/// A number of four bytes, lowest first on the wire.
pub(crate) trait Word: Copy {
    fn from_wire(bytes: [u8; 4]) -> Self;
}

impl Word for i32 {
    fn from_wire(bytes: [u8; 4]) -> Self {
        i32::from_le_bytes(bytes)
    }
}

impl Word for f32 {
    fn from_wire(bytes: [u8; 4]) -> Self {
        f32::from_le_bytes(bytes)
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Row<'a, T> {
    Numbers(&'a [T]),
    Bytes(&'a [[u8; 4]]),
}

impl<'a, T: Word> Row<'a, T> {
    pub(crate) const fn len(&self) -> usize {
        match self {
            Row::Numbers(numbers) => numbers.len(),
            Row::Bytes(bytes) => bytes.len(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let (numbers, bytes): (&[T], &[[u8; 4]]) = match *self {
            Row::Numbers(numbers) => (numbers, &[]),
            Row::Bytes(bytes) => (&[], bytes),
        };
        numbers.iter().copied().chain(bytes.iter().map(|&bytes| T::from_wire(bytes)))
    }
}

impl<T: Word + fmt::Debug> fmt::Debug for Row<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
