//! From a message to the bytes of its frame.

use crate::CRC;
use crc::{Digest, NoTable};

/// Writes one frame into a sink, a block at a time.
pub(crate) struct Encoder<F> {
    sink: F,
    digest: Digest<'static, u32, NoTable>,
    /// The block so far: its first byte is kept for its length, `len` is the place of the next byte.
    block: [u8; 256],
    len: u8,
    /// The last block was full, so that no zero stands between it and the next.
    full: bool,
}

impl<E, F: FnMut(&[u8]) -> Result<(), E>> Encoder<F> {
    /// Starts a frame of this kind.
    pub(crate) fn new(kind: u8, sink: F) -> Result<Self, E> {
        let mut encoder =
            Encoder { sink, digest: CRC.digest(), block: [0; 256], len: 1, full: false };
        encoder.bytes(&[kind])?;
        Ok(encoder)
    }

    /// Appends to the payload. Not inlined: it is called once a field, and flash is short.
    #[inline(never)]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), E> {
        self.digest.update(bytes);
        self.stuff(bytes)
    }

    /// Appends a text: its length, at most 255, and its bytes.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), E> {
        let len = text.floor_char_boundary(255);
        self.bytes(&[len as u8])?;
        self.bytes(text.as_bytes().get(..len).unwrap_or_default())
    }

    /// Appends numbers.
    pub(crate) fn numbers(&mut self, numbers: &[u32]) -> Result<(), E> {
        numbers.iter().try_for_each(|n| self.bytes(&n.to_le_bytes()))
    }

    /// The checksum and the zero that ends the frame.
    pub(crate) fn finish(mut self) -> Result<(), E> {
        let checksum = self.digest.clone().finalize();
        self.stuff(&checksum.to_le_bytes())?;
        if self.len > 1 || !self.full {
            self.flush()?;
        }
        (self.sink)(&[0])
    }

    #[inline(never)]
    fn stuff(&mut self, bytes: &[u8]) -> Result<(), E> {
        for &byte in bytes {
            if byte == 0 {
                self.flush()?;
                self.full = false;
                continue;
            }
            self.block[usize::from(self.len)] = byte;
            self.len = self.len.wrapping_add(1);
            if self.len == 255 {
                self.flush()?;
                self.full = true;
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn flush(&mut self) -> Result<(), E> {
        self.block[0] = self.len;
        let len = usize::from(self.len);
        self.len = 1;
        (self.sink)(self.block.get(..len).unwrap_or_default())
    }
}
