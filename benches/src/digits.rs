//! The digits that training is timed on.

use motenet_data::{Digits, made_up, mnist};

/// Images of a training set.
pub const COUNT: usize = 60_000;

/// The digits to train on, those to test with, and which they are: the real ones if `MNIST_DIR` is set, else as
/// many made-up ones.
///
/// It matters: four fifths of MNIST's pixels are zero, and the kernels make use of that.
///
/// # Errors
/// One line, if `MNIST_DIR` is set and does not hold the four files.
pub fn sets() -> Result<(&'static str, Digits, Digits), String> {
    let options = mnist::Options {
        cache_dir: None,
        download: false,
        validation: 0,
        ..mnist::Options::from_env()
    };
    if options.mnist_dir.is_none() {
        let of = |first, count| made_up::digits(made_up::SEED, first, count);
        return Ok(("made-up digits", of(0, COUNT), of(COUNT as u64, 4_000)));
    }
    let splits = mnist::load(&options, &mut |_| {}).map_err(|error| error.to_string())?;
    Ok(("MNIST", splits.train, splits.test))
}

/// Those to train on, and which they are.
///
/// # Panics
/// Where [`sets`] has an error.
pub fn training_set() -> (&'static str, Digits) {
    match sets() {
        Ok((name, train, _)) => (name, train),
        Err(error) => panic!("{error}"),
    }
}

/// The share of pixels that are zero.
pub fn zeros(digits: &Digits) -> f64 {
    let pixels = digits.images.as_flattened();
    pixels.iter().filter(|&&pixel| pixel == 0).count() as f64 / pixels.len().max(1) as f64
}
