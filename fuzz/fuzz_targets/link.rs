//! See `motenet_hostile::link`.
#![no_main]

use motenet_hostile::link;

libfuzzer_sys::fuzz_target!(|data: &[u8]| link::check(data));
