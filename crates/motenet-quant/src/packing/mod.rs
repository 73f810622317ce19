//! How weights lie in flash: in the order in which the kernel of this target loads them.
//!
//! All arrangements take a byte a weight.
//!
//! - `octets`, nearly everywhere: eight bytes an input and block of eight outputs.
//! - `pairs`, where there is `SMLAD` (Cortex-M4, M7): sixteen bytes for two inputs, by blocks as well.
//! - `quads`, on x86-64: four bytes for four inputs and an output.
//!
//! Nothing outside of this crate sees them: a layer is made from rows and read weight by weight.

#[cfg(any(not(any(motenet_kernel = "armv7em", motenet_kernel = "x86")), test))]
pub(crate) mod octets;
#[cfg(any(motenet_kernel = "armv7em", test))]
pub(crate) mod pairs;
#[cfg(any(motenet_kernel = "x86", test))]
pub(crate) mod quads;

#[cfg(not(any(motenet_kernel = "armv7em", motenet_kernel = "x86")))]
pub(crate) use octets::{pack, set_weight, weight};
#[cfg(motenet_kernel = "armv7em")]
pub(crate) use pairs::{pack, set_weight, weight};
#[cfg(motenet_kernel = "x86")]
pub(crate) use quads::{pack, set_weight, weight};

/// The outputs of a block of octets or pairs.
#[cfg(any(not(motenet_kernel = "x86"), test))]
pub(crate) const BLOCK: usize = 8;
