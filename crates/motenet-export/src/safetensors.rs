//! The float weights as a `safetensors` file that PyTorch loads.
//!
//! The names are those of an `nn.Sequential` with one module a layer: the third layer's weights are
//! `2.weight`, of shape `[OUT, IN]` as `nn.Linear` has them (the transpose of ours), its bias `2.bias`.
//!
//! ```python
//! model = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
//! model.load_state_dict(safetensors.torch.load_file("mlp.safetensors"))
//! ```

use motenet::{Layer, LayerInfo, Params};
use safetensors::tensor::{Dtype, SafeTensorError, TensorView, serialize};

/// The file's bytes, for a network whose only layers with parameters are dense ones.
///
/// # Errors
/// Those of the `safetensors` crate; a network of any size this crate can hold has none.
///
/// # Memory
/// Three times the parameters.
pub fn write<M: Layer + Params>(network: &M) -> Result<Vec<u8>, SafeTensorError> {
    let mut layers: Vec<LayerInfo> = Vec::new();
    M::describe(&mut |layer| layers.push(layer));
    let mut rest = network.flat();
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for (number, layer) in layers.iter().enumerate().filter(|(_, layer)| layer.params > 0) {
        let (inputs, outputs) = (layer.input_len, layer.output_len);
        let (own, after) = rest.split_at(layer.params.min(rest.len()));
        let (weights, bias) = own.split_at((inputs * outputs).min(own.len()));
        let transposed = (0..outputs).flat_map(|o| weights.iter().skip(o).step_by(outputs));
        tensors.push((format!("{number}.weight"), vec![outputs, inputs], bytes(transposed)));
        if !bias.is_empty() {
            tensors.push((format!("{number}.bias"), vec![outputs], bytes(bias.iter())));
        }
        rest = after;
    }
    let views: Vec<_> = tensors
        .iter()
        .map(|(name, shape, data)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), data)?)))
        .collect::<Result<_, SafeTensorError>>()?;
    serialize(views, None)
}

fn bytes<'a>(values: impl Iterator<Item = &'a f32>) -> Vec<u8> {
    values.flat_map(|value| value.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use motenet::{Dense, NoBias, Relu, Seq, Zero};
    use safetensors::SafeTensors;

    type Net = Seq![Dense<3, 2>, Relu<2>, Dense<2, 2, NoBias>];

    #[test]
    fn the_file_holds_what_pytorch_expects() {
        let mut net = Net::ZERO;
        for (k, p) in net.flat_mut().iter_mut().enumerate() {
            *p = k as f32;
        }
        let file = write(&net).unwrap();
        let read = SafeTensors::deserialize(&file).unwrap();
        let values = |name: &str| -> Vec<f32> {
            let data = read.tensor(name).unwrap().data().to_vec();
            data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
        };
        let mut names = read.names();
        names.sort();
        assert_eq!(names, ["0.bias", "0.weight", "2.weight"]);
        assert_eq!(read.tensor("0.weight").unwrap().shape(), [2, 3]);
        assert_eq!(values("0.weight"), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
        assert_eq!(values("0.bias"), [6.0, 7.0]);
        assert_eq!(values("2.weight"), [8.0, 10.0, 9.0, 11.0]);
    }
}
