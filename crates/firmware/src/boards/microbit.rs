//! The first BBC micro:bit, as QEMU simulates it: nRF51822, Cortex-M0, 16 KiB of RAM.
//!
//! UART and TIMER0 of the nRF51 (Reference Manual 3.0, chapters 29 and 18). One instruction takes
//! 128 ns of QEMU's time (`-icount shift=7`), a tick of the 16 MHz timer 62.5 ns.

use super::{Board, register::Register};
use core::convert::Infallible;
use embedded_io::{ErrorType, Read, Write};
use motenet_link::{Counter, Unit};

// SAFETY, of all: the manual puts the UART at 0x4000_2000 and TIMER0 at 0x4000_8000, with 32-bit
// registers at these offsets. No DMA is behind them.
const UART_START_RX: Register<u32> = unsafe { Register::at(0x4000_2000) };
const UART_START_TX: Register<u32> = unsafe { Register::at(0x4000_2008) };
const UART_RX_READY: Register<u32> = unsafe { Register::at(0x4000_2108) };
const UART_TX_READY: Register<u32> = unsafe { Register::at(0x4000_211c) };
const UART_ENABLE: Register<u32> = unsafe { Register::at(0x4000_2500) };
const UART_TX_PIN: Register<u32> = unsafe { Register::at(0x4000_250c) };
const UART_RX_PIN: Register<u32> = unsafe { Register::at(0x4000_2514) };
const UART_RX: Register<u32> = unsafe { Register::at(0x4000_2518) };
const UART_TX: Register<u32> = unsafe { Register::at(0x4000_251c) };
const UART_BAUD: Register<u32> = unsafe { Register::at(0x4000_2524) };
const TIMER_START: Register<u32> = unsafe { Register::at(0x4000_8000) };
const TIMER_CAPTURE: Register<u32> = unsafe { Register::at(0x4000_8040) };
const TIMER_BITS: Register<u32> = unsafe { Register::at(0x4000_8508) };
const TIMER_PRESCALER: Register<u32> = unsafe { Register::at(0x4000_8510) };
const TIMER_CAPTURED: Register<u32> = unsafe { Register::at(0x4000_8540) };

/// The board.
pub struct Microbit(());

impl Board for Microbit {
    const COUNTER: Counter = Counter { unit: Unit::Instructions, numerator: 125, denominator: 256 };
    const COUNT_MASK: u32 = u32::MAX;

    fn take() -> Self {
        UART_TX_PIN.write(24);
        UART_RX_PIN.write(25);
        UART_BAUD.write(0x01d7_e000); // 115200
        UART_ENABLE.write(4);
        UART_START_RX.write(1);
        UART_START_TX.write(1);
        TIMER_BITS.write(3); // 32
        TIMER_PRESCALER.write(0); // 16 MHz
        TIMER_START.write(1);
        Microbit(())
    }

    #[inline(always)]
    fn count(&mut self) -> u32 {
        TIMER_CAPTURE.write(1);
        TIMER_CAPTURED.read()
    }
}

impl ErrorType for Microbit {
    type Error = Infallible;
}

impl Read for Microbit {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let mut len = 0;
        for place in bytes {
            while UART_RX_READY.read() == 0 {
                if len > 0 {
                    return Ok(len);
                }
            }
            // Cleared before the byte is taken: taking it may announce the next one.
            UART_RX_READY.write(0);
            *place = UART_RX.read() as u8;
            len += 1;
        }
        Ok(len)
    }
}

impl Write for Microbit {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            UART_TX_READY.write(0);
            UART_TX.write(byte.into());
            while UART_TX_READY.read() == 0 {}
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
