//! How a network starts: weights random, scaled so that a signal keeps its size from layer to layer.

use crate::{Params, math, random};
use rand_core::Rng;

/// A distribution of weights. `gain` belongs to the nonlinearity that follows the layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Scheme {
    /// Normal with mean 0 and deviation `gain / √IN` (He et al., 2015, fan-in).
    #[default]
    KaimingNormal,
    /// Uniform in `±gain·√(6 / (IN + OUT))` (Glorot and Bengio, 2010).
    XavierUniform,
}

impl Scheme {
    /// Fills the weights of a layer from `inputs` to `outputs`. Never panics.
    ///
    /// # Accuracy
    /// Bit-exact across targets.
    pub fn fill<R: Rng>(
        self,
        inputs: usize,
        outputs: usize,
        gain: f32,
        weights: &mut [f32],
        rng: &mut R,
    ) {
        match self {
            Scheme::KaimingNormal => {
                let deviation = gain / math::sqrt(inputs.max(1) as f32);
                weights.fill_with(|| deviation * random::normal(rng));
            }
            Scheme::XavierUniform => {
                let bound = gain * math::sqrt(6.0 / (inputs + outputs).max(1) as f32);
                weights.fill_with(|| bound * (2.0 * random::uniform(rng) - 1.0));
            }
        }
    }
}

/// Gives a model its first parameters, in place.
pub trait Init: Params {
    /// The gain of a nonlinearity, for the weights that lead into it: √2 for a rectifier, which loses
    /// half of the variance, 1 where nothing is lost.
    const GAIN: f32;

    /// Fills every parameter, layers in order. `gain` is that of what follows the model: 1 for a loss.
    ///
    /// ```
    /// use motenet::{Dense, Init, Params, Relu, Scheme, Seq, Zero, random};
    /// type Net = Seq![Dense<784, 64>, Relu<64>, Dense<64, 10>];
    /// let mut net = Net::boxed();
    /// net.init(Scheme::KaimingNormal, 1.0, &mut random::generator(1));
    /// assert_eq!(net.0.bias, [0.0; 64]);
    /// ```
    fn init<R: Rng>(&mut self, scheme: Scheme, gain: f32, rng: &mut R);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dense, Relu, Seq, Sigmoid, Zero};

    fn deviation(weights: &[f32]) -> f64 {
        let n = weights.len() as f64;
        (weights.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>() / n).sqrt()
    }

    #[test]
    fn kaiming_scales_by_fan_in_and_by_what_follows() {
        type Rectified = Seq![Dense<784, 64>, Relu<64>, Dense<64, 10>];
        type Squashed = Seq![Dense<784, 64>, Sigmoid<64>, Dense<64, 10>];
        let mut net = Rectified::boxed();
        net.init(Scheme::KaimingNormal, 1.0, &mut random::generator(1));
        let ratio = |net: &[f32], expected: f64| (deviation(net) / expected - 1.0).abs();
        // Five standard errors of a deviation from n draws: 5 / √(2n).
        assert!(ratio(net.0.weights.as_flattened(), (2.0f64 / 784.0).sqrt()) < 0.016);
        assert!(ratio(net.1.1.weights.as_flattened(), (1.0f64 / 64.0).sqrt()) < 0.14);
        assert!(net.0.bias.iter().chain(&net.1.1.bias).all(|&b| b == 0.0));
        let mut net = Squashed::boxed();
        net.init(Scheme::KaimingNormal, 1.0, &mut random::generator(1));
        assert!(ratio(net.0.weights.as_flattened(), (1.0f64 / 784.0).sqrt()) < 0.016);
    }

    #[test]
    fn xavier_fills_its_interval() {
        let mut layer = Dense::<100, 200>::boxed();
        layer.init(Scheme::XavierUniform, 1.0, &mut random::generator(1));
        let bound = (6.0f32 / 300.0).sqrt();
        let largest = layer.weights.as_flattened().iter().fold(0.0f32, |m, w| m.max(w.abs()));
        assert!(largest <= bound && largest > 0.999 * bound);
        assert!(
            (deviation(layer.weights.as_flattened()) * 3f64.sqrt() / f64::from(bound) - 1.0).abs()
                < 0.02
        );
    }
}
