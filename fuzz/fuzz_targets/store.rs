//! See `motenet_hostile::store`.
#![no_main]

use motenet_hostile::store;

libfuzzer_sys::fuzz_target!(|data: &[u8]| store::check(data));
