//! Espressif's ESP32-C3: a RISC-V core, RV32IMC, at 160 MHz.
//!
//! The serial port is the chip's USB-Serial-JTAG: the cable that flashes is the line, and its baud rate
//! means nothing. Boards without that socket (their USB goes to a converter chip) are not this board.
//! Code and weights are in flash behind a cache of 16 KiB, so an inference after a long pause takes more
//! cycles than the next one.
//! The counter is Espressif's own, `mpccr`: this core has no `mcycle` (ESP32-C3 Technical Reference
//! Manual, "Performance Counter").

use super::Board;
use core::arch::asm;
use embedded_io::{ErrorKind, ErrorType, Read, Write};
use esp_bootloader_esp_idf as idf;
use esp_hal::Blocking;
use esp_hal::clock::CpuClock;
use esp_hal::usb::usb_serial_jtag::{UsbSerialJtag, UsbSerialJtagRx, UsbSerialJtagTx};
use motenet_link::{Counter, Unit};

// What the bootloader looks for. Time and date are not those of the build, so that the same sources
// give the same bytes.
idf::esp_app_desc!(
    env!("CARGO_PKG_VERSION"),
    env!("CARGO_PKG_NAME"),
    "00:00:00",
    "Jan 01 1970",
    idf::ESP_IDF_COMPATIBLE_VERSION,
    idf::MMU_PAGE_SIZE,
    0,
    u16::MAX,
    idf::SECURE_VERSION
);

/// A host that takes nothing for so long has gone, half a second; what it did not take is dropped. By the counter: the
/// HAL's clock could panic.
const PATIENCE_CYCLES: u32 = 80_000_000;

/// The board.
pub struct Esp32C3 {
    rx: UsbSerialJtagRx<'static, Blocking>,
    tx: UsbSerialJtagTx<'static, Blocking>,
}

impl Board for Esp32C3 {
    const COUNTER: Counter = Counter::one(Unit::Cycles);
    const COUNT_MASK: u32 = u32::MAX;

    #[inline(never)] // so that its panics are told from the program (boards.toml)
    fn take() -> Self {
        let chip = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
        // SAFETY: `mpcer` = 1 counts cycles, `mpcmr` = 1 counts on and wraps; nothing else uses them.
        unsafe { asm!("csrw 0x7e0, {0}", "csrw 0x7e1, {0}", in(reg) 1, options(nomem, nostack)) };
        let (rx, tx) = UsbSerialJtag::new(chip.USB_DEVICE).split();
        Esp32C3 { rx, tx }
    }

    #[inline(always)]
    fn count(&mut self) -> u32 {
        let count;
        // SAFETY: reads `mpccr`; not `nomem`, so that it stays in place.
        unsafe { asm!("csrr {}, 0x7e2", out(reg) count, options(nostack, preserves_flags)) };
        count
    }

    fn restart() -> ! {
        esp_hal::system::software_reset()
    }
}

impl ErrorType for Esp32C3 {
    type Error = ErrorKind;
}

impl Read for Esp32C3 {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, ErrorKind> {
        if bytes.is_empty() {
            return Ok(0);
        }
        loop {
            let len = self.rx.drain_rx_fifo(bytes);
            if len > 0 {
                return Ok(len);
            }
        }
    }
}

impl Write for Esp32C3 {
    #[inline(never)] // the encoder asks for it in many places
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        for &byte in bytes {
            let start = self.count();
            while self.tx.write_byte_nb(byte).is_err() {
                if self.count().wrapping_sub(start) > PATIENCE_CYCLES {
                    return Err(ErrorKind::TimedOut);
                }
            }
        }
        Ok(bytes.len())
    }

    /// Hands what was written to the USB port, which sends it when the host asks.
    fn flush(&mut self) -> Result<(), ErrorKind> {
        // Not until it has gone: the next `write` waits for that, and gives up in time.
        let _ = self.tx.flush_tx_nb();
        Ok(())
    }
}
