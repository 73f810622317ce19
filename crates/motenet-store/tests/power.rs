//! The power goes at every point of a save, and something whole is there afterwards.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};
use motenet_store::{Error, Identity, Store};

/// Whose numbers they are, in every test that does not say otherwise.
const OURS: Identity = *b"784-16-1";

/// A flash in RAM, with a number of bytes after which the power goes.
#[derive(Clone)]
struct Flash<const WORD: usize, const PAGE: usize> {
    bytes: Vec<u8>,
    /// Bytes that may still be written or erased.
    power: usize,
    /// What a cut leaves behind is drawn from this.
    noise: u64,
    /// A bit that has stuck at 0.
    stuck: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    PowerCut,
    /// Something that the trait forbids.
    Misuse,
}

impl NorFlashError for Failure {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl<const WORD: usize, const PAGE: usize> Flash<WORD, PAGE> {
    fn new(pages: usize) -> Self {
        // What a chip holds that never was erased.
        let bytes = (0..pages * PAGE).map(|at| (at * 37) as u8).collect();
        Flash { bytes, power: usize::MAX, noise: 1, stuck: None }
    }

    fn random(&mut self) -> u8 {
        self.noise = self.noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.noise >> 56) as u8
    }

    /// Takes power for a byte.
    fn burn(&mut self) -> bool {
        let alive = self.power > 0;
        self.power = self.power.saturating_sub(1);
        alive
    }
}

impl<const WORD: usize, const PAGE: usize> ErrorType for Flash<WORD, PAGE> {
    type Error = Failure;
}

impl<const WORD: usize, const PAGE: usize> ReadNorFlash for Flash<WORD, PAGE> {
    const READ_SIZE: usize = WORD;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Failure> {
        check_read(self, offset, bytes.len()).map_err(|_| Failure::Misuse)?;
        let at = offset as usize;
        bytes.copy_from_slice(&self.bytes[at..at + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const WORD: usize, const PAGE: usize> NorFlash for Flash<WORD, PAGE> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Failure> {
        check_erase(self, from, to).map_err(|_| Failure::Misuse)?;
        for page in (from as usize..to as usize).step_by(PAGE) {
            for at in page..page + PAGE {
                if !self.burn() {
                    // Torn: bits of the whole page, erased or not, or neither.
                    let how = self.random() % 3;
                    for at in page..page + PAGE {
                        let noise = self.random();
                        match how {
                            0 => self.bytes[at] |= noise,
                            1 => self.bytes[at] = noise,
                            _ => {}
                        }
                    }
                    return Err(Failure::PowerCut);
                }
                self.bytes[at] = 0xff;
            }
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Failure> {
        check_write(self, offset, bytes.len()).map_err(|_| Failure::Misuse)?;
        for (word, new) in bytes.chunks(WORD).enumerate() {
            let at = offset as usize + word * WORD;
            if self.bytes[at..at + WORD].iter().any(|&byte| byte != 0xff) {
                return Err(Failure::Misuse); // a word is written once
            }
            for (k, &new) in new.iter().enumerate() {
                if !self.burn() {
                    // Torn: some bits of the word's rest, or anything in all of it.
                    let from = if self.random().is_multiple_of(2) { at + k } else { at };
                    for at in from..at + WORD {
                        self.bytes[at] &= self.random();
                    }
                    return Err(Failure::PowerCut);
                }
                self.bytes[at + k] = new;
            }
        }
        if let Some(at) = self.stuck {
            self.bytes[at] &= 0xfe;
        }
        Ok(())
    }
}

fn numbers(len: usize, seed: u32) -> Vec<f32> {
    (0..len).map(|k| (k as f32 - 3.5) * (seed as f32 + 0.25)).collect()
}

fn load<F: NorFlash>(store: &mut Store<F>) -> Result<Vec<f32>, Error<F::Error>> {
    let mut numbers = vec![0.0; store.len().unwrap_or(0) / 4];
    store.load(&mut numbers).map(|()| numbers)
}

/// Cuts the power of save number `saves + 1` after every byte; how often the last save was lost.
fn cuts<const WORD: usize, const PAGE: usize>(area: u32, len: usize, saves: u32) -> (usize, usize) {
    let mut store = Store::open(Flash::<WORD, PAGE>::new(9), PAGE as u32, area, OURS).unwrap();
    for save in 1..=saves {
        store.save(&numbers(len, save)).unwrap();
    }
    let flash = store.into_flash();
    // Bytes that a whole save erases and writes.
    let (mut whole, room) = (flash.clone(), 1 << 30);
    whole.power = room;
    let mut store = Store::open(whole, PAGE as u32, area, OURS).unwrap();
    store.save(&numbers(len, saves + 1)).unwrap();
    let needed = room - store.into_flash().power;
    let (mut cases, mut kept_new) = (0, 0);
    for power in 0..needed {
        for noise in 1..=6 {
            let flash = Flash {
                power,
                noise: 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(noise),
                ..flash.clone()
            };
            let mut store = Store::open(flash, PAGE as u32, area, OURS).unwrap();
            assert_eq!(store.save(&numbers(len, saves + 1)), Err(Error::Flash(Failure::PowerCut)));
            // Before the power is back, and after.
            let (before, mut flash) = (load(&mut store), store.into_flash());
            flash.power = usize::MAX;
            let mut store = Store::open(flash, PAGE as u32, area, OURS).unwrap();
            let after = load(&mut store);
            if saves == 0 {
                assert!(matches!(after, Err(Error::Empty)) || after == Ok(numbers(len, 1)));
            } else {
                assert_eq!(before, Ok(numbers(len, saves)), "power for {power} bytes");
                let new = after == Ok(numbers(len, saves + 1));
                assert!(new || after == before, "power for {power} bytes: {after:?}");
                kept_new += usize::from(new);
            }
            // And it goes on, twice, so that both areas have had their turn.
            for save in [70, 71] {
                store.save(&numbers(len, save)).unwrap();
                assert_eq!(load(&mut store), Ok(numbers(len, save)));
            }
            cases += 1;
        }
    }
    assert!(cases > 6 * (4 * len + 20 + area as usize - 32 - WORD), "{cases} cases are too few");
    (cases, kept_new)
}

#[test]
fn no_cut_loses_more_than_the_save_under_way() {
    let (mut all, mut kept) = (0, 0);
    for saves in [0, 1, 2, 3] {
        for (cases, kept_new) in [
            cuts::<4, 64>(192, 33, saves),
            cuts::<1, 32>(128, 5, saves),
            cuts::<32, 128>(256, 40, saves),
            cuts::<8, 256>(768, 130, saves),
        ] {
            all += cases;
            kept += kept_new;
        }
    }
    // Every byte of an erased area, of the numbers in whole records and of the record: each from four states of the flash,
    // with six kinds of debris.
    let bytes = (192 + 160 + 32) + (128 + 32 + 32) + (256 + 160 + 32) + (768 + 544 + 32);
    assert_eq!(all, 4 * 6 * bytes);
    // The last bytes of a record are filler: a cut there may leave a save that is whole.
    assert!(kept > 0 && kept < all / 20, "{kept} of {all}");
}

#[test]
fn the_newest_is_found_after_a_start() {
    let mut flash = Flash::<4, 64>::new(8);
    for save in 1..20 {
        let mut store = Store::open(flash, 64, 128, OURS).unwrap();
        assert_eq!(store.len(), (save > 1).then_some(4 * (save - 1)));
        assert_eq!(store.is_empty(), save == 1);
        store.save(&numbers(save, save as u32)).unwrap();
        flash = store.into_flash();
    }
    // Nothing besides the areas was touched.
    let untouched = Flash::<4, 64>::new(8).bytes;
    assert_eq!((&flash.bytes[..64], &flash.bytes[320..]), (&untouched[..64], &untouched[320..]));
}

/// Any one byte that changes in the newest area: the older save is found, never a wrong one.
#[test]
fn damage_is_seen() {
    let mut store = Store::open(Flash::<4, 64>::new(4), 0, 128, OURS).unwrap();
    store.save(&numbers(20, 1)).unwrap();
    store.save(&numbers(20, 2)).unwrap();
    let flash = store.into_flash();
    for at in 128..128 + 32 + 80 {
        let mut flash = flash.clone();
        flash.bytes[at] ^= 0x10;
        let found = load(&mut Store::open(flash, 0, 128, OURS).unwrap()).unwrap();
        // Only what stands behind the record proper means nothing.
        let filler = (156..160).contains(&at);
        assert_eq!(found, numbers(20, if filler { 2 } else { 1 }), "byte {at}");
    }
}

#[test]
fn a_worn_flash_is_noticed_and_the_last_save_stays() {
    let mut store = Store::open(Flash::<4, 64>::new(4), 0, 128, OURS).unwrap();
    store.save(&numbers(20, 1)).unwrap();
    let mut flash = store.into_flash();
    flash.stuck = Some(128 + 32 + 2);
    let mut store = Store::open(flash, 0, 128, OURS).unwrap();
    let ones = [f32::from_bits(u32::MAX >> 9); 20];
    assert_eq!(store.save(&ones), Err(Error::Worn));
    assert_eq!(load(&mut store), Ok(numbers(20, 1)));
}

#[test]
fn what_cannot_be_is_refused() {
    let open = |first, bytes| Store::open(Flash::<4, 64>::new(4), first, bytes, OURS).map(|_| ());
    for (first, bytes) in [(0, 0), (0, 192), (1, 64), (0, 65), (192, 64), (u32::MAX - 63, 1 << 31)]
    {
        assert_eq!(open(first, bytes), Err(Error::Layout { first, bytes }));
    }
    assert_eq!(open(128, 64), Ok(()));
    let mut store = Store::open(Flash::<4, 64>::new(4), 0, 128, OURS).unwrap();
    assert_eq!(store.load(&mut [0.0]), Err(Error::Empty));
    assert_eq!(store.capacity(), 96);
    store.save(&[1.0; 24]).unwrap();
    assert_eq!(store.save(&[2.0; 25]), Err(Error::Length { found: 100, expected: 96 }));
    let mut few = [0.0; 3];
    assert_eq!(store.load(&mut few), Err(Error::Length { found: 96, expected: 12 }));
    assert_eq!((few, load(&mut store)), ([0.0; 3], Ok(vec![1.0; 24])));
    let foreign = Error::Identity { found: [0; 8], expected: OURS };
    let layout = Error::Layout { first: 0, bytes: 1 };
    for error in [Error::Flash(1), Error::Worn, Error::Empty, layout, foreign] {
        let text = error.to_string();
        assert!(text.contains(": ") && !text.contains('\n'), "{text}");
    }
}

/// The flash outlives a new program: what another has saved is refused, not taken for ours, whatever its length.
#[test]
fn the_weights_of_another_are_refused() {
    let theirs = *b"784-16-2";
    let open = |flash, identity| Store::open(flash, 0, 128, identity).unwrap();
    let mut store = open(Flash::<4, 64>::new(4), OURS);
    store.save(&numbers(20, 1)).unwrap();
    let mut store = open(store.into_flash(), theirs);
    let mut found = [0.5; 20];
    let refused = Err(Error::Identity { found: OURS, expected: theirs });
    assert_eq!((store.load(&mut found), found), (refused, [0.5; 20]));
    assert_eq!(store.len(), Some(80));
    store.save(&numbers(20, 2)).unwrap();
    assert_eq!(load(&mut store), Ok(numbers(20, 2)));
    // The newest save counts, not the newest of ours.
    let mut store = open(store.into_flash(), OURS);
    let refused = Err(Error::Identity { found: theirs, expected: OURS });
    assert_eq!(load(&mut store), refused);
    // And the power goes while ours takes its place.
    let flash = store.into_flash();
    let (mut all, mut ours) = (0, 0);
    for power in 0..128 + 96 + 32 {
        for noise in 1..=6 {
            let mut store = open(Flash { power, noise, ..flash.clone() }, OURS);
            assert_eq!(store.save(&numbers(20, 3)), Err(Error::Flash(Failure::PowerCut)));
            let mut flash = store.into_flash();
            flash.power = usize::MAX;
            let mut store = open(flash, OURS);
            let after = load(&mut store);
            let whole = after == Ok(numbers(20, 3));
            assert!(whole || after == refused, "power for {power} bytes: {after:?}");
            (all, ours) = (all + 1, ours + usize::from(whole));
            store.save(&numbers(20, 4)).unwrap();
            assert_eq!(load(&mut store), Ok(numbers(20, 4)));
        }
    }
    assert!(ours > 0 && ours < all / 20, "{ours} of {all}");
}

/// The flash of the boards that have one to write, each with its words, its pages and the areas that boards.toml gives it; the
/// power goes once in every piece of a save of 784-16-10, and in every page.
#[test]
fn the_geometry_of_real_chips() {
    fn on<const WORD: usize, const PAGE: usize>(first: u32, area: u32) -> usize {
        const LEN: usize = 12_730;
        let pages = (first + 2 * area) as usize / PAGE;
        let open = |flash| Store::open(flash, first, area, OURS).unwrap();
        let mut store = open(Flash::<WORD, PAGE>::new(pages));
        store.save(&numbers(LEN, 1)).unwrap();
        store.save(&numbers(LEN, 2)).unwrap();
        let flash = store.into_flash();
        let erased = (0..area as usize).step_by(PAGE);
        let written = (0..4 * LEN + 32).step_by(256).map(|at| area as usize + at);
        let mut cuts = 0;
        for (k, begin) in erased.chain(written).enumerate() {
            // In a word and between words; 27 bytes of a record are less than all that counts.
            let power = begin + k % 27;
            let mut store = open(Flash { power, noise: k as u64, ..flash.clone() });
            let saved = store.save(&numbers(LEN, 3));
            let mut flash = store.into_flash();
            flash.power = usize::MAX;
            let found = load(&mut open(flash)).unwrap();
            assert_eq!(saved, Err(Error::Flash(Failure::PowerCut)));
            assert!(found == numbers(LEN, 2), "power for {power} bytes");
            cuts += 1;
        }
        cuts
    }
    // The pages of an area, 50,920 bytes in pieces of 256, and the record.
    assert_eq!(on::<1, { 128 << 10 }>(256 << 10, 128 << 10), 1 + 199 + 1); // STM32F446: sectors 6 and 7
    assert_eq!(on::<4, { 4 << 10 }>(0, 64 << 10), 16 + 199 + 1); // nRF52833
}
