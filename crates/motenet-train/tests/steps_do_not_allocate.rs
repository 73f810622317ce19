//! A training step does not allocate: an epoch of many steps allocates as often as an epoch of few.
//!
//! One test in a program of its own, so that nothing else is counted.
#![allow(unsafe_code)] // a global allocator cannot be written without it

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use motenet::Simd;
use motenet_data::made_up;
use motenet_models::digits::Mlp;
use motenet_models::{Model, Recipe};
use motenet_train::{Settings, Trainer};

/// The system's allocator, which counts how often it is asked.
struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on unchanged to `System`, which keeps the contract; counting touches only
// an atomic and never allocates. `realloc` and `alloc_zeroed` are the provided ones, which go through
// `alloc`.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, SeqCst);
        // SAFETY: the caller keeps the contract of `alloc`, which is that of `System.alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often an epoch of `samples` digits allocates, once everything is warm: the fewest of several, since a thread
/// that the system starts late allocates what every thread does.
fn calls(samples: usize, threads: usize, recipe: Recipe) -> usize {
    let digits = made_up::digits(1, 0, samples);
    let mut trainer = Trainer::<Mlp>::new(Settings { recipe, seed: 1 }, threads, Simd::detect());
    let mut epoch = || {
        let before = CALLS.load(SeqCst);
        trainer.train_epoch(&digits, |_, _| ControlFlow::Continue(())).unwrap();
        CALLS.load(SeqCst) - before
    };
    (0..5).map(|_| epoch()).min().unwrap()
}

#[test]
fn more_steps_do_not_allocate_more() {
    for threads in [1, 2, 5] {
        // The second takes several rounds a step, and clips.
        for (batch_size, clip_norm) in [(64, 0.0), (700, 1.0)] {
            let recipe = Recipe { epochs: 9, batch_size, clip_norm, ..Mlp::RECIPE };
            let few = calls(800, threads, recipe);
            let many = calls(4000, threads, recipe);
            assert_eq!(few, many, "{threads} threads, batches of {batch_size}");
            assert!(few > 0, "an epoch draws its order: the counter must count");
        }
    }
}
