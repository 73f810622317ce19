//! The digits that training is timed on.

use motenet_data::{Digits, made_up, mnist};

/// Images of a training set.
pub const COUNT: usize = 60_000;

/// The real ones if `MNIST_DIR` is set, else as many made-up ones, and which they are.
///
/// It matters: four fifths of MNIST's pixels are zero, and the kernels make use of that.
///
/// # Panics
/// If `MNIST_DIR` is set and does not hold the four files.
pub fn training_set() -> (&'static str, Digits) {
    let options = mnist::Options {
        cache_dir: None,
        download: false,
        validation: 0,
        ..mnist::Options::from_env()
    };
    if options.mnist_dir.is_none() {
        return ("made-up digits", made_up::digits(made_up::SEED, 0, COUNT));
    }
    match mnist::load(&options, &mut |_| {}) {
        Ok(splits) => ("MNIST", splits.train),
        Err(error) => panic!("{error}"),
    }
}

/// The share of pixels that are zero.
pub fn zeros(digits: &Digits) -> f64 {
    let pixels = digits.images.as_flattened();
    pixels.iter().filter(|&&pixel| pixel == 0).count() as f64 / pixels.len().max(1) as f64
}
