//! The kernel of every target without one of its own: a plain loop, of which a compiler makes vectors.

use super::events::Event;
use crate::packing::BLOCK;

/// `Σ x·u` over the events, of each output of a block. Never panics.
///
/// # Safety
/// None is needed: it takes what the others take.
#[inline(always)]
pub(super) unsafe fn block_sums(events: &[Event], block: &[u8]) -> [u32; BLOCK] {
    let (rows, _) = block.as_chunks::<BLOCK>();
    let mut sums = [0u32; BLOCK];
    for event in events {
        let Some(row) = rows.get(event.offset as usize / BLOCK) else { continue };
        for (sum, &u) in sums.iter_mut().zip(row) {
            *sum = sum.wrapping_add(event.x * u32::from(u));
        }
    }
    sums
}
