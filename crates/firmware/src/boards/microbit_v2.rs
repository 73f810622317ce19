//! The BBC micro:bit version 2: nRF52833, a Cortex-M4F at 64 MHz.
//!
//! The serial port is UARTE0 on P0.06 (out) and P1.08 (in), which the board wires to its interface chip:
//! one USB cable flashes and is the line, 115200 baud, 8N1 (micro:bit V2 schematic, `UART_INT_TX` and
//! `UART_INT_RX`).

use super::{Board, or_restart};
use core::convert::Infallible;
use cortex_m::peripheral::{DWT, SCB};
use embedded_io::{ErrorType, Read, Write};
use motenet_link::{Counter, Unit};
use nrf52833_hal::clocks::Clocks;
use nrf52833_hal::gpio::{Level, p0, p1};
#[cfg(feature = "learn")]
use nrf52833_hal::nvmc::Nvmc;
use nrf52833_hal::pac::{self, UARTE0};
use nrf52833_hal::uarte::{Baudrate, Parity, Pins, Uarte};

/// The board.
pub struct MicrobitV2 {
    serial: Uarte<UARTE0>,
}

impl Board for MicrobitV2 {
    const COUNTER: Counter = Counter::one(Unit::Cycles);
    const COUNT_MASK: u32 = u32::MAX;

    fn take() -> Self {
        let mut core = or_restart(cortex_m::Peripherals::take());
        let chip = or_restart(pac::Peripherals::take());
        // The crystal: a serial line needs a better clock than the internal oscillator.
        Clocks::new(chip.CLOCK).enable_ext_hfosc();
        // Flash answers in three cycles, and in one from this cache, which is off after reset.
        chip.NVMC.icachecnf.write(|w| w.cacheen().enabled());
        core.DCB.enable_trace();
        core.DWT.enable_cycle_counter();
        let pins = Pins {
            txd: p0::Parts::new(chip.P0).p0_06.into_push_pull_output(Level::High).degrade(),
            rxd: p1::Parts::new(chip.P1).p1_08.into_floating_input().degrade(),
            cts: None,
            rts: None,
        };
        let serial = Uarte::new(chip.UARTE0, pins, Parity::EXCLUDED, Baudrate::BAUD115200);
        MicrobitV2 { serial }
    }

    #[inline(always)]
    fn count(&mut self) -> u32 {
        DWT::cycle_count()
    }

    fn restart() -> ! {
        SCB::sys_reset()
    }
}

impl ErrorType for MicrobitV2 {
    type Error = Infallible;
}

impl Read for MicrobitV2 {
    /// One byte: a longer transfer ends only when it is full. The port keeps the few that arrive
    /// before it is asked for the next one.
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(place) = bytes.first_mut() else { return Ok(0) };
        // A byte that came garbled is for the frame's checksum to find.
        while self.serial.read(core::slice::from_mut(place)).is_err() {}
        Ok(1)
    }
}

impl Write for MicrobitV2 {
    #[inline(never)] // the encoder asks for it in many places
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        // The transfer reads RAM only, and a reply's texts are in flash.
        let mut ram = [0; 32];
        for part in bytes.chunks(ram.len()) {
            for (place, &byte) in ram.iter_mut().zip(part) {
                *place = byte;
            }
            // Its errors are slices that are empty, too long or in flash.
            let _ = self.serial.write(ram.get(..part.len()).unwrap_or_default());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(()) // `write` waited
    }
}

/// The two areas, at the end of the chip's flash. While a page is erased, 85 ms, the processor waits for its next
/// instruction (nRF52833 Product Specification, "NVMC").
#[cfg(feature = "learn")]
pub struct Flash(Nvmc<pac::NVMC>);

/// The flash, and the number of the first byte in it that is for what was learned. Called once.
#[cfg(feature = "learn")]
pub fn flash() -> (Flash, u32) {
    let super::Kept { address, area } = super::KEPT;
    let areas = core::ptr::with_exposed_provenance_mut(address);
    // SAFETY: `take` has left this peripheral alone but for its cache. The linker gives these bytes to nobody (build.rs), and
    // this is the only reference to them.
    let (chip, areas) = unsafe {
        (pac::Peripherals::steal(), core::slice::from_raw_parts_mut(areas, 2 * area as usize))
    };
    (Flash(Nvmc::new(chip.NVMC, areas)), 0)
}

/// All of it the HAL's; it keeps panics for places that it has refused before (boards.toml).
#[cfg(feature = "learn")]
mod flash {
    use super::{Flash, Nvmc, pac::NVMC};
    use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
    use nrf52833_hal::nvmc::NvmcError;

    impl ErrorType for Flash {
        type Error = NvmcError;
    }

    impl ReadNorFlash for Flash {
        const READ_SIZE: usize = Nvmc::<NVMC>::READ_SIZE;

        #[inline(never)]
        fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NvmcError> {
            self.0.read(offset, bytes)
        }

        fn capacity(&self) -> usize {
            self.0.capacity()
        }
    }

    impl NorFlash for Flash {
        const WRITE_SIZE: usize = Nvmc::<NVMC>::WRITE_SIZE;
        const ERASE_SIZE: usize = Nvmc::<NVMC>::ERASE_SIZE;

        #[inline(never)]
        fn erase(&mut self, from: u32, to: u32) -> Result<(), NvmcError> {
            self.0.erase(from, to)
        }

        #[inline(never)]
        fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NvmcError> {
            self.0.write(offset, bytes)
        }
    }
}
