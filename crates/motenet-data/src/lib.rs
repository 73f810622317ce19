//! Datasets for motenet.
//!
//! | module | what lives there |
//! |---|---|
//! | [`mnist`] | the 70,000 handwritten digits: found in a folder or downloaded, checked by SHA-256 |
//! | [`made_up`] | digits drawn by arithmetic: no network, no file, the same bits on every machine |
//! | [`rectangles`] | grey rectangles and their mean, for the smallest of models |
//! | [`idx`] | the reader of IDX files, which trusts nothing in them |
//!
//! [`Digits`] is a set of images with labels, [`Splits`] the three sets that a training run needs.
//!
//! **Invariants.** No file and no server can make this crate panic, or allocate beyond the size of
//! the file plus a constant (for gzip: beyond what a file of that size can expand to, and never
//! more than the caller's limit). Nothing reads the environment except
//! [`mnist::Options::from_env`], and the proxy variables where [`mnist::Options::proxy_from_env`]
//! allows it. Nothing is downloaded where a folder was named.
//!
//! This crate needs `std` and depends on no other crate of motenet.

mod digits;
mod error;
pub mod idx;
pub mod made_up;
pub mod mnist;
mod random;
pub mod rectangles;

pub use digits::{Digits, Image, PIXELS, SIDE, Splits};
pub use error::Error;
