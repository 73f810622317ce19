//! The list of inputs that are not zero.

use core::mem::MaybeUninit;

/// How many events a list holds.
///
/// The kernels need at most 256: then a sum of products of a `u8` and a byte is below `256·255·255 < 2²⁴`.
/// Half of that takes 1 KB of stack, and a digit of 784 pixels, 151 of them lit, needs one list of pairs or two of
/// single inputs: room for 192 saved 2 to 3 % there, room for 256 no more.
pub(crate) const EVENTS: usize = super::LIST_BYTES / size_of::<Event>();

/// An input, or two, that are not both zero.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Event {
    /// Where its weights begin, from the start of any block of eight outputs.
    pub(crate) offset: u32,
    /// The input's value; two values in 16-bit lanes for the kernel that takes pairs.
    pub(crate) x: u32,
}

/// Room for a list, on the stack; not cleared.
pub(crate) struct Events([MaybeUninit<Event>; EVENTS]);

/// How much of the room is in use. Apart from it, so that a loop that appends keeps both numbers in
/// registers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Used {
    /// The events.
    pub(crate) len: usize,
    /// The sum of every `x`; of pairs, the sum in each lane: it fits, `128·255 < 2¹⁶`.
    pub(crate) sum: u32,
}

impl Events {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Events([const { MaybeUninit::uninit() }; EVENTS])
    }

    /// Appends an event; a full list drops it, so ask [`has_room`](Used::has_room) before.
    #[inline(always)]
    pub(crate) fn push(&mut self, used: &mut Used, offset: u32, x: u32) {
        if let Some(event) = self.0.get_mut(used.len) {
            event.write(Event { offset, x });
            used.len += 1;
            used.sum += x;
        }
    }

    /// The events so far, and others of value zero, which add nothing, up to a multiple of `N`, for a kernel
    /// that takes `N` at a time.
    ///
    /// # Safety
    /// `used.len` events must have been pushed.
    #[inline(always)]
    pub(crate) unsafe fn padded<const N: usize>(&mut self, mut used: Used) -> &[Event] {
        const { assert!(EVENTS.is_multiple_of(N), "a full list must need no padding") };
        while !used.len.is_multiple_of(N) {
            self.push(&mut used, 0, 0);
        }
        // SAFETY: the caller has pushed the first events and this loop the rest.
        unsafe { core::slice::from_raw_parts(self.0.as_ptr().cast(), used.len) }
    }
}

impl Used {
    /// Whether `more` events fit.
    #[inline(always)]
    pub(crate) const fn has_room(self, more: usize) -> bool {
        self.len <= EVENTS - more
    }
}
