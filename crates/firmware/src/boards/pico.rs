//! The Raspberry Pi Pico: RP2040, a Cortex-M0+ at 125 MHz.
//!
//! The serial port is the chip's own USB (CDC-ACM: the host sees a serial port, its baud rate means
//! nothing), so a USB cable is all it takes. It is polled where the firmware waits for the line and
//! never while it infers; the host's next packet waits meanwhile.
//! The counter is SysTick at the processor's clock: 24 bits, 134 ms. A longer inference is counted
//! modulo that.

use super::{Board, or_restart};
use cortex_m::peripheral::{SYST, syst::SystClkSource};
use embedded_io::{ErrorKind, ErrorType, Read, Write};
use motenet_link::{Counter, Unit};
use rp2040_hal::clocks::init_clocks_and_plls;
use rp2040_hal::usb::UsbBus;
use rp2040_hal::{Timer, Watchdog, pac};
use usb_device::class_prelude::{UsbBusAllocator, UsbClass};
use usb_device::device::{StringDescriptors, UsbDevice, UsbDeviceBuilder, UsbVidPid};
use usbd_serial::{SerialPort, USB_CLASS_CDC};

/// The first 256 bytes of flash: what the chip's ROM runs to set up this board's flash chip. It carries
/// its own checksum.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT2: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;

const CRYSTAL_HZ: u32 = 12_000_000;

/// A host that takes nothing for so long has gone; what it did not take is dropped.
const PATIENCE_US: u64 = 500_000;

/// A pair that anyone may use for a serial port (V-USB's list of shared identifiers).
const IDENTIFIER: UsbVidPid = UsbVidPid(0x16c0, 0x27dd);

/// The board.
pub struct Pico {
    device: UsbDevice<'static, UsbBus>,
    serial: SerialPort<'static, UsbBus>,
    timer: Timer,
}

impl Pico {
    /// Asks until the port has done something, or the host's time is over.
    fn within_patience<T>(
        &mut self,
        mut ask: impl FnMut(&mut SerialPort<'static, UsbBus>) -> Option<T>,
    ) -> Result<T, ErrorKind> {
        let start = self.timer.get_counter();
        loop {
            self.device.poll(&mut [&mut self.serial]);
            if let Some(done) = ask(&mut self.serial) {
                return Ok(done);
            }
            if (self.timer.get_counter() - start).to_micros() > PATIENCE_US {
                UsbClass::<UsbBus>::reset(&mut self.serial);
                return Err(ErrorKind::TimedOut);
            }
        }
    }
}

impl Board for Pico {
    const COUNTER: Counter = Counter::one(Unit::Cycles);
    const COUNT_MASK: u32 = 0x00ff_ffff;

    #[inline(never)] // so that its panics, and those of `read` and `flush`, are told from the program (boards.toml)
    fn take() -> Self {
        let mut systick = or_restart(pac::CorePeripherals::take()).SYST;
        let mut chip = or_restart(pac::Peripherals::take());
        let mut watchdog = Watchdog::new(chip.WATCHDOG);
        let clocks = init_clocks_and_plls(
            CRYSTAL_HZ,
            chip.XOSC,
            chip.CLOCKS,
            chip.PLL_SYS,
            chip.PLL_USB,
            &mut chip.RESETS,
            &mut watchdog,
        );
        let clocks = or_restart(clocks.ok());
        let timer = Timer::new(chip.TIMER, &mut chip.RESETS, &clocks);
        let bus = UsbBus::new(
            chip.USBCTRL_REGS,
            chip.USBCTRL_DPRAM,
            clocks.usb_clock,
            true, // powered by the cable: do not look for its voltage
            &mut chip.RESETS,
        );
        let bus = cortex_m::singleton!(: UsbBusAllocator<UsbBus> = UsbBusAllocator::new(bus));
        let bus: &'static UsbBusAllocator<UsbBus> = or_restart(bus.map(|bus| &*bus));
        let serial = SerialPort::new(bus);
        let texts = StringDescriptors::default().manufacturer("motenet").product("motenet pico");
        let device = UsbDeviceBuilder::new(bus, IDENTIFIER).strings(&[texts]);
        let device = device.and_then(|device| device.max_packet_size_0(64));
        let device = or_restart(device.ok()).device_class(USB_CLASS_CDC).build();
        systick.set_clock_source(SystClkSource::Core);
        systick.set_reload(Self::COUNT_MASK);
        systick.clear_current();
        systick.enable_counter();
        Pico { device, serial, timer }
    }

    #[inline(always)]
    fn count(&mut self) -> u32 {
        Self::COUNT_MASK.wrapping_sub(SYST::get_current()) // it runs downward
    }

    /// Resets the USB port too: the host sees the board leave and come back.
    fn restart() -> ! {
        rp2040_hal::reset()
    }
}

impl ErrorType for Pico {
    type Error = ErrorKind;
}

impl Read for Pico {
    #[inline(never)]
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, ErrorKind> {
        if bytes.is_empty() {
            return Ok(0);
        }
        loop {
            self.device.poll(&mut [&mut self.serial]);
            if let Ok(len @ 1..) = self.serial.read(bytes) {
                return Ok(len);
            }
        }
    }
}

impl Write for Pico {
    #[inline(never)] // the encoder asks for it in many places
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.within_patience(|serial| serial.write(bytes).ok().filter(|&len| len > 0))
    }

    #[inline(never)]
    fn flush(&mut self) -> Result<(), ErrorKind> {
        self.within_patience(|serial| serial.flush().ok())
    }
}
