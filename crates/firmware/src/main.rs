//! Answers on the board's serial port: see the library.
#![no_std]
#![no_main]

use firmware::boards::{self, Board};
use firmware::{app, stack::Stack};

/// Where the board starts: never returns.
#[boards::entry]
fn main() -> ! {
    let stack = Stack::paint(boards::memory());
    let board = boards::Selected::take();
    #[cfg(feature = "defmt")]
    defmt::info!("{=str} is up", boards::NAME);
    app::serve(board, stack)
}
