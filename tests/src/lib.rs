//! What the tests share. The tests themselves lie in `tests/`, one idea a file:
//!
//! - `gradients`: every layer and loss against finite differences of [`mod@reference`];
//! - `pytorch_golden`: what PyTorch computes, read by [`golden`];
//! - `nalgebra_oracle`: the dense layer against matrix products;
//! - `same_bits`: [`job()`] and [`mod@digits`], training runs that have one hash, wherever and however they run;
//!   [`hashes`] names them all, for `cargo xtask hashes`;
//! - `batches`: a batch shorter than its workspace;
//! - `edges`: zeros of both signs, infinities, NaN, numbers far out;
//! - `stack`: a large layer trains in a small stack;
//! - `docs`: the documents quote code that is there, and link to files that are there;
//! - `panic_free`: a release build of a training step links without a panic.
//!
//! `ui/` is a crate of its own: programs that must not compile, and what the compiler says of them.
#![cfg_attr(not(feature = "std"), no_std)]

pub mod digits;
#[cfg(feature = "std")]
pub mod golden;
pub mod hashes;
pub mod job;
#[cfg(feature = "std")]
pub mod reference;

pub use job::job;

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
