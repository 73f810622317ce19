//! How much the IDX reader allocates, counted: hostile files must not make it reserve memory.
//!
//! One test in a program of its own, so that nothing else is counted.
#![allow(unsafe_code)] // a global allocator cannot be written without it

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use motenet_data::idx::{images_from, labels_from};
use motenet_data::{Error, PIXELS};

/// The system's allocator, which remembers how much is and was in use at most.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on unchanged to `System`, which keeps the contract; counting
// touches only atomics and never allocates. `realloc` and `alloc_zeroed` are the provided ones,
// which go through these two.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = IN_USE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(now, Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`, which is that of `System.alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: `pointer` came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that `work` had allocated beyond what was in use before; it must end soon.
fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = IN_USE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let start = Instant::now();
    let result = work();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    (result, PEAK.load(Relaxed) - before)
}

/// What buffers, the decompressor and the harness's own threads may take.
const CONSTANT: usize = 400 * 1024;

fn header(count: u32) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    for dimension in [count, 28, 28] {
        bytes.extend(dimension.to_be_bytes());
    }
    bytes
}

fn gzip(parts: &[&[u8]]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for part in parts {
        encoder.write_all(part).unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn allocation_is_bounded_by_the_file() {
    let name = Path::new("file");
    let everything = usize::MAX;

    // Four billion images claimed by 20 bytes, with no limit from the caller.
    let raw = [header(u32::MAX), vec![0; 4]].concat();
    let (result, bytes) = peak(|| images_from(&raw, name, everything));
    assert!(matches!(result, Err(Error::Truncated { .. })), "{result:?}");
    assert!(bytes < CONSTANT, "{bytes}");

    // The same inside gzip, where the true length is not known beforehand.
    let packed = gzip(&[&raw]);
    let (result, bytes) = peak(|| images_from(&packed, name, everything));
    assert!(matches!(result, Err(Error::Truncated { .. })), "{result:?}");
    assert!(bytes < packed.len() * 1032 + CONSTANT, "{bytes}");

    // Four billion labels.
    let packed = gzip(&[&[0, 0, 8, 1, 255, 255, 255, 255, 1, 2, 3]]);
    let (result, bytes) = peak(|| labels_from(&packed, name, everything));
    assert!(matches!(result, Err(Error::Truncated { found: 3, .. })), "{result:?}");
    assert!(bytes < packed.len() * 1032 + CONSTANT, "{bytes}");

    // A bomb: 64 MB of zeros behind a header for one image. Decompression stops after that one.
    let zeros = vec![0; 64 << 20];
    let bomb = gzip(&[&header(1), &zeros]);
    let (result, bytes) = peak(|| images_from(&bomb, name, everything));
    assert!(matches!(result, Err(Error::Trailing { .. })), "{result:?}");
    assert!(bytes < CONSTANT, "{bytes}");

    // A bomb whose header is honest is stopped by the caller's limit.
    let bomb = gzip(&[&header(80_000), &zeros[..80_000 * PIXELS]]);
    let (result, bytes) = peak(|| images_from(&bomb, name, 60_000));
    assert!(matches!(result, Err(Error::TooMany { .. })), "{result:?}");
    assert!(bytes < CONSTANT, "{bytes}");

    // Good files take their size, not twice it.
    let raw = [header(1_000), zeros[..1_000 * PIXELS].to_vec()].concat();
    for file in [gzip(&[&raw]), raw] {
        let (result, bytes) = peak(|| images_from(&file, name, everything));
        assert_eq!(result.unwrap().len(), 1_000);
        assert!((1_000 * PIXELS..1_000 * PIXELS + CONSTANT).contains(&bytes), "{bytes}");
    }
}
