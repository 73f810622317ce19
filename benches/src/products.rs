//! The products of a dense layer at the shapes of the models, and squares to compare with other crates.
//!
//! Every one of them is `C (+)= A·B` for flat matrices with strides, which is how the peers see it.

use motenet::Simd;
use motenet::kernels::{add_outer, affine, mul_transposed};
use rand_core::Rng;

/// Numbers that begin at a cache line, as those of models and workspaces do.
pub struct Floats {
    numbers: Vec<f32>,
    first: usize,
    len: usize,
}

impl Floats {
    /// `len` numbers made by `number`.
    pub fn new(len: usize, mut number: impl FnMut() -> f32) -> Self {
        let mut numbers = vec![0.0; len + 16];
        let first = numbers.as_ptr().align_offset(64).min(16);
        numbers[first..first + len].fill_with(&mut number);
        Floats { numbers, first, len }
    }

    /// The numbers.
    pub fn get(&self) -> &[f32] {
        &self.numbers[self.first..self.first + self.len]
    }

    /// The numbers, to be written.
    pub fn get_mut(&mut self) -> &mut [f32] {
        &mut self.numbers[self.first..self.first + self.len]
    }
}

/// The factors and the result of `C[m][n] = A[m][k]·B[k][n]`, or `+=` if `adds`.
pub struct Operands {
    /// Rows of A and C, columns of A, columns of B and C.
    pub m: usize,
    /// Columns of A, rows of B.
    pub k: usize,
    /// Columns of B and C.
    pub n: usize,
    /// Whether the product is added to what C holds.
    pub adds: bool,
    /// A.
    pub a: Floats,
    /// From a row of A to the next, from a column of A to the next.
    pub a_strides: (usize, usize),
    /// B.
    pub b: Floats,
    /// The same of B. C is stored row by row.
    pub b_strides: (usize, usize),
    /// C.
    pub c: Floats,
}

/// A product at one shape.
pub struct Product {
    /// What it is, and its shape.
    pub name: &'static str,
    /// Floating-point operations, two for a multiply-add; terms that are zero count.
    pub flops: f64,
    /// Whether the baseline is too slow to be worth waiting for.
    pub large: bool,
    /// Whether the inputs have the zeros of digits. Their terms are left out, so that no share of a peak
    /// can be told.
    pub sparse: bool,
    /// Makes operands that are not zero anywhere.
    pub operands: fn() -> Operands,
    /// Does it with motenet.
    pub run: fn(&mut Operands, Simd),
    /// Does it with nalgebra's matrices of fixed size.
    #[cfg(feature = "peers")]
    pub nalgebra: fn(&mut Operands),
}

/// One product of the layer `IN → OUT` for `N` samples.
enum Kind {
    Forward,
    WeightGradient,
    InputGradient,
}

fn operands<const IN: usize, const OUT: usize, const N: usize>(kind: Kind) -> Operands {
    let mut generator = motenet::random::generator(1);
    // In (0, 1), of either sign: dense, and no sum of products of them can overflow.
    let mut number = || {
        let bits = generator.next_u32();
        let size = (bits >> 9) as f32 / (1 << 23) as f32 + f32::EPSILON;
        if bits & 1 == 0 { size } else { -size }
    };
    let mut floats = |len| Floats::new(len, &mut number);
    let (x, w, dy) = (floats(N * IN), floats(IN * OUT), floats(N * OUT));
    let (m, k, n, a, a_strides, b, b_strides) = match kind {
        Kind::Forward => (N, IN, OUT, x, (IN, 1), w, (OUT, 1)),
        Kind::WeightGradient => (IN, N, OUT, x, (1, IN), dy, (OUT, 1)),
        Kind::InputGradient => (N, OUT, IN, dy, (OUT, 1), w, (1, OUT)),
    };
    let adds = matches!(kind, Kind::WeightGradient);
    Operands { m, k, n, adds, a, a_strides, b, b_strides, c: Floats::new(m * n, || 0.0) }
}

/// Rows of `LEN` numbers; what is left over is no row.
fn rows<const LEN: usize>(flat: &[f32]) -> &[[f32; LEN]] {
    flat.as_chunks().0
}

fn rows_mut<const LEN: usize>(flat: &mut [f32]) -> &mut [[f32; LEN]] {
    flat.as_chunks_mut().0
}

fn weights<const IN: usize, const OUT: usize>(flat: &[f32]) -> &[[f32; OUT]; IN] {
    rows(flat).first_chunk().expect("operands of another shape")
}

fn forward<const IN: usize, const OUT: usize>(operands: &mut Operands, simd: Simd) {
    let Operands { a, b, c, .. } = operands;
    affine::<IN, OUT>(simd, rows(a.get()), weights(b.get()), None, rows_mut(c.get_mut()));
}

fn weight_gradient<const IN: usize, const OUT: usize>(operands: &mut Operands, simd: Simd) {
    let Operands { a, b, c, .. } = operands;
    add_outer::<IN, OUT>(simd, rows(a.get()), rows(b.get()), 0, rows_mut(c.get_mut()));
}

fn input_gradient<const IN: usize, const OUT: usize>(operands: &mut Operands, simd: Simd) {
    let Operands { a, b, c, .. } = operands;
    mul_transposed::<IN, OUT>(simd, weights(b.get()), rows(a.get()), rows_mut(c.get_mut()));
}

/// The same with the pixels of digits as `x`.
fn digits(mut operands: Operands) -> Operands {
    let digits = motenet_data::made_up::digits(motenet_data::made_up::SEED, 0, 64);
    for (x, &pixel) in operands.a.get_mut().iter_mut().zip(digits.images.as_flattened()) {
        *x = f32::from(pixel) / 255.0;
    }
    operands
}

macro_rules! products {
    ($($name:literal: $run:ident $kind:ident $in:literal $out:literal $samples:literal $(, $about:ident)?;)*) => {
        /// Every product that is measured.
        pub fn all() -> Vec<Product> {
            vec![$(Product {
                name: $name,
                flops: 2.0 * $in as f64 * $out as f64 * $samples as f64,
                large: products!(@is large $($about)?),
                sparse: products!(@is sparse $($about)?),
                operands: || {
                    let operands = operands::<$in, $out, $samples>(Kind::$kind);
                    if products!(@is sparse $($about)?) { digits(operands) } else { operands }
                },
                run: $run::<$in, $out>,
                #[cfg(feature = "peers")]
                nalgebra: crate::peers::nalgebra::$run::<$in, $out, $samples>,
            }),*]
        }
    };
    (@is large large) => { true };
    (@is sparse sparse) => { true };
    (@is $asked:ident $($other:ident)?) => { false };
}

products! {
    "forward 64×784 · 784×64": forward Forward 784 64 64;
    "weight gradient 784×64ᵀ · 64×64": weight_gradient WeightGradient 784 64 64;
    "input gradient 64×10 · 10×64": input_gradient InputGradient 64 10 64;
    "forward 64×64 · 64×10": forward Forward 64 10 64;
    "weight gradient 64×64ᵀ · 64×10": weight_gradient WeightGradient 64 10 64;
    "one image 1×784 · 784×64": forward Forward 784 64 1;
    "forward 64×784 · 784×512": forward Forward 784 512 64, large;
    "square 256": forward Forward 256 256 256, large;
    "square 512": forward Forward 512 512 512, large;
    "square 1024": forward Forward 1024 1024 1024, large;
    "forward of digits 64×784 · 784×64": forward Forward 784 64 64, sparse;
    "weight gradient of digits 784×64ᵀ · 64×64": weight_gradient WeightGradient 784 64 64, sparse;
    "one digit 1×784 · 784×64": forward Forward 784 64 1, sparse;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `C (+)= A·B` in `f64`, by the strides.
    fn by_hand(operands: &Operands) -> Vec<f64> {
        let Operands { m, k, n, a, a_strides, b, b_strides, c, adds } = operands;
        let mut result = Vec::new();
        for i in 0..*m {
            for j in 0..*n {
                let start = if *adds { f64::from(c.get()[i * n + j]) } else { 0.0 };
                result.push((0..*k).fold(start, |sum, l| {
                    let a = a.get()[i * a_strides.0 + l * a_strides.1];
                    let b = b.get()[l * b_strides.0 + j * b_strides.1];
                    sum + f64::from(a) * f64::from(b)
                }));
            }
        }
        result
    }

    fn assert_right(name: &str, by: &str, operands: &Operands, expected: &[f64]) {
        for (found, expected) in operands.c.get().iter().zip(expected) {
            let error = (f64::from(*found) - expected).abs();
            // Each of up to 1,024 terms is at most 1, and is rounded to 2⁻²⁴ of a sum of at most 1,024.
            assert!(
                error < 1024.0 * 1024.0 / 16777216.0,
                "{name}, {by}: {found}, expected {expected}"
            );
        }
    }

    #[test]
    fn every_contender_computes_the_product() {
        for product in all().iter().filter(|product| product.flops < 1e8) {
            let mut operands = (product.operands)();
            operands.c.get_mut().fill(0.5);
            let expected = by_hand(&operands);
            for simd in Simd::available() {
                operands.c.get_mut().fill(0.5);
                (product.run)(&mut operands, simd);
                assert_right(product.name, simd.name(), &operands, &expected);
            }
            #[cfg(feature = "peers")]
            for (name, run) in crate::peers::all(product) {
                operands.c.get_mut().fill(0.5);
                run(&mut operands);
                assert_right(product.name, name, &operands, &expected);
            }
        }
    }

    #[test]
    fn only_digits_have_zeros() {
        for product in all() {
            let operands = (product.operands)();
            let zeros = operands.a.get().iter().filter(|&&a| a == 0.0).count();
            assert_eq!(zeros > operands.a.get().len() / 2, product.sparse, "{}", product.name);
            assert_eq!(zeros == 0, !product.sparse, "{}", product.name);
            assert!(operands.c.get().as_ptr().addr().is_multiple_of(64));
        }
    }
}
