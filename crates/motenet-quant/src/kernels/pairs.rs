//! Sums over weights that lie in pairs: one event for two inputs.

use super::armv7em::{block_sums, two_sums};
use super::blocks::{add, each};
use super::events::{EVENTS, Events, Used};
use crate::packing::BLOCK;
use crate::packing::pairs::unpack_lane;

const _: () = assert!(EVENTS <= 128, "sums would leave 24 bits");

/// The bytes of a pair in a block.
const PAIR: u32 = 2 * BLOCK as u32;

/// `y[o] += Σ_i x[i]·w[i][o]`, modulo 2³². Never panics.
///
/// # Shapes
/// `weights`: `IN·OUT` bytes as `packing::pairs` says; `x`: `IN`; `y`: `OUT`. Not generic over the sizes, so that a
/// network has this code once.
///
/// # Safety
/// The address of `weights` must be a multiple of 4.
pub(crate) unsafe fn add_products(weights: &[u8], x: &[u8], y: &mut [i32]) {
    let (mut events, mut used) = (Events::new(), Used::default());
    let mut offset = 0;
    let (eights, tail) = x.as_chunks::<8>();
    for eight in eights {
        let two = eight.as_ptr().cast::<[u32; 2]>();
        // `from_le_bytes` is taken apart into loads of bytes: 2,400 instructions a digit.
        // SAFETY: eight bytes are two words, and these chips load a word from anywhere.
        let [low, high] = unsafe { two.read_unaligned() };
        if low | high != 0 {
            if !used.has_room(4) {
                // SAFETY: every event counted has been pushed.
                unsafe { flush(&mut events, used, weights, x.len(), y) };
                used = Used::default();
            }
            for (k, two) in (0..).zip([low & 0xffff, low >> 16, high & 0xffff, high >> 16]) {
                if two != 0 {
                    events.push(&mut used, offset + k * PAIR, (two | two << 8) & 0x00ff_00ff);
                }
            }
        }
        offset += 4 * PAIR;
    }
    if !used.has_room(3) {
        // SAFETY: as above.
        unsafe { flush(&mut events, used, weights, x.len(), y) };
        used = Used::default();
    }
    let (twos, alone) = tail.as_chunks::<2>();
    for &[i, j] in twos {
        events.push(&mut used, offset, u32::from(i) | u32::from(j) << 16);
        offset += PAIR;
    }
    // SAFETY: as above.
    unsafe { flush(&mut events, used, weights, x.len(), y) };
    if let [last @ 1..=255] = *alone {
        add_last(weights, x.len(), last.into(), y);
    }
}

/// Adds what the events stand for.
///
/// # Safety
/// As [`add_products`], and `used.len` events must have been pushed, each with the offset of a pair.
#[inline(never)]
unsafe fn flush(events: &mut Events, used: Used, weights: &[u8], inputs: usize, y: &mut [i32]) {
    if used.len == 0 {
        return;
    }
    let offset = 128 * ((used.sum & 0xffff) + (used.sum >> 16));
    // SAFETY: the caller's promise.
    let list = unsafe { events.padded::<4>(used) };
    // SAFETY: there are events, a multiple of four of them. A block has sixteen bytes for each pair, and starts
    // at a multiple of 4, because the first one does and each has a multiple of eight bytes. The offset of an
    // event is sixteen times the number of a pair.
    let (weights, y) = each::<BLOCK>(weights, inputs, y, |block, y| {
        add(y, &unsafe { block_sums(list, block, offset) });
    });
    // SAFETY: as above, with four bytes for each pair, which may lie at any address.
    let (weights, y) = each::<2>(weights, inputs, y, |words, y| {
        add(y, &unsafe { two_sums(list, words) });
    });
    each::<1>(weights, inputs, y, |column, [y]| {
        let (twos, _) = column.as_chunks();
        for event in list {
            let at = (event.offset / PAIR) as usize;
            let [i, j] = twos.get(at).copied().unwrap_or_default().map(|w| i32::from(w as i8));
            let [x_i, x_j] = [event.x & 0xffff, event.x >> 16].map(|x| x as i32);
            *y = y.wrapping_add(x_i * i + x_j * j);
        }
    });
}

/// Adds the last of an odd number of inputs, whose weights end each block.
#[cold]
#[inline(never)]
fn add_last(weights: &[u8], inputs: usize, x: i32, y: &mut [i32]) {
    let add = |y: &mut [i32], lane: &[u8; 2], p| {
        for (y, w) in y.iter_mut().zip(unpack_lane(*lane, p)) {
            *y = y.wrapping_add(x * i32::from(w));
        }
    };
    let (weights, y) = each::<BLOCK>(weights, inputs, y, |block, y| {
        let lanes = block.last_chunk::<BLOCK>().map_or(&[][..], |row| row.as_chunks().0);
        for (k, (y, lane)) in y.chunks_exact_mut(2).zip(lanes).enumerate() {
            add(y, lane, k % 2 == 0);
        }
    });
    let (weights, y) = each::<2>(weights, inputs, y, |words, y| {
        if let Some(lane) = words.last_chunk() {
            add(y, lane, false);
        }
    });
    each::<1>(weights, inputs, y, |column, [y]| {
        let w = column.last().copied().unwrap_or_default() as i8;
        *y = y.wrapping_add(x * i32::from(w));
    });
}
