//! See `motenet_hostile::checkpoint`.
#![no_main]

use motenet_hostile::checkpoint;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checkpoint::check(data));
