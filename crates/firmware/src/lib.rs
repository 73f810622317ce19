//! The program of a microcontroller that runs a motenet model.
//!
//! It answers the frames of [`motenet_link`] on the board's serial port: what it is, and what an input
//! is. The board is chosen by a feature, the model by `MOTENET_MODEL`, the path of an exported file.
//!
//! | file | |
//! |---|---|
//! | `main.rs` | the entry point |
//! | [`app`] | the loop that answers |
//! | [`model`] | the network, and `infer` |
//! | `learn` | the loop that learns, with the feature of that name |
//! | [`stack`] | how much stack was used |
//! | [`boards`] | the trait [`Board`](boards::Board), and one file a board |
//! | `bin/selftest.rs` | the kernels against their naive twins, on the chip |
//! | `bin/learn.rs` | the entry point of the program that learns |
//!
//! # Architecture invariants
//! No allocator, and no float but where it learns. The release build does not link if a panic is left anywhere in it, but
//! where a board's crates keep some (`panics` in boards.toml): there `cargo xtask chips` shows that none is ours.
//! `unsafe` is in [`boards`] and [`stack`] only.
#![no_std]

pub mod app;
pub mod boards;
#[cfg(feature = "learn")]
pub mod learn;
pub mod model;
pub mod stack;
