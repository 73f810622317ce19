//! Learns from what comes on the board's serial port: see the library's `learn`.
#![no_std]
#![no_main]

use firmware::boards::{self, Board, Once};
use firmware::learn::{Room, serve};
use firmware::stack::Stack;

/// Zero at first, so it costs no flash; too large for a stack.
static ROOM: Once<Room> = Once::new(Room::new());

/// Where the board starts: never returns.
#[boards::entry]
fn main() -> ! {
    let stack = Stack::paint(boards::memory());
    let board = boards::Selected::take();
    if let Some(room) = ROOM.take() {
        serve(board, stack, room);
    }
    // It starts once.
    loop {
        core::hint::spin_loop();
    }
}
