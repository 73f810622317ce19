//! The table of boards, `crates/firmware/boards.toml`: what the firmware's build script reads too.

use crate::root;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A board that the firmware runs on, simulated or real.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Board {
    /// Its name in the table, and the firmware's feature.
    #[serde(skip)]
    pub(crate) name: String,
    /// One line for people.
    pub(crate) about: String,
    /// The core, as its maker writes it.
    pub(crate) core: String,
    /// The target that `rustc` builds for.
    pub(crate) target: String,
    /// The same with floats in hardware, which its simulator has.
    #[serde(default)]
    pub(crate) target_fpu: Option<String>,
    /// Where the program lies.
    pub(crate) flash: Region,
    /// Where its variables lie.
    pub(crate) ram: Region,
    /// What its programs may use of stack.
    pub(crate) stack: Stack,
    /// The simulator and its first arguments; empty for a real board.
    #[serde(default)]
    pub(crate) qemu: Vec<String>,
    /// The chip as `probe-rs` and `espflash` name it.
    #[serde(default)]
    pub(crate) chip: Option<String>,
    /// The simulated board with the same core.
    #[serde(default)]
    pub(crate) simulated_by: Option<String>,
    /// The board's functions that lead to panics of its hardware abstraction layer.
    #[serde(default)]
    pub(crate) panics: Panics,
    /// How the program gets onto a real board.
    #[serde(default)]
    pub(crate) flash_by: Option<FlashBy>,
}

/// The functions of a board behind which each program may panic.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Panics {
    /// The one that infers.
    pub(crate) infer: Vec<String>,
    /// The one that learns.
    pub(crate) learn: Vec<String>,
}

/// The most stack of each program, in bytes.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Stack {
    /// The one that infers.
    pub(crate) infer: u32,
    /// The one that learns.
    pub(crate) learn: u32,
}

/// An error if a program has used more stack on `board` than its budget.
pub(crate) fn check_stack(board: &str, found: u32, budget: u32) -> Result<()> {
    if found > budget {
        bail!(
            "{board} has used {found} bytes of stack, its budget is {budget}: find what grew, or raise it in boards.toml"
        );
    }
    Ok(())
}

/// A piece of the address space.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Region {
    /// Its first address.
    pub(crate) origin: u64,
    /// Its size.
    pub(crate) bytes: u64,
}

impl Region {
    /// Whether an address lies in it.
    pub(crate) fn holds(self, address: u64) -> bool {
        address.checked_sub(self.origin).is_some_and(|offset| offset < self.bytes)
    }
}

/// How a program gets onto a real board.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FlashBy {
    /// A debug probe and the `probe-rs` command.
    ProbeRs,
    /// A file copied to the drive that the board pretends to be.
    Uf2,
    /// The serial bootloader and the `espflash` command.
    Espflash,
}

/// All boards of the table.
pub(crate) struct Boards(BTreeMap<String, Board>);

impl Boards {
    /// Reads the table.
    pub(crate) fn read() -> Result<Self> {
        let path = table();
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("reading {} failed", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not a table of boards", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut boards: BTreeMap<String, Board> = toml::from_str(text)
            .map_err(|error| anyhow::anyhow!(error.to_string().trim_end().replace('\n', " ")))?;
        for (name, board) in &mut boards {
            board.name.clone_from(name);
            if board.qemu.is_empty() == board.flash_by.is_none() {
                bail!("`{name}` has {}, expected one of `qemu` and `flash_by`", {
                    if board.qemu.is_empty() { "neither" } else { "both" }
                });
            }
        }
        Ok(Self(boards))
    }

    /// The board called `name`.
    pub(crate) fn find(&self, name: &str) -> Result<&Board> {
        self.0.get(name).with_context(|| {
            let names: Vec<_> = self.0.keys().map(String::as_str).collect();
            format!("found no board `{name}`, expected one of {}", names.join(", "))
        })
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Board> {
        self.0.values()
    }

    /// Those that QEMU simulates.
    pub(crate) fn simulated(&self) -> impl Iterator<Item = &Board> {
        self.all().filter(|board| board.is_simulated())
    }
}

impl Board {
    /// Whether QEMU simulates it.
    pub(crate) fn is_simulated(&self) -> bool {
        !self.qemu.is_empty()
    }
}

/// The folder of the firmware, a workspace of its own.
pub(crate) fn firmware() -> PathBuf {
    root().join("crates/firmware")
}

fn table() -> PathBuf {
    firmware().join("boards.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"
        [real]
        about = "A board"
        core = "Cortex-M4F"
        target = "thumbv7em-none-eabihf"
        flash = { origin = 0x0800_0000, bytes = 524_288 }
        ram = { origin = 0x2000_0000, bytes = 131_072 }
        stack = { infer = 2, learn = 3 }
        chip = "STM32F446RETx"
        simulated_by = "same"
        flash_by = "probe-rs"
        something_new = 3

        [same]
        about = "A simulated board"
        core = "Cortex-M4F"
        target = "thumbv7em-none-eabihf"
        flash = { origin = 0, bytes = 4 }
        ram = { origin = 0x2000_0000, bytes = 4 }
        stack = { infer = 2, learn = 3 }
        qemu = ["qemu-system-arm", "-M", "mps2-an386"]
    "#;

    #[test]
    fn rows_as_they_are_written() {
        let boards = Boards::parse(TABLE).unwrap();
        let real = boards.find("real").unwrap();
        assert_eq!((real.name.as_str(), real.flash_by), ("real", Some(FlashBy::ProbeRs)));
        assert_eq!(real.flash.origin, 0x0800_0000);
        assert!(!real.is_simulated());
        let names: Vec<_> = boards.simulated().map(|board| board.name.as_str()).collect();
        assert_eq!(names, ["same"]);
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = Boards::parse(TABLE).unwrap().find("pico").unwrap_err().to_string();
        assert_eq!(error, "found no board `pico`, expected one of real, same");
    }

    #[test]
    fn a_bad_table_is_one_line() {
        for (old, new) in [
            ("524_288", "-1"),
            ("flash_by = \"probe-rs\"", "flash_by = \"magic\""),
            ("flash_by = \"probe-rs\"", ""),
            ("about = \"A board\"", ""),
            ("[real]", "[real"),
        ] {
            let text = TABLE.replacen(old, new, 1);
            let error = Boards::parse(&text).map(|_| ()).unwrap_err().to_string();
            assert!(!error.contains('\n') && error.len() > 10, "{error}");
        }
        let both = TABLE.replace("chip =", "qemu = [\"q\"]\nchip =");
        let error = Boards::parse(&both).map(|_| ()).unwrap_err().to_string();
        assert_eq!(error, "`real` has both, expected one of `qemu` and `flash_by`");
    }

    #[test]
    fn a_region_ends_before_its_end() {
        let region = Region { origin: 0x100, bytes: 0x10 };
        assert!(region.holds(0x100) && region.holds(0x10f));
        assert!(!region.holds(0xff) && !region.holds(0x110));
    }
}
