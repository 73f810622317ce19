//! What one thread owns: a run of the batch, and the workspace for it.

use crate::samples::Samples;
use motenet::kernels::{nonzero, words};
use motenet::{Acts, Aligned, Columns, Layer, Loss, Pass, Shard, Tensor, Train, Zero};
use motenet_models::{Input, Model, Output, Target};

/// Samples that a workspace has room for. A larger batch takes several rounds, with the same bits.
pub(crate) const CAPACITY: usize = 64;

/// How many samples ahead of the one being loaded are asked for.
const AHEAD: usize = 4;

type Workspace<M> = <<M as Model>::Network as Layer>::Acts<CAPACITY>;

/// One thread's samples and workspace, on cache lines of their own.
#[repr(align(128))]
pub(crate) struct Lane<M: Model> {
    x: Box<Aligned<[Input<M>; CAPACITY]>>,
    targets: Vec<Target<M>>,
    acts: Box<Aligned<Workspace<M>>>,
    d_acts: Box<Aligned<Workspace<M>>>,
    losses: Vec<f32>,
    /// Which elements of `x` are not zero, [`words`] a sample; empty unless the first layer is divided.
    bits: Vec<u64>,
}

impl<M: Model> Lane<M> {
    /// `divided`: for a network whose first layer is divided among threads.
    pub(crate) fn new(divided: bool) -> Self {
        let words = if divided { words(Input::<M>::LEN) } else { 0 };
        Lane {
            x: Zero::boxed(),
            targets: Vec::with_capacity(CAPACITY),
            acts: Zero::boxed(),
            d_acts: Zero::boxed(),
            losses: vec![0.0; CAPACITY],
            bits: vec![0; CAPACITY * words],
        }
    }

    /// The samples at hand.
    fn inputs(&self) -> &[Input<M>] {
        &self.x[..self.targets.len()]
    }

    /// Loads the samples `indices`.
    pub(crate) fn load(
        &mut self,
        pass: Pass,
        samples: &(impl Samples<Input<M>, Target<M>> + ?Sized),
        indices: &[u32],
    ) {
        self.targets.clear();
        let mut ahead = indices.iter().skip(AHEAD);
        let mut bits = self.bits.chunks_mut(words(Input::<M>::LEN).max(1));
        for (x, &index) in self.x.iter_mut().zip(indices) {
            if let Some(&index) = ahead.next() {
                samples.prefetch(index as usize);
            }
            self.targets.push(samples.load(pass.simd, index as usize, x));
            if let Some(bits) = bits.next() {
                nonzero(pass.simd, Tensor::flatten(std::slice::from_ref(x)), bits);
            }
        }
    }

    /// Runs the network on the samples at hand.
    pub(crate) fn forward(&mut self, network: &M::Network, pass: Pass) {
        network.forward(pass, &self.x[..self.targets.len()], &mut self.acts);
    }

    /// The outputs of some columns of the first layer, for the samples at hand.
    pub(crate) fn forward_columns(&self, pass: Pass, columns: &[f32], y: &mut [f32]) {
        M::Network::forward_columns(pass, self.inputs(), &self.bits, columns, y);
    }

    /// Puts the outputs of the `width` columns from `from` on where the layers after the first look for them.
    pub(crate) fn put_columns(&mut self, from: usize, width: usize, y: &[f32]) {
        let rows = M::Network::columns_mut(&mut self.acts).chunks_mut(M::Network::COLUMNS.max(1));
        for (row, y) in rows.zip(y.chunks(width)).take(self.targets.len()) {
            row[from..from + width].copy_from_slice(y);
        }
    }

    /// Runs the layers after the first.
    pub(crate) fn forward_rest(&mut self, network: &M::Network, pass: Pass) {
        network.forward_rest(pass, self.targets.len(), &mut self.acts);
    }

    /// Adds the gradient of the `width` columns from `from` on in `grad`; `dy` has room for that of their outputs.
    pub(crate) fn accumulate_columns(
        &self,
        pass: Pass,
        (from, width): (usize, usize),
        dy: &mut [f32],
        grad: &mut [f32],
    ) {
        let rows = M::Network::columns(&self.d_acts).chunks(M::Network::COLUMNS.max(1));
        for (row, dy) in rows.zip(dy.chunks_mut(width)).take(self.targets.len()) {
            dy.copy_from_slice(&row[from..from + width]);
        }
        M::Network::accumulate_columns(pass, self.inputs(), &self.bits, dy, grad);
    }

    /// The loss of each sample, and the gradient of `scale` times their sum at the output.
    pub(crate) fn loss(&mut self, loss: &M::Loss, pass: Pass, scale: f32) {
        let y = &self.acts.output()[..self.targets.len()];
        let dy = self.d_acts.output_mut();
        loss.gradient(pass.simd, y, &self.targets, scale, dy, &mut self.losses);
    }

    /// Takes the gradient back through the network, to every activation.
    pub(crate) fn backward(&mut self, network: &M::Network, pass: Pass) {
        network.backward(pass, &self.x[..self.targets.len()], &self.acts, &mut self.d_acts, None);
    }

    /// Adds the gradient of the parameters in `grad`.
    pub(crate) fn accumulate(&self, pass: Pass, grad: Shard<'_>) {
        M::Network::accumulate(pass, self.inputs(), &self.acts, &self.d_acts, grad);
    }

    /// Output, target and loss of each sample.
    pub(crate) fn results(&self) -> impl Iterator<Item = (&Output<M>, &Target<M>, f32)> {
        let results = self.acts.output().iter().zip(&self.targets).zip(&self.losses);
        results.map(|((y, target), &loss)| (y, target, loss))
    }
}
