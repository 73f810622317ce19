//! Prints the hash of every run, or of those named, on this machine: what `cargo xtask hashes` starts
//! where a program of its own is needed (another profile, Miri).
//!
//! A line is `hash: HASH RUN LEVEL FMA`; the last is `done`.

use motenet::Simd;
use motenet_tests::hashes::{Run, Workspace};
use std::sync::{Mutex, PoisonError};

/// A workspace is larger than an unoptimised program's stack should be.
static SPACE: Mutex<Workspace> = Mutex::new(Workspace::ZERO);

fn main() {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let chosen = |run: &Run| names.is_empty() || names.iter().any(|name| name == run.name());
    let mut space = SPACE.lock().unwrap_or_else(PoisonError::into_inner);
    // Miri knows some of the vector instructions only.
    for simd in Simd::available().take(if cfg!(miri) { 1 } else { usize::MAX }) {
        for run in Run::ALL.into_iter().filter(chosen) {
            let hash = space.hash(run, simd);
            println!("hash: {} {} {} {}", hash.as_str(), run.name(), simd.name(), simd.fma());
        }
    }
    println!("done");
}
