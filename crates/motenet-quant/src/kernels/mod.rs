//! The loops: sums of a dense layer, driven by the inputs that are not zero.
//!
//! The inputs are looked through once, and those that are not zero go into a short list (`events`):
//! four fifths of a digit are zero. Then each block of outputs runs over the list with its sums in
//! registers. A list that is full is worked off and begun anew, so its size bounds memory, not the
//! layer.
//!
//! A PC has vectors (`quads`): an event is four inputs there, and [`Simd`] says at run time with which
//! instructions they are multiplied.
//!
//! What a chip spends is instructions per weight, and three facts save most of them:
//!
//! - Eight-bit weights can share a 32-bit product if their sums can be told apart afterwards. Within one
//!   list a sum is below 2²⁴, so four of them have as many bits as three registers: three products do
//!   for four weights, and `decode` says how, exactly and for every input.
//! - `SMLAD` multiplies two inputs at once.
//! - Which extractions are free differs from chip to chip, so each has its own kernel:
//!
//! | kernel | chips | instructions for eight outputs |
//! |---|---|---|
//! | `armv7em` | Cortex-M4, M7 | 13.75 for two inputs |
//! | `armv7m` | Cortex-M3, M33, M55 | 14 an input |
//! | `armv6m` | Cortex-M0, M0+, M23 | 20 an input |
//! | `words` | RISC-V, 32 bits | 23 an input |
//! | `x86` | x86-64: `quads`, `products`, `registers_x86` | |
//! | `portable` | all others: a loop that the compiler makes vectors of | |
//!
//! `unsafe` is allowed in this folder and in `layout.rs`, nowhere else. The kernels in assembly take
//! pointers and counts and write sums; what they may touch is stated at each. They never panic,
//! allocate or keep state.
#![allow(unsafe_code)]

#[cfg(motenet_kernel = "armv6m")]
mod armv6m;
#[cfg(motenet_kernel = "armv7em")]
mod armv7em;
#[cfg(motenet_kernel = "armv7m")]
mod armv7m;
#[cfg(any(not(motenet_kernel = "x86"), test))]
mod blocks;
#[cfg(any(not(any(motenet_kernel = "portable", motenet_kernel = "x86")), test))]
mod decode;
#[cfg(any(not(motenet_kernel = "x86"), test))]
pub(crate) mod events;
#[cfg(any(not(any(motenet_kernel = "armv7em", motenet_kernel = "x86")), test))]
mod octets;
#[cfg(motenet_kernel = "armv7em")]
mod pairs;
#[cfg(any(motenet_kernel = "portable", test))]
mod portable;
#[cfg(motenet_kernel = "x86")]
mod products;
#[cfg(motenet_kernel = "x86")]
mod quads;
#[cfg(all(
    feature = "selftest",
    any(motenet_kernel = "armv6m", motenet_kernel = "armv7m", motenet_kernel = "armv7em")
))]
pub(crate) mod registers;
#[cfg(motenet_kernel = "x86")]
mod registers_x86;
mod scale;
#[cfg(test)]
mod tests;
#[cfg(any(motenet_kernel = "words", test))]
mod words;

use crate::QDense;
use motenet::Simd;
#[cfg(not(any(motenet_kernel = "armv7em", motenet_kernel = "x86")))]
use octets as layout;
#[cfg(motenet_kernel = "armv7em")]
use pairs as layout;
pub(crate) use scale::requantize;

/// Bytes of the list, which is on the stack while a layer runs.
pub(crate) const LIST_BYTES: usize = 1024;

/// `y[o] += Σ_i x[i]·w[i][o]`, modulo 2³². Never panics.
#[inline(always)]
pub(crate) fn add_products<const IN: usize, const OUT: usize>(
    simd: Simd,
    layer: &QDense<IN, OUT>,
    x: &[u8; IN],
    y: &mut [i32; OUT],
) {
    #[cfg(motenet_kernel = "x86")]
    quads::add_products(simd, layer.packed(), x, y);
    // SAFETY: the weights are the first field of a `repr(C)` struct that holds `i32`s too, so they start at
    // a multiple of 4.
    #[cfg(not(motenet_kernel = "x86"))]
    unsafe {
        let _ = simd;
        layout::add_products(layer.packed(), x, y);
    }
}
