//! On the chip: every kernel against its naive twin. Ends with `selftest: N cases, 0 differences`.
#![no_std]
#![no_main]

use firmware::app::write;
use firmware::boards::{self, Board, Selected};
use motenet_quant::selftest;

/// Where the board starts: never returns.
#[boards::entry]
fn main() -> ! {
    let mut board = Selected::take();
    let mut differences = 0u32;
    let cases = selftest::run(&mut |name, same| {
        if !same {
            differences = differences.wrapping_add(1);
            say(&mut board, name);
            say(&mut board, ": differs\n");
        }
    });
    say(&mut board, "selftest: ");
    number(&mut board, cases);
    say(&mut board, " cases, ");
    number(&mut board, differences);
    say(&mut board, " differences\n");
    let _ = embedded_io::Write::flush(&mut board);
    loop {
        core::hint::spin_loop();
    }
}

fn say(board: &mut Selected, text: &str) {
    let _ = write(board, text.as_bytes());
}

/// In decimal; core's formatting is large and can panic.
fn number(board: &mut Selected, number: u32) {
    let mut power = 1_000_000_000;
    while power > 0 {
        if number >= power || power == 1 {
            let _ = write(board, &[b'0' + (number / power % 10) as u8]);
        }
        power /= 10;
    }
}
