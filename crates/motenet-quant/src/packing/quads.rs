//! Four bytes for four inputs and an output: what `VPDPBUSD` takes for a lane of 32 bits.
//!
//! ```text
//! inputs 4g to 4g + 3, from byte 4g·OUT:
//!     w[0] of each of the four, w[1] of each, … w[OUT − 1] of each
//! …
//! then each input i that is left over, from byte i·OUT:
//!     w[0] w[1] … w[OUT − 1]
//! ```
//!
//! So each four rows lie where they would lie as rows, transposed, and an output needs no place in a block: a
//! row of vectors ends in a shorter one.

/// The inputs of a quad.
pub(crate) const QUAD: usize = 4;

const fn index<const IN: usize, const OUT: usize>(i: usize, o: usize) -> usize {
    let first = i - i % QUAD;
    if first + QUAD <= IN { first * OUT + QUAD * o + i % QUAD } else { i * OUT + o }
}

/// `w[i][o]`; 0 beyond the layer.
pub(crate) const fn weight<const IN: usize, const OUT: usize>(
    bytes: &[[u8; OUT]; IN],
    i: usize,
    o: usize,
) -> i8 {
    match bytes.as_flattened().split_at_checked(index::<IN, OUT>(i, o)) {
        Some((_, [byte, ..])) => *byte as i8,
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
        *byte = w as u8;
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
    while first < IN {
        let height = if first + QUAD <= IN { QUAD } else { 1 };
        let mut o = 0;
        while o < OUT {
            let mut k = 0;
            while k < height {
                let w = rows[first + k][o];
                bytes[at] = if w == i8::MIN { -i8::MAX as u8 } else { w as u8 };
                at += 1;
                k += 1;
            }
            o += 1;
        }
        first += height;
    }
    packed
}
