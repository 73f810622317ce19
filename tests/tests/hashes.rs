//! The runs of `cargo xtask hashes`, on every level of this machine; and that they are worth a hash.

use motenet::Simd;
use motenet_tests::digits;
use motenet_tests::hashes::{Run, SmallWorkspace, Workspace};
use std::sync::{Mutex, PoisonError};

/// Too large for a test's stack where nothing is optimised.
static SPACE: Mutex<Workspace> = Mutex::new(Workspace::ZERO);

#[test]
fn every_run_has_its_hash_on_every_level() {
    let mut space = SPACE.lock().unwrap_or_else(PoisonError::into_inner);
    for simd in Simd::available() {
        for run in Run::ALL {
            let hash = space.hash(run, simd);
            assert_eq!(hash.as_str(), run.expected(), "{}, {}", run.name(), simd.name());
        }
    }
}

/// 16 KiB of RAM, of which the stack needs some.
#[test]
fn the_small_run_fits_a_microbit() {
    assert!(size_of::<SmallWorkspace>() < 13 << 10, "{}", size_of::<SmallWorkspace>());
    assert!(size_of::<Workspace>() < 160 << 10, "{}", size_of::<Workspace>());
}

#[test]
fn the_digits_are_learnt() {
    static SPACE: Mutex<digits::Workspace> = Mutex::new(digits::Workspace::ZERO);
    let mut losses = Vec::new();
    let mut space = SPACE.lock().unwrap();
    digits::run(Simd::detect(), &mut space, |pair| losses.push((pair[0] + pair[1]) / 2.0));
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    let (first, last) = (mean(&losses[..50]), mean(&losses[950..]));
    assert!(first > 1.0 && last < 0.1 * first, "from {first} to {last}");
}
