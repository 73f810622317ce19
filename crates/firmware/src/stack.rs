//! How much stack was used: what lies below the stack pointer is painted, and later one looks how far
//! down the paint is gone.
//!
//! At most [`DEPTH`] bytes below the first stack pointer are painted, so that looking takes no longer
//! than an inference; a use beyond that reads as that much. A hole that a function reserves and does
//! not write at its lowest end is not seen.
#![allow(unsafe_code)]

use crate::boards::{Memory, fill_up_to_stack_pointer, stack_pointer};
use core::ptr::with_exposed_provenance_mut;

/// The most bytes that are painted.
pub const DEPTH: usize = 8192;

const PAINT: u32 = 0xa5c3_5a3c;

/// The painted stack.
pub struct Stack {
    memory: Memory,
    /// The lowest painted address, a multiple of 4.
    floor: usize,
    /// The lowest address found written so far.
    lowest: usize,
}

impl Stack {
    /// Paints what is below the caller's frame. Once, at the start.
    pub fn paint(memory: Memory) -> Self {
        let top = stack_pointer() & !3;
        let floor = memory.stack_low.next_multiple_of(4).max(top.saturating_sub(DEPTH)).min(top);
        let mut stack = Stack { memory, floor, lowest: floor };
        stack.lowest = stack.fill();
        stack
    }

    /// What the linker put where.
    pub fn memory(&self) -> Memory {
        self.memory
    }

    /// Paints anew what was used below the caller's frame, and returns where that ends, for
    /// [`used_below`](Stack::used_below).
    #[inline(always)]
    pub fn repaint(&mut self) -> usize {
        self.look();
        self.fill()
    }

    /// Bytes written below `top` since [`repaint`](Stack::repaint) returned it.
    #[inline(always)]
    pub fn used_below(&mut self, top: usize) -> usize {
        top.saturating_sub(self.look())
    }

    /// Bytes that the whole program has used so far.
    pub fn used_max(&mut self) -> usize {
        self.look();
        self.memory.stack_high.saturating_sub(self.lowest)
    }

    /// The lowest address whose paint is gone.
    #[inline(always)]
    fn look(&mut self) -> usize {
        let top = stack_pointer() & !3;
        let mut address = self.floor;
        // SAFETY: `floor` to the stack pointer is RAM that belongs to the stack, aligned to words and
        // initialised by `paint`; nothing else writes there while this loop runs.
        while address < top
            && unsafe { with_exposed_provenance_mut::<u32>(address).read_volatile() } == PAINT
        {
            address = address.wrapping_add(4);
        }
        self.lowest = self.lowest.min(address);
        address
    }

    /// Paints from the lowest address found written up to the stack pointer, which it returns.
    #[inline(always)]
    fn fill(&self) -> usize {
        // SAFETY: `lowest` is a multiple of 4 from `floor` upward: RAM that the linker left to the stack.
        unsafe { fill_up_to_stack_pointer(self.lowest, PAINT) }
    }
}
