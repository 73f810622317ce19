//! What a board has to offer, and the boards.
//!
//! A new board is one file here that implements [`Board`], one feature in Cargo.toml, one table in
//! boards.toml.
#![allow(unsafe_code)]

use motenet_link::Counter;

#[cfg(all(feature = "learn", not(any(feature = "nucleo-f446re", feature = "microbit-v2"))))]
mod keep;
mod once;
mod panic;
#[allow(dead_code)]
mod register;

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(target_arch = "arm")]
pub use cortex_m::{fill_up_to_stack_pointer, memory, stack_pointer};

#[cfg(target_arch = "riscv32")]
mod riscv;
#[cfg(target_arch = "riscv32")]
pub use riscv::{fill_up_to_stack_pointer, memory, stack_pointer};

#[cfg(any(feature = "mps2-an385", feature = "mps2-an386", feature = "mps2-an500"))]
mod mps2;
#[cfg(any(feature = "mps2-an385", feature = "mps2-an386", feature = "mps2-an500"))]
pub use {cortex_m_rt::entry, mps2::Mps2 as Selected};

#[cfg(feature = "microbit")]
mod microbit;
#[cfg(feature = "microbit")]
pub use {cortex_m_rt::entry, microbit::Microbit as Selected};

#[cfg(feature = "riscv-virt")]
mod riscv_virt;
#[cfg(feature = "riscv-virt")]
pub use {riscv_rt::entry, riscv_virt::RiscvVirt as Selected};

#[cfg(feature = "nucleo-f446re")]
mod nucleo_f446re;
#[cfg(feature = "nucleo-f446re")]
pub use {cortex_m_rt::entry, nucleo_f446re::NucleoF446Re as Selected};

#[cfg(feature = "microbit-v2")]
mod microbit_v2;
#[cfg(feature = "microbit-v2")]
pub use {cortex_m_rt::entry, microbit_v2::MicrobitV2 as Selected};

#[cfg(feature = "pico")]
mod pico;
#[cfg(feature = "pico")]
pub use {pico::Pico as Selected, rp2040_hal::entry};

#[cfg(feature = "esp32-c3")]
mod esp32c3;
#[cfg(feature = "esp32-c3")]
pub use {esp_hal::main as entry, esp32c3::Esp32C3 as Selected};

// Where what was learned is kept.
#[cfg(all(feature = "learn", not(any(feature = "nucleo-f446re", feature = "microbit-v2"))))]
pub use keep::{Flash, flash};
#[cfg(all(feature = "learn", feature = "microbit-v2"))]
pub use microbit_v2::{Flash, flash};
#[cfg(all(feature = "learn", feature = "nucleo-f446re"))]
pub use nucleo_f446re::{Flash, flash};
pub use once::Once;

// Its log goes to the debug probe.
#[cfg(feature = "defmt")]
use defmt_rtt as _;

/// The board's name in boards.toml.
pub const NAME: &str = env!("MOTENET_BOARD");

/// Where two areas for what was learned lie side by side, by boards.toml; no bytes if nowhere.
#[cfg(feature = "learn")]
pub const KEPT: Kept = include!(concat!(env!("OUT_DIR"), "/kept.rs"));

/// Two areas of flash side by side.
#[cfg(feature = "learn")]
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// The address of the first.
    pub address: usize,
    /// Bytes of each.
    pub area: u32,
}

/// A board: a serial port and a counter.
///
/// `read` blocks until there is a byte; `write` takes at least one.
pub trait Board: embedded_io::Read + embedded_io::Write {
    /// What the board is called.
    const NAME: &'static str = NAME;
    /// What a difference of two [`count`](Board::count)s means.
    const COUNTER: Counter;
    /// Where the counter starts again from 0: all ones.
    const COUNT_MASK: u32;

    /// Sets up clocks, serial port and counter. Called once, before anything else.
    fn take() -> Self;

    /// The counter, which runs upward.
    fn count(&mut self) -> u32;

    /// Starts again; where the board cannot, it stops. What follows a panic, where one can be.
    fn restart() -> ! {
        loop {
            core::hint::spin_loop();
        }
    }
}

/// What is there, or a start anew: what a board lacks at its start it may have at the next.
#[allow(dead_code, reason = "simulated boards lack nothing")]
fn or_restart<T>(value: Option<T>) -> T {
    match value {
        Some(value) => value,
        None => Selected::restart(),
    }
}

/// What the linker put where.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Bytes of `.data` and `.bss`.
    pub static_bytes: usize,
    /// The lowest address that the stack may grow down to.
    pub stack_low: usize,
    /// The address that the stack grows down from.
    pub stack_high: usize,
}
