//! 784-64-10 in candle.

use crate::{BATCH, shuffle};
use candle_core::{Device, Result, Tensor};
use candle_nn::{Module, Optimizer, SGD, VarBuilder, VarMap};

pub(crate) struct Candle {
    first: candle_nn::Linear,
    second: candle_nn::Linear,
    optimizer: SGD,
    images: Tensor,
    labels: Tensor,
    order: Vec<u32>,
    state: u64,
}

impl Candle {
    pub(crate) fn new(images: Vec<f32>, labels: Vec<u32>) -> Result<Self> {
        let (device, vars, len) = (Device::Cpu, VarMap::new(), labels.len());
        let weights = VarBuilder::from_varmap(&vars, candle_core::DType::F32, &device);
        Ok(Candle {
            first: candle_nn::linear(784, 64, weights.pp("first"))?,
            second: candle_nn::linear(64, 10, weights.pp("second"))?,
            optimizer: SGD::new(vars.all_vars(), 0.01)?,
            images: Tensor::from_vec(images, (len, 784), &device)?,
            labels: Tensor::from_vec(labels, len, &device)?,
            order: (0..len as u32).collect(),
            state: 1,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.second.forward(&self.first.forward(x)?.relu()?)
    }

    pub(crate) fn train_epoch(&mut self) -> Result<()> {
        shuffle(&mut self.order, &mut self.state);
        for indices in self.order.chunks(BATCH) {
            let indices = Tensor::new(indices, &Device::Cpu)?;
            let x = self.images.index_select(&indices, 0)?;
            let targets = self.labels.index_select(&indices, 0)?;
            let loss = candle_nn::loss::cross_entropy(&self.forward(&x)?, &targets)?;
            self.optimizer.backward_step(&loss)?;
        }
        Ok(())
    }

    pub(crate) fn accuracy(&self) -> Result<f32> {
        let found = self.forward(&self.images)?.argmax(1)?;
        found.eq(&self.labels)?.to_dtype(candle_core::DType::F32)?.mean_all()?.to_scalar()
    }
}
