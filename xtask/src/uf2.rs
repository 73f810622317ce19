//! A program as UF2, the file that a board's boot drive takes.
//!
//! UF2 is a row of blocks of 512 bytes, each of which says where its 256 bytes of payload go, so that it
//! may arrive in any order (Microsoft, *UF2 specification*). The RP2040's boot drive erases 4096 bytes at
//! a time, so every such sector that the program touches is written whole.

use crate::elf::Segment;
use anyhow::{Result, bail};
use std::collections::BTreeMap;

/// The chip that a file is for, by the number that the specification's list of families gives it.
pub(crate) const RP2040: u32 = 0xe48b_ff56;

const BLOCK: usize = 512;
const PAYLOAD: usize = 256;
const SECTOR: u64 = 4096;
const MAGIC: [u32; 2] = [0x0a32_4655, 0x9e5d_5157];
const MAGIC_END: u32 = 0x0ab1_6f30;
/// A family is named where otherwise the file's size would be.
const HAS_FAMILY: u32 = 0x2000;

/// The file of a program for the chips of `family`.
///
/// Pieces may lie anywhere and touch, but not overlap; what lies between them in a sector becomes zero.
pub(crate) fn write(segments: &[Segment<'_>], family: u32) -> Result<Vec<u8>> {
    let mut sectors: BTreeMap<u64, [u8; SECTOR as usize]> = BTreeMap::new();
    for segment in segments {
        let Some(end) = segment.address.checked_add(segment.bytes.len() as u64) else {
            bail!("a segment ends beyond the address space: build it anew");
        };
        if end > 1 << 32 {
            bail!("a segment ends at {end:#x}, expected at most 0x100000000: build it anew");
        }
        for (address, &byte) in (segment.address..).zip(segment.bytes) {
            let sector = sectors.entry(address - address % SECTOR).or_insert([0; SECTOR as usize]);
            sector[(address % SECTOR) as usize] = byte;
        }
    }
    let count = sectors.len() * SECTOR as usize / PAYLOAD;
    let mut file = Vec::with_capacity(count * BLOCK);
    let pages = sectors
        .iter()
        .flat_map(|(start, sector)| (*start..).step_by(PAYLOAD).zip(sector.chunks_exact(PAYLOAD)));
    for (number, (address, payload)) in pages.enumerate() {
        let head = [
            MAGIC[0],
            MAGIC[1],
            HAS_FAMILY,
            u32::try_from(address)?,
            PAYLOAD as u32,
            u32::try_from(number)?,
            u32::try_from(count)?,
            family,
        ];
        file.extend(head.iter().flat_map(|word| word.to_le_bytes()));
        file.extend(payload);
        file.resize((number + 1) * BLOCK - size_of_val(&MAGIC_END), 0);
        file.extend(MAGIC_END.to_le_bytes());
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(block: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(block[at..at + 4].try_into().unwrap())
    }

    /// Reads a file as the specification tells a boot loader to.
    fn load(file: &[u8], family: u32) -> BTreeMap<u32, u8> {
        assert_eq!(file.len() % 512, 0);
        let mut memory = BTreeMap::new();
        let blocks: Vec<_> = file.chunks(512).collect();
        for (number, block) in blocks.iter().enumerate() {
            assert_eq!(&block[..4], b"UF2\n");
            assert_eq!(word(block, 4), 0x9e5d5157);
            assert_eq!(word(block, 508), 0x0ab16f30);
            assert_eq!(word(block, 8), 0x2000);
            let (address, size) = (word(block, 12), word(block, 16));
            assert_eq!((address % 256, size), (0, 256));
            assert_eq!(word(block, 20) as usize, number);
            assert_eq!(word(block, 24) as usize, blocks.len());
            assert_eq!(word(block, 28), family);
            for (at, &byte) in (address..).zip(&block[32..32 + size as usize]) {
                assert_eq!(memory.insert(at, byte), None, "{at:#x} twice");
            }
            assert!(block[32 + size as usize..508].iter().all(|&byte| byte == 0));
        }
        memory
    }

    #[test]
    fn what_is_loaded_is_what_was_there() {
        let boot: Vec<u8> = (0..=255).collect();
        let code: Vec<u8> = (0..9_001u32).map(|k| (k * 7 + k / 256) as u8).collect();
        let segments = [
            Segment { address: 0x1000_0000, bytes: &boot },
            Segment { address: 0x1000_0100, bytes: &code },
            Segment { address: 0x1000_9ffd, bytes: &[1, 2, 3, 4, 5] },
        ];
        let file = write(&segments, RP2040).unwrap();
        let memory = load(&file, 0xe48bff56);
        for segment in &segments {
            for (at, byte) in (segment.address as u32..).zip(segment.bytes) {
                assert_eq!(memory[&at], *byte, "{at:#x}");
            }
        }
        // Three sectors, and the two that the last piece straddles; zeros around.
        assert_eq!(memory.len(), 5 * 4096);
        assert_eq!(memory[&0x1000_9ffc], 0);
        assert_eq!(memory.values().filter(|&&byte| byte == 5).count(), {
            code.iter().chain(&boot).filter(|&&byte| byte == 5).count() + 1
        });
    }

    #[test]
    fn one_byte_by_hand() {
        let file = write(&[Segment { address: 0x2000, bytes: &[0xab] }], 7).unwrap();
        assert_eq!(file.len(), 16 * 512);
        let head = [
            0x55, 0x46, 0x32, 0x0a, 0x57, 0x51, 0x5d, 0x9e, 0x00, 0x20, 0, 0, 0x00, 0x20, 0, 0, 0,
            1, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 7, 0, 0, 0, 0xab, 0,
        ];
        assert_eq!(file[..34], head);
        assert_eq!(file[508..512], [0x30, 0x6f, 0xb1, 0x0a]);
        assert_eq!(file[512 + 13], 0x21);
    }

    #[test]
    fn addresses_beyond_32_bits_are_refused() {
        for address in [u64::MAX, u64::from(u32::MAX)] {
            let error = write(&[Segment { address, bytes: &[1, 2] }], 0).unwrap_err();
            assert!(error.to_string().contains("build it anew"), "{error}");
        }
        assert!(write(&[], 0).unwrap().is_empty());
    }
}
