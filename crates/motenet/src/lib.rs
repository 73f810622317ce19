//! Neural networks whose shapes, memory and arithmetic are fixed at compile time.
//!
//! A model is a type. It holds its parameters and nothing else, in `f32`, one after the other:
//!
//! ```
//! use motenet::{Dense, Relu, Seq, Params};
//! type Mlp = Seq![Dense<784, 64>, Relu<64>, Dense<64, 10>];
//! assert_eq!(Mlp::COUNT, 784 * 64 + 64 + 64 * 10 + 10);
//! assert_eq!(size_of::<Mlp>(), 4 * Mlp::COUNT);
//! ```
//!
//! # The map
//! - [`Layer`] and [`Train`] are the two traits to learn ([`layer`]); [`Chain`] puts two layers in a
//!   row and [`Seq!`] any number. [`FirstLayer`] reads bytes, and is divided among threads.
//! - [`layers`]: one file each, forward and backward side by side, the derivation above.
//! - [`losses`], [`optimizers`], [`schedules`], [`init`]: what a training step needs besides.
//! - [`layout`]: how a model is a flat slice of `f32`, and how it comes to life without a copy.
//! - [`kernels`]: the loops, written over plain arrays and compiled for each instruction set; [`Simd`]
//!   chooses among them.
//! - [`math`]: our own `exp`, `ln`, `tanh`, because a library's differ from machine to machine.
//!
//! # One training step
//! ```
//! use motenet::{Acts, Dense, Init, Layer, Loss, Optimizer, Params, Pass, Scheme, Seq, Sgd, Shard,
//!     Simd, SoftmaxCrossEntropy, Step, Train, Zero, random};
//! type Net = Seq![Dense<2, 3>];
//! let (mut net, mut grad) = (Net::ZERO, Net::ZERO);
//! net.init(Scheme::KaimingNormal, 1.0, &mut random::generator(1));
//!
//! let (x, labels) = ([[1.0, 0.0], [0.0, 1.0]], [2, 0]);
//! let pass = Pass::train(Simd::detect(), 1, 0);
//! let mut acts = <Net as Layer>::Acts::<2>::ZERO; // what the forward pass leaves behind
//! let mut d_acts = <Net as Layer>::Acts::<2>::ZERO; // and its gradient
//! let mut losses = [0.0; 2];
//! let mut before = 0.0;
//! for step in 1..=20 {
//!     net.forward(pass, &x, &mut acts);
//!     SoftmaxCrossEntropy::default()
//!         .gradient(pass.simd, acts.output(), &labels, 0.5, d_acts.output_mut(), &mut losses);
//!     net.backward(pass, &x, &acts, &mut d_acts, None);
//!     grad.flat_mut().fill(0.0);
//!     Net::accumulate(pass, &x, &acts, &d_acts, Shard::whole(&mut grad));
//!     let step = Step { number: step, learning_rate: 0.5 };
//!     Sgd::default().update(pass.simd, step, net.flat_mut(), grad.flat(), &mut [], &mut []);
//!     if step.number == 1 { before = losses[0] + losses[1]; }
//! }
//! assert!(losses[0] + losses[1] < before / 2.0);
//! ```
//!
//! # The arithmetic contract
//! Same seed, same bits, on every machine. `f32`, round to nearest even, subnormals kept. Each output
//! element is one chain of fused multiply-adds in a fixed order; only work *across* elements is
//! reordered, and that is where vectors, blocks and threads live:
//! - forward: `y[o] = b[o]`, then for `i` ascending, where `x[i] ≠ 0`, `y[o] = fma(x[i], w[i][o], y[o])`, and at the
//!   end `y[o] + 0`;
//! - weight gradient: for samples `n` ascending, where `x[n][i] ≠ 0`, `dw[i][o] = fma(x[n][i], dy[n][o], dw[i][o])`,
//!   and at the end of a batch `dw[i][o] + 0`;
//! - bias gradient: for samples `n` ascending `db[o] = db[o] + dy[n][o]`;
//! - input gradient: from 0, for `o` ascending `dx[i] = fma(w[i][o], dy[o], dx[i])`;
//! - sums over a row: ascending; the norm of a gradient: sixteen interleaved ascending chains, then
//!   those ascending ([`kernels::sum_squares`]).
//!
//! **A term whose `x` is zero (of either sign) is left out**, whatever stands on the other side: an infinite
//! weight behind a dark pixel does not make NaN. A digit is four fifths zeros, and a rectifier
//! gives about half, so this is where speed comes from, on a chip as on a PC. Whether a kernel really skips
//! the term, or computes it because sixteen at once are faster, cannot be seen: for a finite weight the
//! term is ±0, and adding that changes at most the sign of a zero (proof: a number other than zero plus ±0 is
//! itself; a later term other than zero gives the same from +0 and from −0, even where it underflows;
//! so two chains that differ only in such terms are equal, or both zero), and the `+ 0` at the end makes
//! every zero +0. For a weight that is not finite the term is NaN, which the kernels notice, and leave it
//! out after all. A gradient begins at +0 and no kernel leaves −0 in it; a −0 that someone else puts
//! there may stay or become +0.
//!
//! Which bits a NaN carries is the one thing left open: IEEE 754 does not say.
//!
//! # Features
//! `std` (default) detects the CPU ([`Simd::detect`]); `alloc` gives [`Zero::boxed`]; `nalgebra`
//! converts a [`Dense`] to and from matrices; `serde` writes and reads settings. Without features the
//! crate needs neither an operating system nor an allocator.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod chain;
pub mod first_layer;
pub mod init;
pub mod kernels;
pub mod layer;
pub mod layers;
pub mod layout;
pub mod losses;
pub mod math;
#[cfg(feature = "nalgebra")]
mod nalgebra;
pub mod optimizers;
pub mod random;
pub mod schedules;
pub mod shard;
pub mod tensor;

pub use chain::{Chain, ChainActs};
pub use first_layer::FirstLayer;
pub use init::{Init, Scheme};
pub use kernels::Simd;
pub use layer::{Acts, Layer, LayerInfo, Pass, Train};
pub use layers::{
    Dense, Dropout, Flatten, Gelu, LeakyRelu, NoBias, Pointwise, Relu, Sigmoid, Softmax, Tanh,
};
pub use layout::{Aligned, Params, Zero};
pub use losses::{BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy};
pub use optimizers::{Adam, AnyOptimizer, Optimizer, Sgd, Step};
pub use schedules::Schedule;
pub use shard::Shard;
pub use tensor::{Tensor, argmax};
