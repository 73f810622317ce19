//! See `motenet_hostile::idx`.
#![no_main]

use motenet_hostile::idx;

libfuzzer_sys::fuzz_target!(|data: &[u8]| idx::check(data));
