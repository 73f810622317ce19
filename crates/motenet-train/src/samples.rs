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

    /// Says that sample `index` will be loaded soon: a shuffled dataset that is larger than the caches is
    /// otherwise waited for. Does nothing by default, and nothing if there is no such sample.
    fn prefetch(&self, index: usize) {
        let _ = index;
    }
}

impl Samples<[f32; 784], u8> for Digits {
    fn len(&self) -> usize {
        self.images.len()
    }

    /// `x[k] = pixel[k] / 255`
    #[inline]
    fn load(&self, simd: Simd, index: usize, x: &mut [f32; 784]) -> u8 {
        scale_bytes(simd, &self.images[index], 1.0 / 255.0, x);
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
