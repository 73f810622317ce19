//! From bytes to frames, a byte at a time.

use crate::{CRC, Fault, FaultCode};

/// Bytes of a frame besides its payload: the kind and the checksum.
const OVERHEAD: usize = 5;

/// Takes bytes as they arrive and says when a frame is complete.
///
/// `B` is where the payload and the checksum are put: `[u8; N]`, [`Aligned`], `Vec<u8>` or `&mut [u8]`,
/// of [`buffer_bytes`](Decoder::buffer_bytes) for the longest payload that can come. The payload starts
/// where the buffer starts.
///
/// # Memory
/// The buffer and 24 bytes (on a 32-bit chip 16).
#[derive(Clone, Debug)]
pub struct Decoder<B> {
    /// Bytes decoded since the last zero, the kind included; saturating.
    len: usize,
    kind: u8,
    /// The length that the current block announced, itself included; 0 before the first one.
    block: u8,
    /// Bytes of the current block still to come.
    left: u8,
    buffer: B,
}

/// A buffer that starts at an address that is a multiple of four, as the kernels that read four inputs
/// at a time like it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(4))]
pub struct Aligned<B>(pub B);

impl<B: AsRef<[u8]>> AsRef<[u8]> for Aligned<B> {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}

impl<B: AsMut<[u8]>> AsMut<[u8]> for Aligned<B> {
    fn as_mut(&mut self) -> &mut [u8] {
        self.0.as_mut()
    }
}

/// What a frame holds, its checksum found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Which message it is.
    pub kind: u8,
    /// The message, in the decoder's buffer.
    pub payload: &'a [u8],
}

impl<B> Decoder<B> {
    /// The bytes that a buffer needs for payloads of up to `payload` bytes: those and the checksum.
    pub const fn buffer_bytes(payload: usize) -> usize {
        payload + OVERHEAD - 1
    }

    /// A decoder that waits for a frame.
    pub const fn new(buffer: B) -> Self {
        Decoder { len: 0, kind: 0, block: 0, left: 0, buffer }
    }

    /// Forgets what came since the last zero.
    pub fn reset(&mut self) {
        (self.len, self.block, self.left) = (0, 0, 0);
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Decoder<B> {
    /// Takes one byte: `None` until a frame is complete, then the frame or what is wrong with it.
    ///
    /// Only a zero completes a frame, and after it the decoder waits for the next one, whatever came
    /// before. Never panics.
    #[inline]
    pub fn push(&mut self, byte: u8) -> Option<Result<Frame<'_>, Fault>> {
        if byte == 0 {
            return self.finish();
        }
        if self.left > 0 {
            self.left -= 1;
            self.store(byte);
        } else {
            // The start of a block, whose length it is; a block shorter than 255 had a zero after it.
            if self.block != 0 && self.block != 255 {
                self.store(0);
            }
            (self.block, self.left) = (byte, byte - 1);
        }
        None
    }

    #[inline]
    fn store(&mut self, byte: u8) {
        match self.len.checked_sub(1) {
            None => self.kind = byte,
            Some(at) => {
                if let Some(place) = self.buffer.as_mut().get_mut(at) {
                    *place = byte;
                }
            }
        }
        self.len = self.len.saturating_add(1);
    }

    fn finish(&mut self) -> Option<Result<Frame<'_>, Fault>> {
        let (len, block, left) = (self.len, self.block, self.left);
        self.reset();
        if block == 0 {
            return None; // zeros in a row
        }
        Some(self.check(len, block, left))
    }

    fn check(&self, len: usize, block: u8, left: u8) -> Result<Frame<'_>, Fault> {
        if left > 0 {
            let came = block.wrapping_sub(1).wrapping_sub(left);
            let announced = block.wrapping_sub(1);
            return Err(Fault::new(FaultCode::Encoding, came.into(), announced.into()));
        }
        let buffer = self.buffer.as_ref();
        let (payload, checksum) = buffer
            .get(..len.saturating_sub(1))
            .ok_or_else(|| Fault::new(FaultCode::TooLong, len, buffer.len().saturating_add(1)))?
            .split_last_chunk()
            .ok_or_else(|| Fault::new(FaultCode::TooShort, len, OVERHEAD))?;
        let mut digest = CRC.digest();
        digest.update(&[self.kind]);
        digest.update(payload);
        let (found, expected) = (digest.finalize(), u32::from_le_bytes(*checksum));
        if found != expected {
            return Err(Fault { code: FaultCode::Checksum, found, expected });
        }
        Ok(Frame { kind: self.kind, payload })
    }
}
