//! What a chip has learned, kept in flash through any loss of power.
//!
//! Two areas take turns. A [`Store::save`] erases the older one, writes the numbers, and last of all a record that says
//! how many they are, which save it was, what their CRC-32 is, and whose they are. Whenever the power goes, the other area is as it was:
//! at most the save under way is lost. [`Store::open`] takes the newer of the records that are whole.
//!
//! The flash is anything that implements [`NorFlash`], the trait of the `embedded-storage` crate that the chips' own
//! crates implement.
//!
//! | bytes of an area | what |
//! |---|---|
//! | 0 to 31 | the record: `MOTE`, save `u32`, bytes `u32`, their CRC-32, an identity of 8 bytes, the CRC-32 of these 24; the rest 0xff |
//! | from 32 on | the numbers, lowest byte first; to a multiple of 32 bytes 0xff |
//!
//! # What is assumed
//! Writing and erasing touch only the words and pages they are told to, and what a cut leaves in those may be anything,
//! but reads the same again and again. A word in which a cut has left half a charge could break that; such a save can be
//! read today and not tomorrow. Where it matters, save once more after a start that found a save.
//!
//! # Memory
//! No allocation, no state but the flash's and 36 bytes; 256 bytes of stack for a piece of an area. Never panics.
#![no_std]

mod error;
mod store;

pub use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
pub use error::Error;
pub use store::{Identity, RECORD, Store};
