//! Two areas of flash that take turns.

use crate::Error;
use crc::{CRC_32_ISO_HDLC, Crc, Digest, NoTable};
use embedded_storage::nor_flash::NorFlash;

/// Without a table, as on the serial line: flash takes longer to write than eight steps a byte.
static CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

const MAGIC: [u8; 4] = *b"MOTE";

/// What tells the weights of one network from those of another: see [`Store::open`].
pub type Identity = [u8; 8];

/// Bytes of a record, which is written at once: a multiple of every flash's word. An area holds as many fewer numbers.
pub const RECORD: usize = 32;

/// Bytes that are read and written at a time.
const PIECE: usize = 256;

/// The newest of what was saved, and the place for the next.
#[derive(Clone, Debug)]
pub struct Store<F> {
    flash: F,
    first: u32,
    bytes: u32,
    identity: Identity,
    newest: Option<Record>,
}

/// What stands at the start of an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    /// 0 or 1.
    area: u8,
    /// The number of the save; it wraps.
    save: u32,
    len: u32,
    crc: u32,
    identity: Identity,
}

impl<F: NorFlash> Store<F> {
    /// Words and pages that the pieces fit.
    const WORDS_FIT: () = assert!(
        RECORD.is_multiple_of(F::WRITE_SIZE)
            && RECORD.is_multiple_of(F::READ_SIZE)
            && F::ERASE_SIZE.is_multiple_of(RECORD),
        "Store: the flash's words must divide 32 bytes, and those a page"
    );

    /// Looks for what was saved in the two areas of `bytes` bytes each, the first of which begins at `first`. Whether there is
    /// anything, [`len`](Store::len) says.
    ///
    /// `identity` is kept with every save, and a save with another one is not loaded: the same flash outlives a new program.
    ///
    /// # Errors
    /// [`Error::Layout`], [`Error::Flash`].
    pub fn open(
        flash: F,
        first: u32,
        bytes: u32,
        identity: Identity,
    ) -> Result<Self, Error<F::Error>> {
        let () = Self::WORDS_FIT;
        let page = F::ERASE_SIZE as u32;
        let layout = Error::Layout { first, bytes };
        let end = bytes.checked_mul(2).and_then(|both| first.checked_add(both)).ok_or(layout)?;
        let whole = first.is_multiple_of(page) && bytes.is_multiple_of(page) && bytes > 0;
        if !whole || end as usize > flash.capacity() {
            return Err(Error::Layout { first, bytes });
        }
        let mut store = Store { flash, first, bytes, identity, newest: None };
        let (a, b) = (store.check(0)?, store.check(1)?);
        store.newest = match (a, b) {
            // The difference tells which is newer even where the number has wrapped.
            (Some(a), Some(b)) if (b.save.wrapping_sub(a.save) as i32) < 0 => Some(a),
            (_, Some(b)) => Some(b),
            (a, None) => a,
        };
        Ok(store)
    }

    /// How many bytes were saved last, with whatever identity; `None` if nothing was.
    pub fn len(&self) -> Option<usize> {
        self.newest.map(|record| record.len as usize)
    }

    /// Whether nothing was saved.
    pub fn is_empty(&self) -> bool {
        self.newest.is_none()
    }

    /// How many bytes a save may have.
    pub fn capacity(&self) -> usize {
        (self.bytes as usize).saturating_sub(RECORD)
    }

    /// The flash, for others.
    pub fn into_flash(self) -> F {
        self.flash
    }

    /// Keeps these numbers from now on. Until it returns, the last save is what [`load`](Store::load) finds.
    ///
    /// # Errors
    /// [`Error::Length`] before anything is erased; [`Error::Flash`], [`Error::Worn`]: then the last save is still there.
    pub fn save(&mut self, numbers: &[f32]) -> Result<(), Error<F::Error>> {
        let len = size_of_val(numbers);
        if len > self.capacity() {
            return Err(Error::Length { found: len, expected: self.capacity() });
        }
        let (area, save) = match self.newest {
            Some(Record { area, save, .. }) => (1 - area.min(1), save.wrapping_add(1)),
            None => (0, 1),
        };
        let begin = self.begin(area);
        self.flash.erase(begin, begin.saturating_add(self.bytes))?;
        let mut digest = CRC.digest();
        let mut at = begin.saturating_add(RECORD as u32);
        for numbers in numbers.chunks(PIECE / 4) {
            let mut piece = [0xff; PIECE];
            for (bytes, number) in piece.chunks_exact_mut(4).zip(numbers) {
                bytes.copy_from_slice(&number.to_le_bytes());
            }
            let len = size_of_val(numbers);
            digest.update(piece.get(..len).unwrap_or_default());
            // The word that the numbers end in is written whole.
            let words = piece.get(..len.next_multiple_of(RECORD)).unwrap_or(&piece);
            self.flash.write(at, words)?;
            at = at.saturating_add(words.len() as u32);
        }
        let (len, crc) = (len as u32, digest.finalize());
        let record = Record { area, save, len, crc, identity: self.identity };
        // Until here the area holds no record, so what it holds counts for nothing.
        self.flash.write(begin, &record.to_bytes())?;
        if self.check(area)? != Some(record) {
            return Err(Error::Worn);
        }
        self.newest = Some(record);
        Ok(())
    }

    /// Fills `numbers` with what was saved last.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::Identity`], [`Error::Length`] if they are not as many, [`Error::Flash`], and [`Error::Worn`] if the flash no
    /// longer holds what it did when it was opened; `numbers` is as it was then, but for the last two.
    pub fn load(&mut self, numbers: &mut [f32]) -> Result<(), Error<F::Error>> {
        let record = self.newest.ok_or(Error::Empty)?;
        if record.identity != self.identity {
            return Err(Error::Identity { found: record.identity, expected: self.identity });
        }
        let (found, expected) = (record.len as usize, size_of_val(numbers));
        if found != expected {
            return Err(Error::Length { found, expected });
        }
        let mut digest = CRC.digest();
        let mut numbers = numbers.iter_mut();
        self.pieces(record.area, record.len, |piece| {
            digest.update(piece);
            let (bytes, _) = piece.as_chunks();
            bytes.iter().zip(&mut numbers).for_each(|(&bytes, number)| {
                *number = f32::from_le_bytes(bytes);
            });
        })?;
        if digest.finalize() != record.crc { Err(Error::Worn) } else { Ok(()) }
    }

    fn begin(&self, area: u8) -> u32 {
        self.first.saturating_add(if area == 0 { 0 } else { self.bytes })
    }

    /// The record of an area, if it and the numbers behind it are whole.
    fn check(&mut self, area: u8) -> Result<Option<Record>, Error<F::Error>> {
        let mut bytes = [0; RECORD];
        self.flash.read(self.begin(area), &mut bytes)?;
        let record = Record::from_bytes(area, &bytes);
        let Some(record) = record.filter(|record| record.len as usize <= self.capacity()) else {
            return Ok(None);
        };
        let mut digest: Digest<'_, u32, NoTable> = CRC.digest();
        self.pieces(area, record.len, |piece| digest.update(piece))?;
        Ok((digest.finalize() == record.crc).then_some(record))
    }

    /// Reads the `len` bytes behind the record of an area, a piece at a time.
    fn pieces(
        &mut self,
        area: u8,
        len: u32,
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), Error<F::Error>> {
        let mut at = self.begin(area).saturating_add(RECORD as u32);
        let mut left = len as usize;
        let mut piece = [0; PIECE];
        while left > 0 {
            let len = left.min(PIECE);
            let words = piece.get_mut(..len.next_multiple_of(RECORD)).unwrap_or_default();
            self.flash.read(at, words)?;
            take(words.get(..len).unwrap_or_default());
            at = at.saturating_add(len as u32);
            left = left.saturating_sub(len);
        }
        Ok(())
    }
}

impl Record {
    fn to_bytes(self) -> [u8; RECORD] {
        let [save, len, crc] = [self.save, self.len, self.crc].map(u32::to_le_bytes);
        let (identity, _) = self.identity.as_chunks();
        let words = [&[MAGIC, save, len, crc][..], identity];
        let mut digest = CRC.digest();
        words.iter().for_each(|words| digest.update(words.as_flattened()));
        let own = digest.finalize().to_le_bytes();
        let mut bytes = [0xff; RECORD];
        let all = words.iter().copied().flatten().flatten().chain(&own);
        bytes.iter_mut().zip(all).for_each(|(byte, &value)| *byte = value);
        bytes
    }

    fn from_bytes(area: u8, bytes: &[u8; RECORD]) -> Option<Self> {
        let (words, _) = bytes.as_chunks();
        let &[magic, save, len, crc, a, b, own, ..] = words else { return None };
        let [save, len, crc] = [save, len, crc].map(u32::from_le_bytes);
        let mut identity = Identity::default();
        identity.iter_mut().zip([a, b].as_flattened()).for_each(|(byte, &value)| *byte = value);
        let record = Record { area, save, len, crc, identity };
        // The bytes of a record are a function of its fields.
        let bytes = record.to_bytes();
        let (same, _) = bytes.as_chunks::<4>();
        (magic == MAGIC && same.get(6) == Some(&own)).then_some(record)
    }
}
