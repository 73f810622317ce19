//! Where a trainer gets its samples from.

use motenet::Simd;
use motenet::kernels::{prefetch, scale_bytes};
use motenet_data::Digits;
use motenet_data::rectangles::Rectangles;

/// A dataset that hands out samples by number, each converted on the spot to what a network reads.
pub trait Samples<X, T>: Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the input of sample `index` into `x` and returns its target; `simd` changes no bit.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Samples::len).
    fn load(&self, simd: Simd, index: usize, x: &mut X) -> T;

    /// What each byte stands for, if the inputs are kept as bytes: `x[k] = values[byte[k]]`.
    fn values(&self) -> Option<&[f32; 256]> {
        None
    }

    /// Writes the bytes of sample `index`'s input into `bytes`, which is as long, and returns its target. It is called where
    /// [`values`](Samples::values) are given.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Samples::len), or there are no bytes.
    fn load_bytes(&self, index: usize, bytes: &mut [u8]) -> T {
        let _ = (index, bytes);
        panic!("a dataset that says what its bytes stand for has to hand them out")
    }

    /// Says that sample `index` will be loaded soon: a shuffled dataset that is larger than the caches is
    /// otherwise waited for. Does nothing by default, and nothing if there is no such sample.
    fn prefetch(&self, index: usize) {
        let _ = index;
    }
}

/// What a pixel is scaled by.
const SCALE: f32 = 1.0 / 255.0;

/// `VALUES[pixel] = pixel / 255`, as [`scale_bytes`] computes it.
static VALUES: [f32; 256] = {
    let mut values = [0.0; 256];
    let mut pixel = 0;
    while pixel < values.len() {
        values[pixel] = pixel as f32 * SCALE;
        pixel += 1;
    }
    values
};

impl Samples<[f32; 784], u8> for Digits {
    fn len(&self) -> usize {
        self.images.len()
    }

    /// `x[k] = pixel[k] / 255`
    #[inline]
    fn load(&self, simd: Simd, index: usize, x: &mut [f32; 784]) -> u8 {
        scale_bytes(simd, &self.images[index], SCALE, x);
        self.labels[index]
    }

    fn values(&self) -> Option<&[f32; 256]> {
        Some(&VALUES)
    }

    #[inline]
    fn load_bytes(&self, index: usize, bytes: &mut [u8]) -> u8 {
        bytes.copy_from_slice(&self.images[index]);
        self.labels[index]
    }

    #[inline]
    fn prefetch(&self, index: usize) {
        if let Some(image) = self.images.get(index) {
            prefetch(image);
        }
    }
}

impl<const LEN: usize> Samples<[f32; LEN], [f32; 1]> for Rectangles<LEN> {
    fn len(&self) -> usize {
        Rectangles::len(self)
    }

    fn load(&self, _: Simd, index: usize, x: &mut [f32; LEN]) -> [f32; 1] {
        *x = self.pixels()[index];
        [self.means()[index]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes and numbers are one dataset.
    #[test]
    fn bytes_stand_for_the_numbers() {
        let images = vec![std::array::from_fn(|k| k as u8); 2];
        let digits = Digits::new(images, vec![3, 4]).unwrap();
        let (mut x, mut bytes) = ([9.0; 784], [9; 784]);
        let target = digits.load(Simd::detect(), 1, &mut x);
        assert_eq!((target, digits.load_bytes(1, &mut bytes)), (4, 4));
        let values = digits.values().unwrap();
        assert!(
            x.iter().zip(bytes).all(|(x, byte)| x.to_bits() == values[byte as usize].to_bits())
        );
    }
}
