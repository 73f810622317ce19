//! The float network as an ONNX model, for any runtime that reads them.
//!
//! One node a layer: `Gemm` for a dense layer (our weights are `[IN, OUT]`, which is how `Gemm` wants them),
//! `Relu`, `Sigmoid`, `Tanh`, `Softmax`; what is the identity in inference has no node. The batch is free. ONNX is a
//! protocol buffer of few kinds of fields, so it is written here by hand; the field numbers are those
//! of `onnx.proto`, IR version 8, operators of version 13.

use motenet::{Layer, LayerInfo, Params};

/// A layer that has no counterpart here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "layer {number}: found {name}, expected Dense, Relu, Sigmoid, Tanh, Softmax, Dropout or Flatten: this network cannot be written as ONNX"
)]
pub struct Unsupported {
    /// The layer, counted from 1.
    pub number: usize,
    /// What it is.
    pub name: &'static str,
}

/// The file's bytes: a graph called `name` from `input`, `[N, IN]`, to `output`, `[N, OUT]`.
///
/// # Errors
/// [`Unsupported`] for a layer without counterpart.
///
/// # Memory
/// Three times the parameters.
pub fn write<M: Layer + Params>(network: &M, name: &str) -> Result<Vec<u8>, Unsupported> {
    let mut layers: Vec<LayerInfo> = Vec::new();
    M::describe(&mut |layer| layers.push(layer));
    let mut rest = network.flat();
    let mut graph = Message::default();
    let (mut value, mut initializers) = ("input".to_owned(), Vec::new());
    let mut nodes = Vec::new();
    for (k, layer) in layers.iter().enumerate() {
        let (own, after) = rest.split_at(layer.params.min(rest.len()));
        rest = after;
        let mut inputs = vec![value.clone()];
        let operator = match layer.name {
            "Dropout" | "Flatten" => continue,
            "Dense" => {
                let (weights, bias) =
                    own.split_at((layer.input_len * layer.output_len).min(own.len()));
                let shape = [layer.input_len, layer.output_len];
                let mut parameter = |suffix: &str, shape: &[usize], values: &[f32]| {
                    let name = format!("{k}.{suffix}");
                    initializers.push(tensor(&name, shape, values));
                    inputs.push(name);
                };
                parameter("weight", &shape, weights);
                if !bias.is_empty() {
                    parameter("bias", &shape[1..], bias);
                }
                "Gemm"
            }
            known @ ("Relu" | "Sigmoid" | "Tanh" | "Softmax") => known,
            name => return Err(Unsupported { number: k + 1, name }),
        };
        value = format!("{k}");
        nodes.push((inputs, value.clone(), operator));
    }
    if let Some((_, output, _)) = nodes.last_mut() {
        *output = "output".into();
    }
    for (inputs, output, operator) in &nodes {
        let mut node = Message::default();
        inputs.iter().for_each(|input| node.text(1, input));
        node.text(2, output);
        node.text(4, operator);
        graph.message(1, &node);
    }
    graph.text(2, name);
    initializers.iter().for_each(|initializer| graph.message(5, initializer));
    graph.message(11, &batch("input", layers.first().map_or(0, |layer| layer.input_len)));
    graph.message(12, &batch("output", layers.last().map_or(0, |layer| layer.output_len)));

    let (mut model, mut operators) = (Message::default(), Message::default());
    operators.number(2, 13); // version
    model.number(1, 8); // ir_version
    model.text(2, "motenet"); // producer_name
    model.message(7, &graph);
    model.message(8, &operators);
    Ok(model.0)
}

/// `TensorProto`: an array of `f32`.
fn tensor(name: &str, shape: &[usize], values: &[f32]) -> Message {
    let mut tensor = Message::default();
    shape.iter().for_each(|&length| tensor.number(1, length as u64));
    tensor.number(2, FLOAT);
    tensor.text(8, name);
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor.bytes(9, &bytes);
    tensor
}

/// `ValueInfoProto`: rows of `length` numbers, as many as there are.
fn batch(name: &str, length: usize) -> Message {
    let mut messages = [(); 6].map(|()| Message::default());
    let [value, kind, tensor, shape, rows, columns] = &mut messages;
    rows.text(2, "N");
    columns.number(1, length as u64);
    shape.message(1, rows);
    shape.message(1, columns);
    tensor.number(1, FLOAT);
    tensor.message(2, shape);
    kind.message(1, tensor);
    value.text(1, name);
    value.message(2, kind);
    std::mem::take(value)
}

/// `TensorProto.FLOAT`
const FLOAT: u64 = 1;

/// A message of the protocol buffer encoding, field after field.
#[derive(Debug, Default)]
struct Message(Vec<u8>);

impl Message {
    /// Seven bits a byte, lowest first; the top bit says that more follow.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, message: &Message) {
        self.bytes(field, &message.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use motenet::{Dense, Gelu, NoBias, Relu, Seq, Zero};

    #[test]
    fn a_small_model_by_hand() {
        type Net = Seq![Dense<1, 1, NoBias>, Relu<1>];
        let mut net = Net::ZERO;
        net.0.weights = [[2.0]];
        let expected = [
            &b"\x08\x08\x12\x07motenet"[..],
            b"\x0a\x1a\x0a\x05input\x0a\x080.weight\x12\x010\x22\x04Gemm",
            b"\x0a\x11\x0a\x010\x12\x06output\x22\x04Relu",
            b"\x12\x01m",
            b"\x2a\x16\x08\x01\x08\x01\x10\x01\x42\x080.weight\x4a\x04\0\0\0\x40",
        ];
        let file = write(&net, "m").unwrap();
        let mut at = 0;
        for part in expected {
            let found = file[at..].windows(part.len()).position(|window| window == part);
            at +=
                found.unwrap_or_else(|| panic!("{part:?} is missing after byte {at}")) + part.len();
        }
        assert!(file.ends_with(b"\x42\x02\x10\x0d"), "the operators' version comes last");
    }

    #[test]
    fn long_lengths_take_more_bytes() {
        let mut message = Message::default();
        message.varint(300);
        message.varint(u64::MAX);
        assert_eq!(message.0[..2], [0xac, 0x02]);
        assert_eq!(message.0.len(), 2 + 10);
    }

    #[test]
    fn a_layer_without_counterpart_is_named() {
        type Net = Seq![Dense<1, 1>, Gelu<1>];
        assert_eq!(write(&Net::ZERO, "m"), Err(Unsupported { number: 2, name: "Gelu" }));
    }
}
