//! The dense layer on integers: the last one, whose sums are the logits, and the one that a rectifier
//! follows.

use crate::{Requantize, kernels, packing};
use motenet::{Layer, LayerInfo, Pass, Simd};

/// `y[o] = bias[o] + Σ_i x[i]·w[i][o]`, from `u8` to `i32`: the last layer, whose outputs are logits.
///
/// All outputs share one scale, so they can be compared as they are, and the largest names the class.
/// The weights lie in the order in which the kernel of the target loads them, so they are read and written
/// one by one, and [`new`](QDense::new) takes them as rows. It is a `const fn`: in a `static` the compiler
/// arranges them.
///
/// [`ZERO`](motenet::Zero) is a layer to be filled: its bias is zero, its weights may be anything.
///
/// # Memory
/// `IN·OUT + 4·OUT` bytes; `Acts<N>`: `4·N·OUT` bytes; on the stack, the list of the inputs that are not zero
/// ([`Footprint::SCRATCH_BYTES`](crate::Footprint::SCRATCH_BYTES)).
///
/// ```
/// use motenet::{Acts, Layer, Pass, Simd};
/// use motenet_quant::QDense;
/// static LAYER: QDense<2, 1> = QDense::new(&[[2], [-3]], [100]);
/// let mut acts = [[0]];
/// LAYER.forward(Pass::infer(Simd::baseline()), &[[10, 255]], &mut acts);
/// assert_eq!(acts.output(), [[100 + 20 - 765]]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct QDense<const IN: usize, const OUT: usize> {
    /// As `packing` says; first, so that `bias` gives it the alignment that kernels need.
    packed: [[u8; OUT]; IN],
    /// The bias in units of the sums.
    pub bias: [i32; OUT],
}

/// [`QDense`] and a rectifier, from `u8` to `u8`: a hidden layer.
///
/// # Memory
/// `IN·OUT + 12·OUT` bytes; `Acts<N>`: `N·OUT` bytes; on the stack `4·OUT` bytes of sums besides the list of
/// [`QDense`].
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

    /// A layer from its weights, one row an input (`weights[i][o]`, −127 to 127; −128 becomes −127), and its
    /// bias. Never panics.
    ///
    /// For a `static`, where nothing is left of it at run time; a layer that exists is filled by
    /// [`set_weight`](QDense::set_weight).
    pub const fn new(weights: &[[i8; OUT]; IN], bias: [i32; OUT]) -> Self {
        QDense { packed: packing::pack(weights), bias }
    }

    /// `w[i][o]`.
    ///
    /// # Panics
    /// If the layer has no input `i` or no output `o`.
    pub const fn weight(&self, i: usize, o: usize) -> i8 {
        Self::check(i, o);
        packing::weight(&self.packed, i, o)
    }

    /// `w[i][o] = w`, −127 to 127; −128 becomes −127.
    ///
    /// # Panics
    /// If the layer has no input `i` or no output `o`.
    pub const fn set_weight(&mut self, i: usize, o: usize, w: i8) {
        Self::check(i, o);
        packing::set_weight(&mut self.packed, i, o, if w == i8::MIN { -i8::MAX } else { w });
    }

    const fn check(i: usize, o: usize) {
        assert!(
            i < IN && o < OUT,
            "QDense: no such weight: the index of an input, then of an output"
        );
    }

    /// `y[o] = bias[o] + Σ_i x[i]·w[i][o]` for one sample. Never panics.
    ///
    /// # Shapes
    /// `x`: `[IN]`, `y`: `[OUT]`, overwritten.
    ///
    /// # Accuracy
    /// Exact; a bias beyond ±2³⁰ may wrap.
    ///
    /// With the instructions that every CPU of the target has; [`forward`](Layer::forward) uses those its
    /// [`Pass`] names.
    #[inline]
    pub fn sums(&self, x: &[u8; IN], y: &mut [i32; OUT]) {
        self.sums_at(Simd::baseline(), x, y);
    }

    /// [`sums`](QDense::sums) with the instructions of `simd`.
    #[inline(always)]
    fn sums_at(&self, simd: Simd, x: &[u8; IN], y: &mut [i32; OUT]) {
        let () = Self::SUMS_FIT;
        *y = self.bias;
        kernels::add_products(simd, self, x, y);
    }

    /// The weights as the kernels take them.
    pub(crate) const fn packed(&self) -> &[u8] {
        self.packed.as_flattened()
    }
}

impl<const IN: usize, const OUT: usize> Layer for QDense<IN, OUT> {
    type Input = [u8; IN];
    type Output = [i32; OUT];
    type Acts<const N: usize> = [[i32; OUT]; N];

    /// `y[n][o] = bias[o] + Σ_i x[n][i]·w[i][o]`
    #[inline]
    fn forward<const N: usize>(&self, pass: Pass, x: &[[u8; IN]], y: &mut [[i32; OUT]; N]) {
        for (x, y) in x.iter().zip(y) {
            self.sums_at(pass.simd, x, y);
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
    fn forward<const N: usize>(&self, pass: Pass, x: &[[u8; IN]], y: &mut [[u8; OUT]; N]) {
        let mut sums = [0; OUT];
        for (x, y) in x.iter().zip(y) {
            self.dense.sums_at(pass.simd, x, &mut sums);
            kernels::requantize(pass.simd, &self.requantize, &sums, y);
        }
    }

    fn describe(visit: &mut dyn FnMut(LayerInfo)) {
        visit(info::<IN, OUT>("QDenseRelu"));
    }
}

fn info<const IN: usize, const OUT: usize>(name: &'static str) -> LayerInfo {
    LayerInfo { name, input_len: IN, output_len: OUT, params: (IN + 1) * OUT, macs: IN * OUT }
}
