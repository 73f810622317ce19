//! Memory for flash.
//!
//! A simulated board has memory that a reset leaves as it is and no flash that can be written, so here that memory stands
//! for flash: it is erased by pages to ones, and writing only clears bits. That its contents outlive a loss of power is not
//! simulated. A board without such a place has a flash of no bytes.

use super::KEPT;
use core::ptr::with_exposed_provenance_mut;
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

/// The flash for what was learned.
pub struct Flash(());

/// The flash, and the number of the first byte in it that is for what was learned. Called once.
pub fn flash() -> (Flash, u32) {
    (Flash(()), 0)
}

impl Flash {
    /// The byte at an offset that was checked.
    fn byte(offset: u32) -> *mut u8 {
        with_exposed_provenance_mut(KEPT.address.wrapping_add(offset as usize))
    }
}

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        check_read(self, offset, bytes.len())?;
        for (at, byte) in (offset..).zip(bytes) {
            // SAFETY: the region is memory that the linker gives to nobody (boards.toml), and the offset lies in it.
            *byte = unsafe { Self::byte(at).read_volatile() };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        2 * KEPT.area as usize
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        check_erase(self, from, to)?;
        for at in from..to {
            // SAFETY: as in `read`.
            unsafe { Self::byte(at).write_volatile(0xff) };
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        check_write(self, offset, bytes.len())?;
        for (at, &byte) in (offset..).zip(bytes) {
            let place = Self::byte(at);
            // SAFETY: as in `read`.
            unsafe { place.write_volatile(place.read_volatile() & byte) };
        }
        Ok(())
    }
}
