//! From floats to integers: calibrate, then round.
//!
//! Every number of the integer network is a real number over a scale. The scale of the input is given
//! (a pixel is `byte / 255`, so the byte is the integer). That of a hidden activation is chosen by
//! calibration: the network is run on training samples, and the scale is taken whose rounding and
//! saturation to 8 bits together lose the least (mean squared error). The scale of a weight is the
//! largest weight of its output over 127; the last layer has one scale for all, so that its sums can be
//! compared. Biases are rounded to the scale of the sums.

use motenet::{Acts, Chain, Dense, Layer, Params, Pass, Relu, Simd, Zero};
use motenet_quant::{Footprint, QDense, QDenseRelu, Requantize, Softmax};

use crate::Integers;

/// What cannot be quantized.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A weight, bias or activation is NaN or infinite.
    #[error(
        "layer {layer}: found {found}, expected finite numbers: train again, with a lower learning rate"
    )]
    NotFinite {
        /// The layer, counted from 1.
        layer: usize,
        /// What was found.
        found: f32,
    },
    /// A scale or bias does not fit the integer arithmetic.
    #[error(
        "layer {layer}, output {output}: {what} is {found:e}, which does not fit 32-bit sums: the weights of this output differ too much in size"
    )]
    Range {
        /// The layer, counted from 1.
        layer: usize,
        /// The output.
        output: usize,
        /// Which number.
        what: &'static str,
        /// Its value.
        found: f64,
    },
    /// The logits are too coarse or too fine for a softmax in integers.
    #[error(
        "one unit of the logits is worth {found:e}, expected 2⁻²⁷ to 1: scale the last layer's weights"
    )]
    Logits {
        /// What it is worth.
        found: f64,
    },
    /// No samples to calibrate on.
    #[error("found no samples to calibrate on, expected at least one")]
    NoSamples,
}

/// The hidden activations that calibration has seen, one list a hidden layer.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    layers: Vec<Vec<f32>>,
}

impl Observed {
    fn record(&mut self, layer: usize, values: &[f32]) {
        if self.layers.len() <= layer {
            self.layers.resize_with(layer + 1, Vec::new);
        }
        // Zeros are exact at every scale.
        self.layers[layer].extend(values.iter().filter(|value| **value != 0.0));
    }

    /// The scale of each hidden layer.
    fn scales(&self) -> Result<Vec<f64>, Error> {
        let scale =
            |(layer, values): (usize, &Vec<f32>)| match values.iter().find(|v| !v.is_finite()) {
                Some(&found) => Err(Error::NotFinite { layer: layer + 1, found }),
                None => Ok(best_scale(values)),
            };
        self.layers.iter().enumerate().map(scale).collect()
    }
}

/// The scale `s` with the least `Σ (v − s·min(255, round(v/s)))²`, among 64 between a quarter of what holds the
/// largest value and all of it.
fn best_scale(values: &[f32]) -> f64 {
    let largest = values.iter().copied().fold(0.0, f32::max);
    if largest <= 0.0 {
        return 1.0 / 255.0; // a layer that is silent: any scale will do
    }
    let whole = f64::from(largest) / 255.0;
    let loss = |scale: f64| -> f64 {
        let error = |value: &f32| {
            let value = f64::from(*value);
            value - scale * (value / scale).round().min(255.0)
        };
        values.iter().map(|value| error(value).powi(2)).sum()
    };
    let candidates = (16..=80).map(|k| whole * f64::from(k) / 80.0);
    let scored = candidates.map(|scale| (loss(scale), scale));
    scored.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(whole, |(_, scale)| scale)
}

/// A network that can be turned into integers.
pub trait Quantize: Layer {
    /// What it becomes.
    type Quantized: Layer + Footprint + Integers + Zero;

    /// Runs one sample and records the activations of each hidden layer, the first being number
    /// `layer`.
    fn observe(&self, x: &Self::Input, layer: usize, observed: &mut Observed);

    /// Fills the integer network and returns what one unit of its outputs is worth. `input` is the scale of
    /// the input, `hidden` that of each hidden layer; `layer` counts layers from 1.
    ///
    /// # Errors
    /// [`Error::NotFinite`], [`Error::Range`].
    fn fill(
        &self,
        layer: usize,
        input: f64,
        hidden: &[f64],
        quantized: &mut Self::Quantized,
    ) -> Result<f64, Error>;
}

/// An integer network, and what its logits are worth.
#[derive(Debug)]
pub struct Quantized<Q> {
    /// The network.
    pub network: Box<Q>,
    /// From its logits to how sure it is.
    pub softmax: Softmax,
    /// What one unit of each hidden layer's activations is worth, first layer first.
    pub hidden: Vec<f64>,
}

/// Quantizes a network whose inputs are integers times `input` (1/255 for pixels), calibrated on `samples`.
///
/// # Errors
/// [`Error`]; a network that was trained soundly has none of them.
///
/// # Memory
/// Four bytes for each hidden activation of each sample, besides the network.
pub fn quantize<Q: Quantize>(
    network: &Q,
    input: f64,
    samples: &[Q::Input],
) -> Result<Quantized<Q::Quantized>, Error> {
    if samples.is_empty() {
        return Err(Error::NoSamples);
    }
    let mut observed = Observed::default();
    for x in samples {
        network.observe(x, 0, &mut observed);
    }
    let mut quantized = Q::Quantized::boxed();
    let hidden = observed.scales()?;
    let scale = network.fill(1, input, &hidden, &mut quantized)?;
    let softmax = Softmax::new(scale).ok_or(Error::Logits { found: scale })?;
    Ok(Quantized { network: quantized, softmax, hidden })
}

impl<const IN: usize, const OUT: usize> Quantize for Dense<IN, OUT> {
    type Quantized = QDense<IN, OUT>;

    fn observe(&self, _: &[f32; IN], _: usize, _: &mut Observed) {}

    fn fill(
        &self,
        layer: usize,
        input: f64,
        _: &[f64],
        quantized: &mut QDense<IN, OUT>,
    ) -> Result<f64, Error> {
        let largest = largest_weight(layer, self)?;
        let scale = weight_scale(largest, self.weights.as_flattened().iter());
        fill_dense(self, layer, input, |_| scale, quantized)?;
        Ok(input * scale)
    }
}

impl<const IN: usize, const OUT: usize, R> Quantize for Chain<Dense<IN, OUT>, Chain<Relu<OUT>, R>>
where
    R: Quantize + Layer<Input = [f32; OUT]>,
    R::Quantized: Layer<Input = [u8; OUT]>,
{
    type Quantized = Chain<QDenseRelu<IN, OUT>, R::Quantized>;

    fn observe(&self, x: &[f32; IN], layer: usize, observed: &mut Observed) {
        let pass = Pass::infer(Simd::detect());
        let (mut sums, mut h) = ([[0.0; OUT]; 1], [[0.0; OUT]; 1]);
        self.0.forward(pass, std::slice::from_ref(x), &mut sums);
        self.1.0.forward(pass, sums.output(), &mut h);
        observed.record(layer, &h[0]);
        self.1.1.observe(&h[0], layer + 1, observed);
    }

    fn fill(
        &self,
        layer: usize,
        input: f64,
        hidden: &[f64],
        quantized: &mut Self::Quantized,
    ) -> Result<f64, Error> {
        let (dense, Chain(QDenseRelu { dense: integers, requantize }, rest)) = (&self.0, quantized);
        let all = largest_weight(layer, dense)?;
        let column = |o: usize| dense.weights.iter().map(move |row| &row[o]);
        let scales: Vec<f64> = (0..OUT).map(|o| weight_scale(all, column(o))).collect();
        fill_dense(dense, layer, input, |o| scales[o], integers)?;
        let output = hidden.first().copied().unwrap_or(1.0 / 255.0);
        for (o, (requantize, scale)) in requantize.iter_mut().zip(&scales).enumerate() {
            let factor = input * scale / output;
            let range = || Error::Range { layer, output: o, what: "the scale", found: factor };
            *requantize = Requantize::new(factor).ok_or_else(range)?;
        }
        self.1.1.fill(layer + 1, output, hidden.get(1..).unwrap_or_default(), rest)
    }
}

/// The size of the largest weight of a layer, whose parameters must all be finite.
fn largest_weight<const IN: usize, const OUT: usize>(
    layer: usize,
    dense: &Dense<IN, OUT>,
) -> Result<f32, Error> {
    match dense.flat().iter().find(|value| !value.is_finite()) {
        Some(&found) => Err(Error::NotFinite { layer, found }),
        None => {
            Ok(dense.weights.as_flattened().iter().fold(0.0, |largest, w| largest.max(w.abs())))
        }
    }
}

/// The scale that makes the largest of `weights` 127.
///
/// Weights that are all but zero beside the largest of the layer, `all`, get the scale of one a
/// thousand times smaller than it: nothing is gained by resolving them.
fn weight_scale<'a>(all: f32, weights: impl Iterator<Item = &'a f32>) -> f64 {
    let largest = weights.fold(0.0f32, |largest, w| largest.max(w.abs()));
    let largest = f64::from(largest.max(1e-3 * all));
    if largest > 0.0 { largest / 127.0 } else { 1.0 / 127.0 }
}

fn fill_dense<const IN: usize, const OUT: usize>(
    dense: &Dense<IN, OUT>,
    layer: usize,
    input: f64,
    scale: impl Fn(usize) -> f64,
    quantized: &mut QDense<IN, OUT>,
) -> Result<(), Error> {
    for (i, row) in dense.weights.iter().enumerate() {
        for (o, &w) in row.iter().enumerate() {
            let w = (f64::from(w) / scale(o)).round().clamp(-127.0, 127.0) as i8;
            quantized.set_weight(i, o, w);
        }
    }
    for (o, (&b, integer)) in dense.bias.iter().zip(&mut quantized.bias).enumerate() {
        let bias = (f64::from(b) / (input * scale(o))).round();
        if bias.abs() > f64::from(1 << 30) {
            return Err(Error::Range { layer, output: o, what: "the bias", found: bias });
        }
        *integer = bias as i32;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use motenet::{Seq, argmax};

    type Net = Seq![Dense<2, 3>, Relu<3>, Dense<3, 2>];

    fn net() -> Box<Net> {
        let mut net = Net::boxed();
        net.0.weights = [[1.0, -0.5, 0.25], [-1.0, 0.5, 0.01]];
        net.0.bias = [0.1, 0.0, -0.05];
        net.1.1.weights = [[1.0, -1.0], [0.5, 0.2], [-0.3, 0.9]];
        net.1.1.bias = [0.0, 0.05];
        net
    }

    fn samples() -> Vec<[f32; 2]> {
        let at = |k: u8| f32::from(k) / 255.0;
        (0..=255)
            .step_by(5)
            .flat_map(|a| (0..=255).step_by(17).map(move |b| [at(a), at(b)]))
            .collect()
    }

    #[test]
    fn weights_and_biases_by_hand() {
        let q = quantize(&*net(), 1.0 / 255.0, &samples()).unwrap().network;
        let hidden = &q.0.dense;
        // 0.1 / (1/255 · 1/127) = 3238.5, −0.05 / (1/255 · 0.25/127) = −6477.
        let expected = QDense::new(&[[127, -127, 127], [-127, 127, 5]], [3239, 0, -6477]);
        assert_eq!(*hidden, expected);
        assert_eq!(q.1, QDense::new(&[[127, -127], [64, 25], [-38, 114]], q.1.bias));
    }

    #[test]
    fn answers_stay_near_the_real_ones() {
        let (net, samples) = (net(), samples());
        let q = quantize(&*net, 1.0 / 255.0, &samples).unwrap().network;
        let (mut agree, pass) = (0, Pass::infer(Simd::detect()));
        for x in &samples {
            let mut real = <Net as Layer>::Acts::<1>::ZERO;
            net.forward(pass, &[*x], &mut real);
            let mut logits = <<Net as Quantize>::Quantized as Layer>::Acts::<1>::ZERO;
            q.forward(pass, &[x.map(|x| (x * 255.0).round() as u8)], &mut logits);
            let same = argmax(&real.output()[0]) == motenet_quant::argmax(&logits.output()[0]);
            agree += u32::from(same);
        }
        assert!(f64::from(agree) > 0.98 * samples.len() as f64, "{agree} of {}", samples.len());
    }

    #[test]
    fn scales_saturate_what_is_rare() {
        let mut values = vec![1.0; 10_000];
        values.push(100.0);
        assert!(best_scale(&values) < 100.0 / 255.0);
        assert_eq!(best_scale(&[]), 1.0 / 255.0);
        let uniform: Vec<f32> = (0..1000).map(|k| k as f32 / 999.0).collect();
        assert!((best_scale(&uniform) * 255.0 - 1.0).abs() < 0.03);
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        assert_eq!(quantize(&*net(), 1.0 / 255.0, &[]).unwrap_err(), Error::NoSamples);
        let mut bad = net();
        bad.1.1.weights[0][1] = f32::INFINITY;
        let error = quantize(&*bad, 1.0 / 255.0, &samples()).unwrap_err();
        assert_eq!(error, Error::NotFinite { layer: 2, found: f32::INFINITY });
        let mut bad = net();
        bad.0.bias[0] = f32::MAX;
        assert!(quantize(&*bad, 1.0 / 255.0, &samples()).is_err());
        let mut silent = net();
        silent.0.bias = [-10.0; 3];
        assert!(quantize(&*silent, 1.0 / 255.0, &samples()).is_ok());
    }
}
