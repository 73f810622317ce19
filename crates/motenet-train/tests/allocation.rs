//! How much reading a checkpoint allocates, counted: hostile files must not make it reserve memory.
//!
//! One test in a program of its own, so that nothing else is counted.
#![allow(unsafe_code)] // a global allocator cannot be written without it

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use motenet_models::Model;
use motenet_models::digits::Mlp;
use motenet_train::{Checkpoint, Error, Header, LayerShape, Position, Settings};

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

/// The most that `work` had allocated beyond what was in use before.
fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = IN_USE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = work();
    (result, PEAK.load(Relaxed) - before)
}

/// What headers and buffers may take.
const CONSTANT: usize = 512 * 1024;

/// A file that starts with this header and then holds `payload` zeros.
fn file(path: &Path, header: &[u8], payload: usize) -> u64 {
    let start = [&b"MOTENET\0\x01\0\0\0"[..], &(header.len() as u32).to_le_bytes(), header];
    let bytes = [start.concat(), vec![0; payload]].concat();
    fs::write(path, &bytes).unwrap();
    bytes.len() as u64
}

#[test]
fn allocation_is_bounded_by_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = &folder.path().join("checkpoint.motenet");
    let header = |params: u64, layers: Vec<LayerShape>| Header {
        model: "mlp".to_owned(),
        layers,
        params,
        moments: 2,
        dataset: String::new(),
        dataset_sha256: String::new(),
        train_len: 0,
        validation_len: 0,
        settings: Settings { recipe: Mlp::RECIPE, seed: 0 },
        position: Position::default(),
    };
    let layer =
        |params: u64| LayerShape { name: String::new(), input_len: 1, output_len: 1, params };

    // Four billion parameters and more, claimed by a short file.
    for params in [1 << 32, u64::from(u32::MAX), 1 << 60, u64::MAX] {
        let json = serde_json::to_vec(&header(params, vec![layer(params)])).unwrap();
        let size = file(path, &json, 64);
        let (result, bytes) = peak(|| Checkpoint::read(path));
        assert!(
            matches!(result, Err(Error::Truncated { found, .. }) if found == size),
            "{result:?}"
        );
        assert!(bytes < CONSTANT, "{bytes}");
    }

    // A header that claims to be four billion bytes long; in a short file and in a long one.
    for len in [100, 2 << 20] {
        let mut bytes = vec![b' '; len];
        bytes[..16].copy_from_slice(b"MOTENET\0\x01\0\0\0\xff\xff\xff\xff");
        fs::write(path, &bytes).unwrap();
        let (result, bytes) = peak(|| Checkpoint::read(path));
        assert!(matches!(result, Err(Error::Truncated { .. })), "{result:?}");
        assert!(bytes < CONSTANT, "{bytes}");
        let mut bytes = vec![b' '; len];
        bytes[..16].copy_from_slice(b"MOTENET\0\x01\0\0\0\0\0\x1f\0");
        fs::write(path, &bytes).unwrap();
        let (result, bytes) = peak(|| Checkpoint::read(path));
        let error = result.unwrap_err();
        let fits = matches!(error, Error::Truncated { .. }) == (len == 100);
        assert!(fits && bytes < CONSTANT, "{error} {bytes}");
    }

    // The longest header, which becomes a list of as many layers as fit.
    let mut layers = vec![layer(0); 1200];
    layers.push(layer(1 << 40));
    let json = serde_json::to_vec(&header(1 << 40, layers)).unwrap();
    assert!((60_000..65_536).contains(&json.len()), "{}", json.len());
    file(path, &json, 64);
    let (result, bytes) = peak(|| Checkpoint::read(path));
    assert!(matches!(result, Err(Error::Truncated { .. })), "{result:?}");
    assert!(bytes < CONSTANT, "{bytes}");

    // A good file takes its size, not twice it; and writing takes a constant.
    let params = 1_000_003;
    let weights = vec![1.0; params];
    let header = header(params as u64, vec![layer(params as u64)]);
    let moments = [&weights[..], &weights];
    let (result, bytes) = peak(|| Checkpoint::write_from(path, &header, &weights, &moments));
    result.unwrap();
    assert!(bytes < CONSTANT, "{bytes}");
    let (result, bytes) = peak(|| Checkpoint::read(path));
    assert_eq!(result.unwrap().moments[1].len(), params);
    assert!((12 * params..12 * params + CONSTANT).contains(&bytes), "{bytes}");
}
