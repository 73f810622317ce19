//! Eight bytes an input, each a weight plus 128.
//!
//! ```text
//! block b (outputs 8b to 8b + 7), from byte 8b·IN:
//!     input 0:    w[8b] w[8b+1] … w[8b+7]
//!     input 1:    w[8b] w[8b+1] … w[8b+7]
//!     …
//! then each output o that is left over, from byte o·IN:
//!     w[o] of input 0, of input 1, …
//! ```
//!
//! Without a sign, the bytes of a word are the digits of a number, and what a kernel gets by shifting
//! it is a sum of weights times powers of 256 without any borrow. Since `Σ x·(w + 128) = Σ x·w + 128·Σ x`, the
//! offset goes by one subtraction for each output.

use super::BLOCK;

const fn index<const IN: usize, const OUT: usize>(i: usize, o: usize) -> usize {
    let block = o - o % BLOCK;
    if block + BLOCK <= OUT { block * IN + BLOCK * i + o % BLOCK } else { o * IN + i }
}

/// `w[i][o]`; 0 beyond the layer.
pub(crate) const fn weight<const IN: usize, const OUT: usize>(
    bytes: &[[u8; OUT]; IN],
    i: usize,
    o: usize,
) -> i8 {
    match bytes.as_flattened().split_at_checked(index::<IN, OUT>(i, o)) {
        Some((_, [byte, ..])) => (*byte ^ 0x80) as i8,
        _ => 0,
    }
}

/// Overwrites `w[i][o]`; nothing beyond the layer.
pub(crate) const fn set_weight<const IN: usize, const OUT: usize>(
    bytes: &mut [[u8; OUT]; IN],
    i: usize,
    o: usize,
    w: i8,
) {
    let bytes = bytes.as_flattened_mut();
    if let Some((_, [byte, ..])) = bytes.split_at_mut_checked(index::<IN, OUT>(i, o)) {
        *byte = w as u8 ^ 0x80;
    }
}

/// All weights in place. Operators and loops only: the compiler's interpreter counts calls and steps back,
/// and warns of two million.
pub(crate) const fn pack<const IN: usize, const OUT: usize>(
    rows: &[[i8; OUT]; IN],
) -> [[u8; OUT]; IN] {
    let mut packed = [[0; OUT]; IN];
    let bytes = packed.as_flattened_mut();
    let (mut at, mut first) = (0, 0);
    while first < OUT {
        let width = if first + BLOCK <= OUT { BLOCK } else { 1 };
        let mut i = 0;
        while i < IN {
            let mut k = 0;
            while k < width {
                let w = rows[i][first + k];
                bytes[at] = if w == i8::MIN { 1 } else { w as u8 ^ 0x80 };
                at += 1;
                k += 1;
            }
            i += 1;
        }
        first += width;
    }
    packed
}
