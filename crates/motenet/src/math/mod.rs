//! Elementary functions of our own: the same bits on every machine.
//!
//! A platform's `exp` and `tanh` differ from the next platform's in the last bits, and a training run
//! multiplies such differences until nothing is equal. These functions use only what IEEE 754 defines to
//! the bit: `+ − × ÷`, fused multiply-add, comparison, and integer operations on bit patterns. Each is
//! generic over the instruction set that its fused multiply-adds come from, and free of branches, so
//! that a loop over one vectorises inside the `#[target_feature]` wrapper of a kernel.
//!
//! | function | file | worst error, all 2³² inputs | promised |
//! |---|---|---|---|
//! | [`exp`] | `exp.rs` | 0.876 | 1 ulp |
//! | [`ln`] | `ln.rs` | 0.876 | 1 ulp |
//! | [`ln_1p`] | `ln.rs` | 0.958 | 1 ulp |
//! | [`tanh`] | `tanh.rs` | 1.339 | 1.5 ulp |
//! | [`sigmoid`] | `sigmoid.rs` | 2.402 | 2.5 ulp |
//! | [`cos_pi`] | `cos_pi.rs` | 0.441·2⁻²³ | 0.45·2⁻²³, absolute |
//! | [`sqrt`] | `exact.rs` | correctly rounded | 0.5 ulp |
//! | [`powi64`] | `exact.rs` | | relative `n·2⁻⁵³` |
//! | [`fma_soft`] | `fma.rs` | correctly rounded | 0.5 ulp |
//!
//! An error in ulp is the distance from the true value, in units of the distance between neighbouring
//! floats there. `accuracy.rs` holds the functions to this table. `coefficients.py` prints the
//! polynomials.
//!
//! **Invariants, stated as absences.** No transcendental function of `std` or `libm`; no table; no
//! panic; no state. Which NaN comes out of a NaN is the one thing left open: Rust leaves it open.

mod cos_pi;
mod exact;
mod exp;
mod fma;
mod ln;
mod sigmoid;
mod tanh;

#[cfg(test)]
mod accuracy;

pub use cos_pi::cos_pi;
pub use exact::{powi64, sqrt};
pub use exp::exp;
pub use fma::fma_soft;
pub use ln::{ln, ln_1p};
pub use sigmoid::sigmoid;
pub use tanh::tanh;
