//! On the chip: the runs that have the same hash on every machine, for `cargo xtask hashes`.
//!
//! A line is `hash: HASH RUN LEVEL FMA`; the last is `done`.
#![no_std]
#![no_main]

use firmware::app::write;
use firmware::boards::{self, Board, Selected};
use motenet::Simd;

/// In 16 KiB of RAM there is room for the smallest run only.
#[cfg(feature = "microbit")]
use motenet_tests::hashes::SmallWorkspace as Workspace;
#[cfg(not(feature = "microbit"))]
use motenet_tests::hashes::Workspace;

const SIMD: Simd = Simd::baseline();

/// Where the board starts: never returns.
#[boards::entry]
fn main() -> ! {
    let mut board = Selected::take();
    // Here, and not in a static: nothing below ever returns.
    let mut space = Workspace::ZERO;
    for &run in Workspace::RUNS {
        let hash = space.hash(run, SIMD);
        say(
            &mut board,
            &["hash: ", hash.as_str(), " ", run.name(), " baseline ", SIMD.fma(), "\n"],
        );
    }
    say(&mut board, &["done\n"]);
    let _ = embedded_io::Write::flush(&mut board);
    loop {
        core::hint::spin_loop();
    }
}

fn say(board: &mut Selected, texts: &[&str]) {
    for text in texts {
        let _ = write(board, text.as_bytes());
    }
}
