//! QEMU's `virt` machine with a 32-bit RISC-V core: an NS16550A serial port, and `minstret`, which
//! counts instructions exactly under `-icount shift=0`.

use super::{Board, register::Register};
use core::arch::asm;
use core::convert::Infallible;
use embedded_io::{ErrorType, Read, Write};
use motenet_link::{Counter, Unit};

// SAFETY, of all: the machine's device tree puts an NS16550A at 0x1000_0000, whose registers are
// bytes in a row. No DMA is behind them.
const DATA: Register<u8> = unsafe { Register::at(0x1000_0000) };
const FIFO_CONTROL: Register<u8> = unsafe { Register::at(0x1000_0002) };
const LINE_STATUS: Register<u8> = unsafe { Register::at(0x1000_0005) };

// SAFETY: the device tree puts the "SiFive test" device at 0x0010_0000, one 32-bit register.
const POWER: Register<u32> = unsafe { Register::at(0x0010_0000) };

const RX_READY: u8 = 1;
const TX_READY: u8 = 1 << 5;

/// The machine.
pub struct RiscvVirt(());

impl Board for RiscvVirt {
    const COUNTER: Counter = Counter::one(Unit::Instructions);
    const COUNT_MASK: u32 = u32::MAX;

    fn take() -> Self {
        // 16 bytes of room, of which QEMU fills 14 at a time: three times as fast as byte by byte. What
        // came before is lost, so a host begins with a zero byte.
        FIFO_CONTROL.write(0xc1);
        RiscvVirt(())
    }

    #[inline(always)]
    fn count(&mut self) -> u32 {
        let count;
        // SAFETY: reads a counter that every RISC-V core has; not `nomem`, so that it stays in place.
        unsafe { asm!("csrr {}, minstret", out(reg) count, options(nostack, preserves_flags)) };
        count
    }

    fn restart() -> ! {
        POWER.write(0x7777); // reset
        loop {
            core::hint::spin_loop();
        }
    }
}

impl ErrorType for RiscvVirt {
    type Error = Infallible;
}

impl Read for RiscvVirt {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let mut len = 0;
        for place in bytes {
            while LINE_STATUS.read() & RX_READY == 0 {
                if len > 0 {
                    return Ok(len);
                }
            }
            *place = DATA.read();
            len += 1;
        }
        Ok(len)
    }
}

impl Write for RiscvVirt {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            while LINE_STATUS.read() & TX_READY == 0 {}
            DATA.write(byte);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
