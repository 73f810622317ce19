//! Weights in flash: whatever two areas hold, what is found is what a reader of the layout finds, and a save goes on from there.

use crate::check_message;
use crate::link::crc32;
use embedded_storage::nor_flash::{
    ErrorType, NorFlashError, NorFlashErrorKind, check_erase, check_read, check_write,
};
use motenet_store::{Error, Identity, NorFlash, ReadNorFlash, Store};

/// Bytes of a record.
const RECORD: usize = 32;

/// Whose saves are loaded.
const OURS: Identity = *b"hostile!";

/// The first byte. Bits 0 and 1: the flash's words and pages. Bits 2 and 3: whether the first and the second area get a
/// record whose checksums are right; that is of our identity unless the lowest bit of the byte there is set. Above: how
/// many numbers are saved. Then the two areas.
pub fn check(data: &[u8]) {
    let Some((&mode, areas)) = data.split_first() else { return };
    match mode & 3 {
        0 => on::<1, 32>(96, mode, areas),
        1 => on::<4, 64>(192, mode, areas),
        2 => on::<32, 128>(256, mode, areas),
        _ => on::<8, 256>(768, mode, areas),
    }
}

/// Areas with nothing, with one save, with two, with numbers that have wrapped, with lengths that cannot be.
pub fn seeds() -> Vec<Vec<u8>> {
    let area = |save: u32, len: u32, area: usize| {
        let mut bytes = [&[0; 4], &save.to_le_bytes()[..], &len.to_le_bytes()].concat();
        bytes.extend((bytes.len()..area).map(|at| (at * 37) as u8));
        bytes[16] = u8::from(len == 64); // the weights of another
        bytes
    };
    let mut seeds = Vec::new();
    for (geometry, size) in [(0, 96), (1, 192), (2, 256), (3, 768)] {
        for (a, b) in
            [((1, 8), (2, 64)), ((u32::MAX, 16), (0, 12)), ((9, 5), (8, 9_000)), ((3, 0), (3, 40))]
        {
            for forged in [0, 4, 8, 12] {
                let mode = 0x30 | forged | geometry;
                seeds.push([&[mode], &area(a.0, a.1, size)[..], &area(b.0, b.1, size)].concat());
            }
        }
    }
    seeds
}

/// With two areas of `area` bytes each, a page from the start.
fn on<const WORD: usize, const PAGE: usize>(area: usize, mode: u8, areas: &[u8]) {
    let mut bytes = vec![0xff; PAGE + 2 * area + PAGE];
    let given = areas.len().min(2 * area);
    bytes[PAGE..PAGE + given].copy_from_slice(&areas[..given]);
    for (k, bytes) in bytes[PAGE..].chunks_exact_mut(area).take(2).enumerate() {
        if mode >> 2 >> k & 1 == 1 {
            forge(bytes);
        }
    }
    let before = bytes.clone();
    let [a, b] = [&before[PAGE..PAGE + area], &before[PAGE + area..PAGE + 2 * area]];
    let newest = newest(a, b);

    let flash = Flash::<WORD, PAGE> { bytes };
    let open = |flash| Store::open(flash, PAGE as u32, area as u32, OURS);
    let mut store = open(flash).expect("the areas fit the flash");
    assert_eq!(store.len(), newest.map(|(_, _, numbers)| numbers.len()));
    assert_eq!(store.is_empty(), newest.is_none());
    assert_eq!(store.capacity(), area - RECORD);
    let mut numbers = vec![0.0; store.len().unwrap_or(0) / 4];
    match (store.load(&mut numbers), newest) {
        (Err(Error::Empty), None) => {}
        (Err(error @ Error::Identity { found, .. }), Some((_, identity, _))) => {
            assert!(found == identity && identity != OURS);
            check_message(&error);
        }
        (Ok(()), Some((_, OURS, saved))) => assert_eq!(bytes_of(&numbers), saved),
        (Err(error @ Error::Length { .. }), Some((_, OURS, saved))) => {
            assert_ne!(saved.len() % 4, 0);
            check_message(&error);
        }
        (found, expected) => panic!("{found:?}, expected {expected:?}"),
    }

    // A save goes to the other area and is what is found from then on.
    let numbers: Vec<f32> = (0..mode >> 4).map(f32::from).collect();
    store.save(&numbers).expect("there is room for fifteen numbers");
    let mut loaded = vec![f32::NAN; numbers.len()];
    assert_eq!(store.load(&mut loaded), Ok(()));
    assert_eq!(loaded, numbers);
    let flash = store.into_flash();
    let kept = newest.map_or(1, |(area, ..)| area);
    let rest = |bytes: &[u8]| {
        let other = PAGE + (1 - kept) * area;
        [&bytes[..other], &bytes[other + area..]].concat()
    };
    assert_eq!(rest(&flash.bytes), rest(&before));
    let mut store = open(flash).expect("the areas fit the flash");
    loaded.fill(f32::NAN);
    assert_eq!(store.load(&mut loaded), Ok(()));
    assert_eq!(loaded, numbers);
}

fn bytes_of(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_bits().to_le_bytes()).collect()
}

/// Makes the checksums of an area right, as far as its length makes sense.
fn forge(area: &mut [u8]) {
    area[..4].copy_from_slice(b"MOTE");
    let len = word(area, 8) as usize;
    if let Some(numbers) = area[RECORD..].get(..len) {
        let crc = crc32(numbers).to_le_bytes();
        area[12..16].copy_from_slice(&crc);
    }
    if area[16] & 1 == 0 {
        area[16..24].copy_from_slice(&OURS);
    }
    let crc = crc32(&area[..24]).to_le_bytes();
    area[24..28].copy_from_slice(&crc);
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Which area holds the newest whole save, and its bytes: from the table in the documentation of `motenet-store`.
fn newest<'a>(a: &'a [u8], b: &'a [u8]) -> Option<(usize, Identity, &'a [u8])> {
    let whole = |area: &'a [u8]| {
        let record = &area[..RECORD];
        let numbers = area[RECORD..].get(..word(record, 8) as usize)?;
        let right = record.starts_with(b"MOTE")
            && crc32(&record[..24]) == word(record, 24)
            && crc32(numbers) == word(record, 12);
        let identity = record[16..24].try_into().expect("eight bytes");
        right.then_some((word(record, 4), identity, numbers))
    };
    match (whole(a), whole(b)) {
        // The second is newer, or as new, if it is fewer than 2³¹ saves ahead.
        (Some((first, ..)), Some((second, whose, numbers)))
            if second.wrapping_sub(first) < 1 << 31 =>
        {
            Some((1, whose, numbers))
        }
        (Some((_, whose, numbers)), _) => Some((0, whose, numbers)),
        (None, second) => second.map(|(_, whose, numbers)| (1, whose, numbers)),
    }
}

/// A flash in memory that refuses what the trait forbids.
struct Flash<const WORD: usize, const PAGE: usize> {
    bytes: Vec<u8>,
}

/// Words and pages that do not begin where they must, or that lie beyond the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Misuse;

impl NorFlashError for Misuse {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl<const WORD: usize, const PAGE: usize> ErrorType for Flash<WORD, PAGE> {
    type Error = Misuse;
}

impl<const WORD: usize, const PAGE: usize> ReadNorFlash for Flash<WORD, PAGE> {
    const READ_SIZE: usize = WORD;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Misuse> {
        check_read(self, offset, bytes.len()).map_err(|_| Misuse)?;
        bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const WORD: usize, const PAGE: usize> NorFlash for Flash<WORD, PAGE> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Misuse> {
        check_erase(self, from, to).map_err(|_| Misuse)?;
        self.bytes[from as usize..to as usize].fill(0xff);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Misuse> {
        check_write(self, offset, bytes.len()).map_err(|_| Misuse)?;
        let place = &mut self.bytes[offset as usize..][..bytes.len()];
        // Every word is written once between two erasures.
        if place.iter().any(|&byte| byte != 0xff) {
            return Err(Misuse);
        }
        place.copy_from_slice(bytes);
        Ok(())
    }
}
