//! What of a linked firmware can panic: read from the ELF file, without running it.
//!
//! Most boards need no look: where a panic is left, their program does not link (`boards/panic.rs` of the firmware).
//! Where a board's hardware abstraction layer keeps panics of its own, boards.toml names the functions of the board
//! that lead to them, its *doors*, the program is linked with its relocations kept, and this file follows them: what of
//! ours can reach a panic, by calls or by taking an address, must go through a door.
//!
//! Not seen: calls through a table of methods or out of one, since a table has no name. Our own code has none on a chip.

use crate::elf;
use anyhow::{Context, Result, bail};
use object::read::elf::ElfFile32;
use object::{Endianness, Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionKind};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Where every panic ends.
const HANDLER: &str = "__rustc::rust_begin_unwind";

/// An error if the program at `path` can panic elsewhere than behind the doors, or if a door leads to no panic.
pub(crate) fn check(path: &Path, doors: &[String]) -> Result<()> {
    if doors.is_empty() {
        return Ok(()); // the linker has seen to it
    }
    let bytes = fs::read(path).with_context(|| format!("reading {} failed", path.display()))?;
    let calls =
        Calls::read(&bytes).with_context(|| format!("reading {} failed", path.display()))?;
    calls.check(doors).with_context(|| path.display().to_string())
}

/// Which function refers to which.
#[derive(Debug, Default)]
struct Calls(BTreeMap<String, BTreeSet<String>>);

impl Calls {
    fn read(bytes: &[u8]) -> Result<Self> {
        let file = elf::parse(bytes)?;
        let functions = functions(&file)?;
        // A function that begins there or before, and does not end before.
        let at = |address: u64| {
            let (begin, (size, name)) = functions.range(..=address).next_back()?;
            (address < begin + size).then_some(name)
        };
        let mut calls = Calls::default();
        let mut relocations = 0;
        for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
            for (offset, relocation) in section.relocations() {
                let RelocationTarget::Symbol(symbol) = relocation.target() else { continue };
                relocations += 1;
                let to = at(even(&file, file.symbol_by_index(symbol)?.address()));
                if let (Some(from), Some(to)) = (at(offset), to) {
                    calls.0.entry(from.clone()).or_default().insert(to.clone());
                }
            }
        }
        if relocations == 0 {
            bail!("found no relocations, expected some: link with --emit-relocs");
        }
        Ok(calls)
    }

    fn check(&self, doors: &[String]) -> Result<()> {
        let door = |name: &str| doors.iter().any(|door| leads(name, door));
        let ours = |name: &str| name.contains("firmware::") || name.contains("motenet");
        for from in self.0.keys().filter(|name| ours(name) && !door(name)) {
            if let Some(path) = self.path(from, &door) {
                bail!(
                    "found a way to a panic, expected none but by {}: {}",
                    doors.join(", "),
                    path.join(" → ")
                );
            }
        }
        for wanted in doors {
            let mut all = self.0.keys().filter(|name| leads(name, wanted));
            if !all.any(|from| self.path(from, &|_| false).is_some()) {
                bail!(
                    "found no panic behind {wanted}: strike it from the board's row in boards.toml"
                );
            }
        }
        Ok(())
    }

    /// A shortest chain of calls from a function to the handler of panics that passes no door.
    fn path(&self, from: &str, door: &dyn Fn(&str) -> bool) -> Option<Vec<&str>> {
        let (from, _) = self.0.get_key_value(from)?;
        let mut before: BTreeMap<&str, &str> = BTreeMap::from([(from.as_str(), "")]);
        let mut row = vec![from.as_str()];
        while !row.is_empty() {
            let mut next = Vec::new();
            for name in row {
                if name == HANDLER {
                    let chain = std::iter::successors(Some(name), |name| before.get(name).copied());
                    let mut chain: Vec<_> = chain.take_while(|name| !name.is_empty()).collect();
                    chain.reverse();
                    return Some(chain);
                }
                for to in self.0.get(name).into_iter().flatten() {
                    if !door(to) && !before.contains_key(to.as_str()) {
                        before.insert(to, name);
                        next.push(to.as_str());
                    }
                }
            }
            row = next;
        }
        None
    }
}

/// Whether a function is the door `Trait::method`, as a board implements it.
fn leads(name: &str, door: &str) -> bool {
    let ends = door.split_once("::").map(|(of, method)| format!("::{of}>::{method}"));
    name.starts_with("<firmware::boards::") && ends.is_some_and(|ends| name.ends_with(&ends))
}

/// Functions by their first byte, with their sizes and names.
fn functions(file: &ElfFile32<'_, Endianness>) -> Result<BTreeMap<u64, (u64, String)>> {
    let mut functions = BTreeMap::new();
    for symbol in file.symbols() {
        if symbol.kind() == object::SymbolKind::Text && symbol.size() > 0 {
            let name = format!("{:#}", rustc_demangle::demangle(symbol.name()?));
            functions.insert(even(file, symbol.address()), (symbol.size(), name));
        }
    }
    if !functions.values().any(|(_, name)| name.contains("firmware::")) {
        bail!("found no function of ours, expected a program with its symbols: build it anew");
    }
    Ok(functions)
}

/// On Arm the lowest bit of a function's address only says that it is Thumb code.
fn even(file: &ElfFile32<'_, Endianness>, address: u64) -> u64 {
    if file.architecture() == object::Architecture::Arm { address & !1 } else { address }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of `caller callee` lines.
    fn calls(text: &str) -> Calls {
        let mut calls = Calls::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (from, to) = line.split_once(" -> ").unwrap();
            calls.0.entry(from.into()).or_default().insert(to.into());
        }
        calls
    }

    const PROGRAM: &str = "
        firmware::main -> <firmware::boards::a::A as firmware::boards::Board>::take
        firmware::main -> firmware::app::serve
        <firmware::boards::a::A as firmware::boards::Board>::take -> hal::clocks
        hal::clocks -> core::panicking::panic
        core::panicking::panic -> __rustc::rust_begin_unwind
        __rustc::rust_begin_unwind -> hal::reset
        firmware::app::serve -> core::memcpy
        firmware::app::serve -> firmware::app::serve
    ";

    fn found(more: &str, doors: &[&str]) -> String {
        let doors: Vec<String> = doors.iter().map(|&door| door.into()).collect();
        calls(&format!("{PROGRAM}{more}"))
            .check(&doors)
            .map_or_else(|e| e.to_string(), |()| String::new())
    }

    #[test]
    fn a_panic_behind_a_door_is_the_boards_own() {
        assert_eq!(found("", &["Board::take"]), "");
    }

    #[test]
    fn any_other_way_is_named_from_end_to_end() {
        for more in [
            "firmware::app::serve -> core::panicking::panic",
            "core::memcpy -> core::panicking::panic",
            "firmware::app::serve -> motenet::x\nmotenet::x -> <motenet::y>::take\n<motenet::y>::take -> core::panicking::panic",
        ] {
            let said = found(more, &["Board::take"]);
            assert!(
                said.starts_with("found a way to a panic, expected none but by Board::take: "),
                "{said}"
            );
            assert!(
                said.ends_with(" → core::panicking::panic → __rustc::rust_begin_unwind"),
                "{said}"
            );
        }
        // Without its door, the board's own too.
        let said = found("", &[]);
        assert!(said.contains("Board>::take → hal::clocks → core::panicking::panic → "), "{said}");
    }

    #[test]
    fn a_door_that_leads_nowhere_is_to_go() {
        let said = found("", &["Board::take", "Read::read"]);
        assert_eq!(
            said,
            "found no panic behind Read::read: strike it from the board's row in boards.toml"
        );
    }
}
