//! A network over budget does not build.

use crate::Footprint;

/// What a network may cost on a chip, in bytes; `usize::MAX` where it does not matter.
///
/// ```
/// use motenet::Seq;
/// use motenet_quant::{Budget, QDense, QDenseRelu};
/// type Net = Seq![QDenseRelu<784, 16>, QDense<16, 10>];
/// const _: () = Budget { flash: 16_384, ram: 4_096 }.assert_fits::<Net>();
/// ```
///
/// One that costs more is an error of the compiler, `the network needs 12936 bytes of flash, the budget is
/// 12000: make a layer narrower or choose a larger chip`:
///
/// ```compile_fail
/// # use motenet::Seq;
/// # use motenet_quant::{Budget, QDense, QDenseRelu};
/// # type Net = Seq![QDenseRelu<784, 16>, QDense<16, 10>];
/// const _: () = Budget { flash: 12_000, ram: 4_096 }.assert_fits::<Net>();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Weights, biases and scales: [`Footprint::FLASH_BYTES`].
    pub flash: usize,
    /// Input and workspace of one sample: [`Footprint::RAM_BYTES`].
    pub ram: usize,
}

impl Budget {
    /// Nothing, if the network `N` fits. For a `const`, where a panic is an error of the compiler.
    ///
    /// # Panics
    /// If it does not fit, with both numbers.
    pub const fn assert_fits<N: Footprint>(self) {
        Self::assert_bytes("flash", N::FLASH_BYTES, self.flash);
        Self::assert_bytes("RAM", N::RAM_BYTES, self.ram);
    }

    /// Nothing, if a network that needs `needs` bytes of `what` fits `budget`.
    ///
    /// # Panics
    /// If it does not fit, with both numbers.
    pub const fn assert_bytes(what: &str, needs: usize, budget: usize) {
        if needs > budget {
            let mut text = Text { bytes: [0; 160], len: 0 };
            text.push("the network needs ");
            text.push_number(needs);
            text.push(" bytes of ");
            text.push(what);
            text.push(", the budget is ");
            text.push_number(budget);
            text.push(": make a layer narrower or choose a larger chip");
            text.panic();
        }
    }
}

/// A line put together while compiling, where `format_args!` is not to be had.
struct Text {
    bytes: [u8; 160],
    len: usize,
}

impl Text {
    const fn push(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut k = 0;
        while k < text.len() && self.len < self.bytes.len() {
            self.bytes[self.len] = text[k];
            self.len += 1;
            k += 1;
        }
    }

    const fn push_number(&mut self, number: usize) {
        if number >= 10 {
            self.push_number(number / 10);
        }
        self.push(DIGITS[number % 10]);
    }

    const fn panic(&self) -> ! {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => panic!("{}", text),
            Err(_) => panic!("the network exceeds its budget"),
        }
    }
}

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QDense;

    #[test]
    fn what_fits_fits() {
        let exact = Budget { flash: 20, ram: <QDense<6, 2> as Footprint>::RAM_BYTES };
        exact.assert_fits::<QDense<6, 2>>();
    }

    #[test]
    #[should_panic = "the network needs 20 bytes of flash, the budget is 19: make a layer narrower"]
    fn a_byte_too_many_of_flash() {
        Budget { flash: 19, ram: usize::MAX }.assert_fits::<QDense<6, 2>>();
    }

    #[test]
    #[should_panic = "bytes of RAM, the budget is 0"]
    fn no_ram_at_all() {
        Budget { flash: usize::MAX, ram: 0 }.assert_fits::<QDense<6, 2>>();
    }
}
