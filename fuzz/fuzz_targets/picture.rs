//! See `motenet_hostile::picture`.
#![no_main]

use motenet_hostile::picture;

libfuzzer_sys::fuzz_target!(|data: &[u8]| picture::check(data));
