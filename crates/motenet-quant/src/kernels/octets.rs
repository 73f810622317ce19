//! Sums over weights that lie in octets: one event an input.

use super::blocks::{add, each};
use super::events::{EVENTS, Events, Used};
use crate::packing::BLOCK;

#[cfg(motenet_kernel = "armv6m")]
use super::armv6m::block_sums;
#[cfg(motenet_kernel = "armv7m")]
use super::armv7m::block_sums;
#[cfg(any(motenet_kernel = "portable", motenet_kernel = "x86"))]
use super::portable::block_sums;
#[cfg(motenet_kernel = "words")]
use super::words::{self, block_sums};

const _: () = assert!(EVENTS <= 256, "sums would leave 24 bits");

/// `y[o] += Σ_i x[i]·w[i][o]`, modulo 2³². Never panics.
///
/// # Shapes
/// `weights`: `IN·OUT` bytes as `packing::octets` says, the first at a multiple of 4; `x`: `IN`; `y`: `OUT`. Not
/// generic over the sizes, so that a network has this code once.
///
/// # Safety
/// The address of `weights` must be a multiple of 4.
pub(crate) unsafe fn add_products(weights: &[u8], x: &[u8], y: &mut [i32]) {
    let (mut events, mut used) = (Events::new(), Used::default());
    let mut offset = 0;
    // SAFETY: four bytes are a `u32`, whatever they are.
    let (head, words, tail) = unsafe { x.align_to::<u32>() };
    for &x in head {
        push(&mut events, &mut used, &mut offset, x.into());
    }
    let (twos, odd) = words.as_chunks::<2>();
    for &[low, high] in twos {
        if low | high == 0 {
            offset += 8 * BLOCK as u32;
            continue;
        }
        if !used.has_room(8) {
            // SAFETY: every event counted has been pushed.
            unsafe { flush(&mut events, used, weights, x.len(), y) };
            used = Used::default();
        }
        push_word(&mut events, &mut used, &mut offset, low);
        push_word(&mut events, &mut used, &mut offset, high);
    }
    if !used.has_room(4 + 3) {
        // SAFETY: as above.
        unsafe { flush(&mut events, used, weights, x.len(), y) };
        used = Used::default();
    }
    for &word in odd {
        push_word(&mut events, &mut used, &mut offset, word);
    }
    for &x in tail {
        push(&mut events, &mut used, &mut offset, x.into());
    }
    // SAFETY: as above.
    unsafe { flush(&mut events, used, weights, x.len(), y) };
}

#[inline(always)]
fn push(events: &mut Events, used: &mut Used, offset: &mut u32, x: u32) {
    if x != 0 {
        events.push(used, *offset, x);
    }
    *offset += BLOCK as u32;
}

#[inline(always)]
fn push_word(events: &mut Events, used: &mut Used, offset: &mut u32, word: u32) {
    let mut word = u32::from_le(word);
    for _ in 0..4 {
        push(events, used, offset, word & 0xff);
        word >>= 8;
    }
}

/// Adds what the events stand for.
///
/// # Safety
/// As [`add_products`], and `used.len` events must have been pushed, each with the offset of an input.
#[inline(never)]
unsafe fn flush(events: &mut Events, used: Used, weights: &[u8], inputs: usize, y: &mut [i32]) {
    if used.len == 0 {
        return;
    }
    let offset = 128 * used.sum;
    for y in y.iter_mut() {
        *y = y.wrapping_sub(offset as i32);
    }
    // SAFETY: the caller's promise.
    let list = unsafe { events.padded::<2>(used) };
    #[cfg(motenet_kernel = "words")]
    // SAFETY: as below; two blocks.
    let (weights, y) = each::<{ 2 * BLOCK }>(weights, inputs, y, |blocks, y| {
        add(y, unsafe { words::sums::<2>(list, blocks, inputs) }.as_flattened());
    });
    // SAFETY: there are events, an even number of them. A block has eight bytes for each input, and starts at a
    // multiple of 4, because the first one does and each has a multiple of eight bytes. The offset of an event
    // is eight times the number of an input.
    let (weights, y) = each::<BLOCK>(weights, inputs, y, |block, y| {
        add(y, &unsafe { block_sums(list, block) });
    });
    each::<1>(weights, inputs, y, |column, [y]| {
        for event in list {
            let w = column.get(event.offset as usize / BLOCK).copied().unwrap_or_default();
            *y = y.wrapping_add((event.x * u32::from(w)) as i32);
        }
    });
}
