//! What a linked firmware weighs: read from the ELF file, without running it.

use crate::boards::Board;
use anyhow::{Context, Result, bail};
use object::elf::{FileHeader32, PT_LOAD, SHF_ALLOC};
use object::read::elf::{ElfFile32, ProgramHeader};
use object::{Endianness, Object, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind};
use std::fs;
use std::path::Path;

/// Bytes of a firmware, in the chip's memories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Flash: code, constants, and what variables start as.
    pub(crate) flash_bytes: u64,
    /// RAM that is taken all the time: `.data`, `.bss` and their like, without the stack.
    pub(crate) static_bytes: u64,
    /// Flash of the functions of inference alone.
    pub(crate) code_bytes: u64,
}

/// A piece of the file and where in flash it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'a> {
    /// Its first address.
    pub(crate) address: u64,
    /// What goes there.
    pub(crate) bytes: &'a [u8],
}

/// Reads the sizes of the firmware at `path`, built for `board`.
pub(crate) fn sizes(path: &Path, board: &Board) -> Result<Sizes> {
    let bytes = fs::read(path).with_context(|| format!("reading {} failed", path.display()))?;
    sizes_of(&bytes, board).with_context(|| format!("{} is not a firmware", path.display()))
}

fn sizes_of(bytes: &[u8], board: &Board) -> Result<Sizes> {
    let flash = segments(bytes)?.iter().map(|segment| segment.bytes.len() as u64).sum();
    let file = parse(bytes)?;
    let mut static_bytes = 0;
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
        let taken = sh_flags.0 & SHF_ALLOC.0 != 0;
        // What is left over, not what is taken.
        let rest = matches!(section.name()?, ".stack" | ".heap");
        if taken && !rest && board.ram.holds(section.address()) {
            static_bytes += section.size();
        }
    }
    let mut functions: Vec<(u64, u64)> = file
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
        .filter(|symbol| symbol.name().is_ok_and(is_inference))
        .map(|symbol| (symbol.address(), symbol.size()))
        .collect();
    // Several names may stand for the same function.
    functions.sort_unstable();
    functions.dedup_by_key(|function| function.0);
    let code_bytes = functions.iter().map(|function| function.1).sum();
    Ok(Sizes { flash_bytes: flash, static_bytes, code_bytes })
}

/// Whether a symbol belongs to inference: the layers and kernels of the library, and the firmware's one function that
/// calls them.
fn is_inference(symbol: &str) -> bool {
    let name = format!("{:#}", rustc_demangle::demangle(symbol));
    let parts = ["motenet_quant::", "motenet::", "firmware::model::"];
    symbol.starts_with("motenet_") || parts.iter().any(|part| name.contains(part))
}

/// The pieces that go to flash, in the file's order.
pub(crate) fn segments(bytes: &[u8]) -> Result<Vec<Segment<'_>>> {
    let file = parse(bytes)?;
    let mut segments = Vec::new();
    for header in file.elf_program_headers() {
        let endian = Endianness::Little;
        if header.p_type(endian) != PT_LOAD || header.p_filesz(endian) == 0 {
            continue;
        }
        let bytes = header.data(endian, bytes).ok().context("a segment lies beyond the file")?;
        segments.push(Segment { address: u64::from(header.p_paddr(endian)), bytes });
    }
    if segments.is_empty() {
        bail!("found nothing to load, expected a linked program: build it anew");
    }
    Ok(segments)
}

pub(crate) fn parse(bytes: &[u8]) -> Result<ElfFile32<'_, Endianness>> {
    let file = ElfFile32::<Endianness>::parse(bytes)
        .map_err(|error| anyhow::anyhow!("not a 32-bit ELF file ({error}): build it anew"))?;
    let _: &FileHeader32<Endianness> = file.elf_header();
    if file.endianness() != object::Endianness::Little {
        bail!("the file is for a big-endian chip, expected little-endian: build it anew");
    }
    Ok(file)
}
