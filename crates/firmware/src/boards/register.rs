//! A register of a peripheral: 32 bits, or 8, at a fixed address.

use core::ptr::with_exposed_provenance_mut;

/// A register that can be read and written in safe code.
#[derive(Clone, Copy)]
pub(super) struct Register<T: Copy> {
    address: *mut T,
}

impl<T: Copy> Register<T> {
    /// The register at this address.
    ///
    /// # Safety
    /// There must be a register of this width at the address, at all times, and neither reading nor
    /// writing it may touch memory that the language knows of.
    pub(super) const unsafe fn at(address: usize) -> Self {
        Register { address: with_exposed_provenance_mut(address) }
    }

    #[inline(always)]
    pub(super) fn read(self) -> T {
        // SAFETY: a register of this width is there, by the promise of `at`.
        unsafe { self.address.read_volatile() }
    }

    #[inline(always)]
    pub(super) fn write(self, value: T) {
        // SAFETY: as above, and no memory of ours changes by it.
        unsafe { self.address.write_volatile(value) }
    }
}
