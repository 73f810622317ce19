//! Every kernel against plain loops in `f64` at odd sizes, whole runs against the CPU's, and devices that fail.
//!
//! Without an adapter they say `skipped`; `MOTENET_REQUIRE_GPU=1` turns that into a failure.

mod epochs;
mod faults;
mod kernels;

use crate::Gpu;
use motenet::random;
use rand_core::Rng;

/// A device, or a sentence why there is none.
fn gpu() -> Option<Gpu> {
    match Gpu::open() {
        Ok(gpu) => Some(gpu),
        Err(error) if std::env::var("MOTENET_REQUIRE_GPU").as_deref() == Ok("1") => {
            panic!("{error}")
        }
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

/// Standard normal numbers.
fn normal(seed: u64, count: usize) -> Vec<f32> {
    let mut rng = random::generator(seed);
    (0..count).map(|_| random::normal(&mut rng)).collect()
}

/// Integers below `bound`.
fn below(seed: u64, count: usize, bound: u32) -> Vec<u32> {
    let mut rng = random::generator(seed);
    (0..count).map(|_| rng.next_u32() % bound).collect()
}
