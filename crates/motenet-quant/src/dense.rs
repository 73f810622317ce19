//! The dense layer on integers: the last one, whose sums are the logits, and the one that a rectifier
//! follows.

use crate::Requantize;
use motenet::{Layer, LayerInfo, Pass};

/// `y[o] = bias[o] + Σ_i x[i]·w[i][o]`, from `u8` to `i32`: the last layer, whose outputs are logits.
///
/// All outputs share one scale, so they can be compared as they are, and the largest names the class.
///
/// # Memory
/// `IN·OUT + 4·OUT` bytes; `Acts<N>`: `4·N·OUT` bytes.
///
/// ```
/// use motenet::{Acts, Layer, Pass, Simd};
/// use motenet_quant::QDense;
/// static LAYER: QDense<2, 1> = QDense { weights: [[2], [-3]], bias: [100] };
/// let mut acts = [[0]];
/// LAYER.forward(Pass::infer(Simd::baseline()), &[[10, 255]], &mut acts);
/// assert_eq!(acts.output(), [[100 + 20 - 765]]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct QDense<const IN: usize, const OUT: usize> {
    /// `weights[i][o]`, −127 to 127: input-major, so that an input of zero skips one row.
    pub weights: [[i8; OUT]; IN],
    /// The bias in units of the sums.
    pub bias: [i32; OUT],
}

/// [`QDense`] and a rectifier, from `u8` to `u8`: a hidden layer.
///
/// # Memory
/// `IN·OUT + 12·OUT` bytes; `Acts<N>`: `N·OUT` bytes; `4·OUT` bytes of stack for the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct QDenseRelu<const IN: usize, const OUT: usize> {
    /// The weights and the bias; here every output has a scale of its own.
    pub dense: QDense<IN, OUT>,
    /// From each sum to its activation.
    pub requantize: [Requantize; OUT],
}

impl<const IN: usize, const OUT: usize> QDense<IN, OUT> {
    /// No sum can leave 32 bits: `IN·255·127` and a bias of at most 2³⁰.
    const SUMS_FIT: () =
        assert!(IN <= 32_768, "QDense: with more than 32,768 inputs a sum may not fit 32 bits");

    /// The sums of one sample: exact, whatever their order. Never panics; a bias beyond ±2³⁰ may wrap.
    #[inline]
    pub fn sums(&self, x: &[u8; IN], y: &mut [i32; OUT]) {
        let () = Self::SUMS_FIT;
        *y = self.bias;
        for (&x, row) in x.iter().zip(&self.weights) {
            if x == 0 {
                continue; // adds nothing, and is four fifths of a digit
            }
            for (y, &w) in y.iter_mut().zip(row) {
                *y = y.wrapping_add(i32::from(x) * i32::from(w));
            }
        }
    }
}

impl<const IN: usize, const OUT: usize> Layer for QDense<IN, OUT> {
    type Input = [u8; IN];
    type Output = [i32; OUT];
    type Acts<const N: usize> = [[i32; OUT]; N];

    /// `y[n][o] = bias[o] + Σ_i x[n][i]·w[i][o]`
    #[inline]
    fn forward<const N: usize>(&self, _: Pass, x: &[[u8; IN]], y: &mut [[i32; OUT]; N]) {
        for (x, y) in x.iter().zip(y) {
            self.sums(x, y);
        }
    }

    fn describe(visit: &mut dyn FnMut(LayerInfo)) {
        visit(info::<IN, OUT>("QDense"));
    }
}

impl<const IN: usize, const OUT: usize> Layer for QDenseRelu<IN, OUT> {
    type Input = [u8; IN];
    type Output = [u8; OUT];
    type Acts<const N: usize> = [[u8; OUT]; N];

    /// `y[n][o] = requantize(bias[o] + Σ_i x[n][i]·w[i][o])`
    #[inline]
    fn forward<const N: usize>(&self, _: Pass, x: &[[u8; IN]], y: &mut [[u8; OUT]; N]) {
        let mut sums = [0; OUT];
        for (x, y) in x.iter().zip(y) {
            self.dense.sums(x, &mut sums);
            for ((y, requantize), &sum) in y.iter_mut().zip(&self.requantize).zip(&sums) {
                *y = requantize.apply(sum);
            }
        }
    }

    fn describe(visit: &mut dyn FnMut(LayerInfo)) {
        visit(info::<IN, OUT>("QDenseRelu"));
    }
}

fn info<const IN: usize, const OUT: usize>(name: &'static str) -> LayerInfo {
    LayerInfo { name, input_len: IN, output_len: OUT, params: (IN + 1) * OUT, macs: IN * OUT }
}
