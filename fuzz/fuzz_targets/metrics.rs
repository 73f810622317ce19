//! See `motenet_hostile::metrics`.
#![no_main]

use motenet_hostile::metrics;

libfuzzer_sys::fuzz_target!(|data: &[u8]| metrics::check(data));
