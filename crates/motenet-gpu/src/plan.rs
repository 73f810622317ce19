//! What a model's type says to a device: which products to take, and where their numbers lie.

use crate::Error;
use motenet::{Layer, LayerInfo, MeanSquaredError, Params, SoftmaxCrossEntropy};

/// A nonlinearity, applied where its dense layer writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activation {
    /// `y = x`
    #[default]
    None,
    /// `y = max(0, x)`
    Relu,
    /// `y = 1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `y = tanh x`
    Tanh,
}

/// A dense layer and the nonlinearity after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseLayer {
    /// Numbers that go in.
    pub inputs: usize,
    /// Numbers that come out.
    pub outputs: usize,
    /// Whether a bias is added.
    pub bias: bool,
    /// What its outputs go through.
    pub activation: Activation,
    /// Where its parameters begin in the model's flat slice: weights input after input, then the bias.
    pub at: usize,
}

/// A network of dense layers, as read from its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The layers in order.
    pub layers: Vec<DenseLayer>,
    /// Parameters of all layers.
    pub count: usize,
}

impl Plan {
    /// The plan of the network `N`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] names the first layer that has no kernel.
    pub fn of<N: Layer + Params>() -> Result<Self, Error> {
        let mut described = Vec::new();
        N::describe(&mut |layer| described.push(layer));
        let mut plan = Plan { layers: Vec::new(), count: 0 };
        for (number, layer) in (1..).zip(described) {
            if !plan.add(layer) {
                return Err(Error::Unsupported { number, layer: layer.name.into() });
            }
        }
        if plan.layers.is_empty() || plan.count != N::COUNT {
            return Err(Error::defect("the layers do not add up to the model"));
        }
        Ok(plan)
    }

    fn add(&mut self, layer: LayerInfo) -> bool {
        let activation = match layer.name {
            "Flatten" => return true,
            "Dense" => {
                let dense = DenseLayer {
                    inputs: layer.input_len,
                    outputs: layer.output_len,
                    bias: layer.params > layer.macs,
                    activation: Activation::None,
                    at: self.count,
                };
                self.count += layer.params;
                self.layers.push(dense);
                return true;
            }
            "Relu" => Activation::Relu,
            "Sigmoid" => Activation::Sigmoid,
            "Tanh" => Activation::Tanh,
            _ => return false,
        };
        // One nonlinearity after each dense layer: another would need its input kept, too.
        match self.layers.last_mut() {
            Some(dense) if dense.activation == Activation::None => {
                dense.activation = activation;
                true
            }
            _ => false,
        }
    }

    /// Numbers in one input of the model.
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    /// Numbers in one output of the model.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// Floating-point operations of a training step on one sample: forward, gradient, and back through every
    /// layer but the first.
    pub fn flops(&self) -> u64 {
        let macs = |layer: &DenseLayer| (layer.inputs * layer.outputs) as u64;
        let all: u64 = self.layers.iter().map(macs).sum();
        2 * (3 * all - self.layers.first().map_or(0, macs))
    }
}

/// A loss that has a kernel.
pub trait GpuLoss {
    /// Whether targets are classes, else numbers.
    const CLASSES: bool;

    /// The label smoothing that it applies.
    fn smoothing(&self) -> f32;
}

impl GpuLoss for SoftmaxCrossEntropy {
    const CLASSES: bool = true;

    fn smoothing(&self) -> f32 {
        self.label_smoothing
    }
}

impl GpuLoss for MeanSquaredError {
    const CLASSES: bool = false;

    fn smoothing(&self) -> f32 {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use motenet::{Dense, Gelu, NoBias, Relu, Seq, Tanh};

    #[test]
    fn a_type_becomes_layers() {
        type Net = Seq![Dense<5, 7>, Relu<7>, Dense<7, 3, NoBias>, Tanh<3>, Dense<3, 2>];
        let plan = Plan::of::<Net>().unwrap();
        let layer = |inputs, outputs, bias, activation, at| DenseLayer {
            inputs,
            outputs,
            bias,
            activation,
            at,
        };
        assert_eq!(
            plan.layers,
            [
                layer(5, 7, true, Activation::Relu, 0),
                layer(7, 3, false, Activation::Tanh, 42),
                layer(3, 2, true, Activation::None, 63),
            ]
        );
        assert_eq!((plan.inputs(), plan.outputs(), plan.count), (5, 2, 71));
        assert_eq!(plan.flops(), 2 * (3 * (35 + 21 + 6) - 35));
    }

    #[test]
    fn what_has_no_kernel_is_named() {
        let error = Plan::of::<Seq![Dense<5, 7>, Gelu<7>, Dense<7, 2>]>().unwrap_err();
        assert_eq!(error, Error::Unsupported { number: 2, layer: "Gelu".into() });
        assert!(Plan::of::<Seq![Dense<2, 2>, Relu<2>, Relu<2>]>().is_err());
        assert!(Plan::of::<Seq![Relu<2>, Dense<2, 2>]>().is_err());
    }
}
