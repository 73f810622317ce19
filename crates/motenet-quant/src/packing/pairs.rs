//! Sixteen bytes for two inputs: words of two 16-bit lanes, the lower for the even input, the upper for
//! the odd one, so that one `SMLAD` multiplies both with their weights.
//!
//! ```text
//! block b (outputs o = 8b to o + 7), from byte 8b·IN, sixteen bytes for inputs i and j = i + 1:
//!     word 0          word 1          word 2          word 3
//!     P[i]   P[j]     Q[i]   Q[j]     P[i]   P[j]     Q[i]   Q[j]
//!     o, o+1          o+2, o+3        o+4, o+5        o+6, o+7
//! after the pairs, if IN is odd, eight bytes for the last input alone: P Q P Q
//!
//! then each two outputs o, o+1 that are left over, from byte o·IN:
//!     Q[i] Q[j] of inputs 0 and 1, of 2 and 3, …
//! then an output that is left over alone, from byte o·IN:
//!     w[o] of input 0, of input 1, …
//! ```
//!
//! A lane is a signed number that holds two weights, `a` of the lower output and `b` of the upper one:
//!
//! ```text
//! P = 256·b + (a + 128)      its upper byte is b, its lower byte a + 128
//! Q = 256·b + a              its lower byte is a; the upper one is less by 1 if a is negative
//! ```
//!
//! The kernel builds a third lane from them, `256·a(Q) + b(P)`, whose bytes it must find as they are.

use super::BLOCK;

/// Where the lane of input `i` and output `o` begins, and whether it is of kind P; `None` for an output
/// that is left over alone.
const fn lane<const IN: usize, const OUT: usize>(i: usize, o: usize) -> Option<(usize, bool)> {
    let alone = i + 1 == IN && !IN.is_multiple_of(2);
    let (pair, odd) = (i / 2, i % 2);
    let block = o - o % BLOCK;
    if block + BLOCK <= OUT {
        let word = o % BLOCK / 2;
        let start = block * IN + 2 * BLOCK * pair;
        let at = if alone { 2 * word } else { 4 * word + 2 * odd };
        return Some((start + at, word.is_multiple_of(2)));
    }
    let first = o - o % 2;
    if first + 1 < OUT { Some((first * IN + 4 * pair + 2 * odd, false)) } else { None }
}

/// The two weights of a lane.
pub(crate) const fn unpack_lane(bytes: [u8; 2], p: bool) -> [i8; 2] {
    let [low, high] = bytes;
    if p {
        return [(low ^ 0x80) as i8, high as i8];
    }
    [low as i8, high.wrapping_add(low >> 7) as i8]
}

const fn pack_lane(weights: [i8; 2], p: bool) -> [u8; 2] {
    let [a, b] = weights;
    if p { [a as u8 ^ 0x80, b as u8] } else { [a as u8, (b as u8).wrapping_sub(a as u8 >> 7)] }
}

/// `w[i][o]`; 0 beyond the layer.
pub(crate) const fn weight<const IN: usize, const OUT: usize>(
    bytes: &[[u8; OUT]; IN],
    i: usize,
    o: usize,
) -> i8 {
    let (at, kind) = match lane::<IN, OUT>(i, o) {
        Some((at, p)) => (at, Some(p)),
        None => (o * IN + i, None),
    };
    match (kind, bytes.as_flattened().split_at_checked(at)) {
        (Some(p), Some((_, [low, high, ..]))) => {
            let [a, b] = unpack_lane([*low, *high], p);
            if o.is_multiple_of(2) { a } else { b }
        }
        (None, Some((_, [byte, ..]))) => *byte as i8,
        _ => 0,
    }
}

/// Overwrites `w[i][o]`, not −128; nothing beyond the layer.
pub(crate) const fn set_weight<const IN: usize, const OUT: usize>(
    bytes: &mut [[u8; OUT]; IN],
    i: usize,
    o: usize,
    w: i8,
) {
    let (at, kind) = match lane::<IN, OUT>(i, o) {
        Some((at, p)) => (at, Some(p)),
        None => (o * IN + i, None),
    };
    match (kind, bytes.as_flattened_mut().split_at_mut_checked(at)) {
        (Some(p), Some((_, [low, high, ..]))) => {
            let [a, b] = unpack_lane([*low, *high], p);
            let weights = if o.is_multiple_of(2) { [w, b] } else { [a, w] };
            [*low, *high] = pack_lane(weights, p);
        }
        (None, Some((_, [byte, ..]))) => *byte = w as u8,
        _ => {}
    }
}

/// All weights in place. Operators and loops only: the compiler's interpreter counts calls and steps back,
/// and warns of two million.
pub(crate) const fn pack<const IN: usize, const OUT: usize>(
    rows: &[[i8; OUT]; IN],
) -> [[u8; OUT]; IN] {
    let mut packed = [[0; OUT]; IN];
    let bytes = packed.as_flattened_mut();
    let mut first = 0;
    while first < OUT {
        // A block, two outputs or one.
        let left = OUT - first;
        let width = if left >= BLOCK { BLOCK } else { 2 - (left == 1) as usize };
        let mut i = 0;
        while i < IN {
            let alone = i + 1 == IN && IN % 2 == 1;
            let (row, odd) = (first * IN + i / 2 * 2 * width, i % 2);
            let mut k = 0;
            while k < width {
                let a = rows[i][first + k];
                let a = if a == i8::MIN { -127 } else { a };
                if width == 1 {
                    bytes[first * IN + i] = a as u8;
                    break;
                }
                let b = rows[i][first + k + 1];
                let b = if b == i8::MIN { -127 } else { b };
                let at = if alone { row + k } else { row + 2 * k + 2 * odd };
                if width == BLOCK && k % 4 == 0 {
                    (bytes[at], bytes[at + 1]) = (a as u8 ^ 0x80, b as u8);
                } else {
                    let lane = 256 * b as i16 + a as i16;
                    (bytes[at], bytes[at + 1]) = (lane as u8, (lane >> 8) as u8);
                }
                k += 2;
            }
            i += 1;
        }
        first += width;
    }
    packed
}
