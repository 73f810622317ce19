//! An integer network as plain lists, whatever its type: what is written to files.

use motenet::{Chain, Layer};
use motenet_quant::{QDense, QDenseRelu, Requantize, Softmax};

/// One integer layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegerLayer {
    /// Numbers that go in.
    pub inputs: usize,
    /// Numbers that come out.
    pub outputs: usize,
    /// `inputs·outputs` weights, input-major.
    pub weights: Vec<i8>,
    /// One an output.
    pub bias: Vec<i32>,
    /// From each sum to its activation; `None` for the last layer, whose sums are the logits.
    pub requantize: Option<Vec<Requantize>>,
}

/// An integer network: its layers in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegerModel {
    /// The layers; every one but the last has a `requantize`.
    pub layers: Vec<IntegerLayer>,
    /// From the logits to how sure it is.
    pub softmax: Softmax,
}

/// A quantized network that can be listed.
pub trait Integers: Layer {
    /// Appends its layers.
    fn list(&self, layers: &mut Vec<IntegerLayer>);

    /// The network as lists.
    fn integers(&self, softmax: Softmax) -> IntegerModel {
        let mut layers = Vec::new();
        self.list(&mut layers);
        IntegerModel { layers, softmax }
    }
}

impl<const IN: usize, const OUT: usize> Integers for QDense<IN, OUT> {
    fn list(&self, layers: &mut Vec<IntegerLayer>) {
        layers.push(IntegerLayer {
            inputs: IN,
            outputs: OUT,
            weights: (0..IN).flat_map(|i| (0..OUT).map(move |o| self.weight(i, o))).collect(),
            bias: self.bias.to_vec(),
            requantize: None,
        });
    }
}

impl<const IN: usize, const OUT: usize> Integers for QDenseRelu<IN, OUT> {
    fn list(&self, layers: &mut Vec<IntegerLayer>) {
        self.dense.list(layers);
        if let Some(layer) = layers.last_mut() {
            layer.requantize = Some(self.requantize.to_vec());
        }
    }
}

impl<A: Integers, B: Integers + Layer<Input = A::Output>> Integers for Chain<A, B> {
    fn list(&self, layers: &mut Vec<IntegerLayer>) {
        self.0.list(layers);
        self.1.list(layers);
    }
}
