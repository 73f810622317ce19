//! The MPS2 boards of Arm, as QEMU simulates them: AN385 (Cortex-M3), AN386 (M4F), AN500 (M7).
//!
//! UART 0 and timer 0 of the Cortex-M System Design Kit (ARM DDI 0479), both at 25 MHz. One instruction
//! takes 128 ns of QEMU's time (`-icount shift=7`), a tick of the timer 40 ns.

use super::{Board, register::Register};
use core::convert::Infallible;
use embedded_io::{ErrorType, Read, Write};
use motenet_link::{Counter, Unit};

// SAFETY, of all: AN385 §3.1 puts UART 0 at 0x4000_4000 and timer 0 at 0x4000_0000, with 32-bit
// registers at these offsets (DDI 0479, tables 4-2 and 4-5). No DMA is behind them.
const UART_DATA: Register<u32> = unsafe { Register::at(0x4000_4000) };
const UART_STATE: Register<u32> = unsafe { Register::at(0x4000_4004) };
const UART_CTRL: Register<u32> = unsafe { Register::at(0x4000_4008) };
const UART_BAUDDIV: Register<u32> = unsafe { Register::at(0x4000_4010) };
const TIMER_CTRL: Register<u32> = unsafe { Register::at(0x4000_0000) };
const TIMER_VALUE: Register<u32> = unsafe { Register::at(0x4000_0004) };
const TIMER_RELOAD: Register<u32> = unsafe { Register::at(0x4000_0008) };

// SAFETY: every Armv7-M core has it there (ARMv7-M Architecture Reference Manual, B3.2.6).
const RESET: Register<u32> = unsafe { Register::at(0xe000_ed0c) };

const TX_FULL: u32 = 1;
const RX_FULL: u32 = 2;

/// One of the MPS2 boards.
pub struct Mps2(());

impl Board for Mps2 {
    const COUNTER: Counter = Counter { unit: Unit::Instructions, numerator: 40, denominator: 128 };
    const COUNT_MASK: u32 = u32::MAX;

    fn take() -> Self {
        UART_BAUDDIV.write(16); // the fastest; a simulated line has no speed
        UART_CTRL.write(0b11); // send and receive
        TIMER_RELOAD.write(u32::MAX);
        TIMER_VALUE.write(u32::MAX);
        TIMER_CTRL.write(1);
        Mps2(())
    }

    #[inline(always)]
    fn count(&mut self) -> u32 {
        !TIMER_VALUE.read() // it runs downward
    }

    fn restart() -> ! {
        RESET.write(0x05fa_0004); // the key, and SYSRESETREQ
        loop {
            core::hint::spin_loop();
        }
    }
}

impl ErrorType for Mps2 {
    type Error = Infallible;
}

impl Read for Mps2 {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(first) = bytes.first_mut() else { return Ok(0) };
        while UART_STATE.read() & RX_FULL == 0 {}
        *first = UART_DATA.read() as u8;
        Ok(1) // the receiver holds one byte
    }
}

impl Write for Mps2 {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            while UART_STATE.read() & TX_FULL != 0 {}
            UART_DATA.write(byte.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
