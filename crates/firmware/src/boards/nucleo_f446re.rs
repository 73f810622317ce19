//! ST's NUCLEO-F446RE: STM32F446RE, a Cortex-M4F at 180 MHz.
//!
//! The serial port is USART2 on PA2 and PA3, which the board wires to its debug probe: one USB cable
//! flashes and is the line, 115200 baud, 8N1 (ST UM1724, "USART communication").
//! The clock comes from the internal oscillator of 16 MHz, within 1 % at room temperature (ST DS10693),
//! where the receiver stands 3.75 % (ST RM0390, "USART receiver tolerance to clock deviation"): so it does
//! not matter whether this revision of the board brings the probe's crystal to the chip.

use super::{Board, or_restart};
use core::convert::Infallible;
use cortex_m::peripheral::{DWT, SCB};
use embedded_io::{ErrorType, Read, Write};
use motenet_link::{Counter, Unit};
#[cfg(feature = "learn")]
use stm32f4xx_hal::flash::FlashExt;
use stm32f4xx_hal::nb::block;
use stm32f4xx_hal::pac::{self, USART2};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Config;
use stm32f4xx_hal::serial::{self, Serial};

/// The board.
pub struct NucleoF446Re {
    serial: Serial<USART2>,
}

impl Board for NucleoF446Re {
    const COUNTER: Counter = Counter::one(Unit::Cycles);
    const COUNT_MASK: u32 = u32::MAX;

    fn take() -> Self {
        let mut core = or_restart(cortex_m::Peripherals::take());
        let chip = or_restart(pac::Peripherals::take());
        // The chip's highest clock; the bus of the port may have a quarter of it. The HAL adds the
        // flash's wait states, its caches and the voltage regulator's overdrive.
        let mut rcc = chip.RCC.freeze(Config::hsi().sysclk(180.MHz()).pclk1(45.MHz()));
        core.DCB.enable_trace();
        core.DWT.enable_cycle_counter();
        let pins = chip.GPIOA.split(&mut rcc);
        let config = serial::Config::default().baudrate(115_200.bps());
        let serial = chip.USART2.serial((pins.pa2, pins.pa3), config, &mut rcc);
        NucleoF446Re { serial: or_restart(serial.ok()) }
    }

    #[inline(always)]
    fn count(&mut self) -> u32 {
        DWT::cycle_count()
    }

    fn restart() -> ! {
        SCB::sys_reset()
    }
}

impl ErrorType for NucleoF446Re {
    type Error = Infallible;
}

impl Read for NucleoF446Re {
    /// One byte: the port holds no more, and the next is there 87 µs later.
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(place) = bytes.first_mut() else { return Ok(0) };
        // A byte that came garbled, or before the last one was taken, is lost; asking has cleared the
        // port's error, and the frame's checksum shows it.
        loop {
            if let Ok(byte) = self.serial.read() {
                *place = byte;
                return Ok(1);
            }
        }
    }
}

impl Write for NucleoF446Re {
    #[inline(never)] // the encoder asks for it in many places
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            // Sending has no errors: the HAL's type is that of receiving.
            let _ = block!(self.serial.write(byte));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        let _ = block!(self.serial.flush());
        Ok(())
    }
}

/// The chip's flash; the areas are its last two sectors, since it erases sectors of 128 KiB. While it erases one, for a
/// second or two, the processor waits for its next instruction (ST RM0390, "Embedded Flash memory interface").
#[cfg(feature = "learn")]
pub struct Flash(pac::FLASH);

/// The flash, and the number of the first byte in it that is for what was learned. Called once.
#[cfg(feature = "learn")]
pub fn flash() -> (Flash, u32) {
    // SAFETY: `take` has left this peripheral alone, and the HAL has set its wait states and caches before.
    let flash = unsafe { pac::Peripherals::steal() }.FLASH;
    let first = super::KEPT.address.wrapping_sub(flash.address());
    (Flash(flash), first as u32)
}

#[cfg(feature = "learn")]
mod flash {
    use super::Flash;
    use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
    use stm32f4xx_hal::flash::{Error, FlashExt, UnlockedFlash};

    impl ErrorType for Flash {
        type Error = Error;
    }

    impl ReadNorFlash for Flash {
        const READ_SIZE: usize = 1;

        fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Error> {
            let places = self.0.read().get(offset as usize..);
            let places = places.filter(|places| places.len() >= bytes.len());
            let places = places.ok_or(Error::Operation)?;
            bytes.iter_mut().zip(places).for_each(|(byte, &place)| *byte = place);
            Ok(())
        }

        fn capacity(&self) -> usize {
            self.0.len()
        }
    }

    // Its caller has checked where the areas lie. The HAL panics if the flash does not unlock: see boards.toml.
    impl NorFlash for Flash {
        const WRITE_SIZE: usize = UnlockedFlash::WRITE_SIZE;
        const ERASE_SIZE: usize = UnlockedFlash::ERASE_SIZE;

        #[inline(never)]
        fn erase(&mut self, from: u32, to: u32) -> Result<(), Error> {
            let erased = NorFlash::erase(&mut self.0.unlocked(), from, to);
            // What the cache for data holds of the sector is from before (RM0390, "Erase and program operations"); it
            // can be cleared only while it is off.
            self.0.acr().modify(|_, w| w.dcen().clear_bit());
            self.0.acr().modify(|_, w| w.dcrst().set_bit());
            self.0.acr().modify(|_, w| w.dcrst().clear_bit().dcen().set_bit());
            erased
        }

        #[inline(never)]
        fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Error> {
            NorFlash::write(&mut self.0.unlocked(), offset, bytes)
        }
    }
}
