//! 784-64-10 in burn, on its back end for CPUs.

use crate::{BATCH, shuffle};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};

#[derive(Module, Debug)]
struct Network {
    first: Linear,
    second: Linear,
}

impl Network {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.second.forward(relu(self.first.forward(x)))
    }
}

pub(crate) struct Burn {
    /// Taken out while a step makes a new one of it.
    network: Option<Network>,
    optimizer: ModuleOptimizer,
    device: Device,
    images: Tensor<2>,
    labels: Tensor<1, Int>,
    order: Vec<u32>,
    state: u64,
}

impl Burn {
    pub(crate) fn new(images: Vec<f32>, labels: &[u32]) -> Self {
        let device = Device::flex();
        let training = device.clone().autodiff();
        let labels: Vec<i64> = labels.iter().map(|&label| label.into()).collect();
        let len = labels.len();
        Burn {
            network: Some(Network {
                first: LinearConfig::new(784, 64).init(&training),
                second: LinearConfig::new(64, 10).init(&training),
            }),
            optimizer: SgdConfig::new().init(),
            images: Tensor::from_data(TensorData::new(images, [len, 784]), &training),
            labels: Tensor::from_data(TensorData::new(labels, [len]), &training),
            device: training,
            order: (0..len as u32).collect(),
            state: 1,
        }
    }

    pub(crate) fn train_epoch(&mut self) {
        shuffle(&mut self.order, &mut self.state);
        let loss = CrossEntropyLossConfig::new().init(&self.device);
        for indices in self.order.chunks(BATCH) {
            let indices: Vec<i64> = indices.iter().map(|&index| index.into()).collect();
            let len = indices.len();
            let indices: Tensor<1, Int> =
                Tensor::from_data(TensorData::new(indices, [len]), &self.device);
            let x = self.images.clone().select(0, indices.clone());
            let targets = self.labels.clone().select(0, indices);
            if let Some(network) = self.network.take() {
                let gradients = loss.forward(network.forward(x), targets).backward();
                let gradients = GradientsParams::from_grads(gradients, &network);
                self.network = Some(self.optimizer.step(0.01, network, gradients));
            }
        }
    }

    pub(crate) fn accuracy(&self) -> f32 {
        let Some(network) = &self.network else { return 0.0 };
        let found = network.forward(self.images.clone()).argmax(1).squeeze_dim::<1>(1);
        found.equal(self.labels.clone()).float().mean().into_scalar()
    }
}
