//! How weights lie in flash: in the order in which the kernel of this target loads them.
//!
//! Both arrangements take a byte a weight, and both write a layer's outputs in blocks of eight: first
//! the weights of every input to outputs 0 to 7, then to 8 to 15, and so on, then what is left over.
//!
//! - `octets`, nearly everywhere: eight bytes an input and block.
//! - `pairs`, where there is `SMLAD` (Cortex-M4, M7): sixteen bytes for two inputs.
//!
//! Nothing outside of this crate sees them: a layer is made from rows and read weight by weight.

#[cfg(any(not(motenet_kernel = "armv7em"), test))]
pub(crate) mod octets;
#[cfg(any(motenet_kernel = "armv7em", test))]
pub(crate) mod pairs;

#[cfg(not(motenet_kernel = "armv7em"))]
pub(crate) use octets::{pack, set_weight, weight};
#[cfg(motenet_kernel = "armv7em")]
pub(crate) use pairs::{pack, set_weight, weight};

/// The outputs of a block.
pub(crate) const BLOCK: usize = 8;
