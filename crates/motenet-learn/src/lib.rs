//! Learning a sample at a time: what a chip does that trains, and what its twin on the PC does.
//!
//! A [`Learner`] is a network's weights, the gradient of a batch that is under way, and room for `N` samples.
//! A chip has room for one, a PC for many: by the arithmetic contract of [`motenet`] both end with the same
//! weights to the last bit, and [`Learner::sha256`] is how they tell.
//!
//! ```
//! use motenet::{Dense, Relu, Seq, Simd};
//! use motenet_learn::Learner;
//! type Net = Seq![Dense<4, 3>, Relu<3>, Dense<3, 2>];
//! let (mut chip, mut pc) = (Learner::<Net, 1>::new(), Learner::<Net, 8>::new());
//! chip.init(1);
//! pc.init(1);
//! let batch: [(&[u8], u8); 3] = [(&[255, 0, 0, 9], 0), (&[0, 80, 200, 0], 1), (&[3, 0, 255, 1], 0)];
//! for _ in 0..10 {
//!     for sample in batch {
//!         chip.learn(Simd::baseline(), &[sample], 1.0 / 3.0);
//!     }
//!     pc.learn(Simd::detect(), &batch, 1.0 / 3.0);
//!     chip.step(Simd::baseline(), 0.5, 0.0);
//!     pc.step(Simd::detect(), 0.5, 0.0);
//! }
//! assert_eq!(chip.sha256(), pc.sha256());
//! ```
//!
//! [`TrainFootprint`] says what training costs in RAM before anything is built.
//!
//! # Architecture invariants
//! No allocation, no IO, no state outside the learner, no panic. What is not here: where samples come from
//! (`motenet-link`), where weights are kept when the power is off (`motenet-store`).
#![no_std]

#[cfg(test)]
extern crate std;

mod footprint;
mod identity;
mod learner;

pub use footprint::TrainFootprint;
pub use identity::identity;
pub use learner::Learner;

use motenet::{Dense, Relu, Seq};

/// A network for digits that a chip of 128 KB of RAM can train: 12,730 parameters, 50,920 bytes, twice.
pub type DigitNetwork = Seq![Dense<784, 16>, Relu<16>, Dense<16, 10>];
