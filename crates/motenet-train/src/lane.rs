//! What one thread owns: a run of the batch, and the workspace for it.

use crate::samples::Samples;
use motenet::{Acts, Aligned, Layer, Loss, Pass, Shard, Train, Zero};
use motenet_models::{Input, Model, Output, Target};

/// Samples that a workspace has room for. A larger batch takes several rounds, with the same bits.
pub(crate) const CAPACITY: usize = 64;

/// How many samples ahead of the one being loaded are asked for.
const AHEAD: usize = 4;

type Workspace<M> = <<M as Model>::Network as Layer>::Acts<CAPACITY>;

/// One thread's samples and workspace.
pub(crate) struct Lane<M: Model> {
    x: Box<Aligned<[Input<M>; CAPACITY]>>,
    targets: Vec<Target<M>>,
    acts: Box<Aligned<Workspace<M>>>,
    d_acts: Box<Aligned<Workspace<M>>>,
    losses: Vec<f32>,
}

impl<M: Model> Lane<M> {
    pub(crate) fn new() -> Self {
        Lane {
            x: Zero::boxed(),
            targets: Vec::with_capacity(CAPACITY),
            acts: Zero::boxed(),
            d_acts: Zero::boxed(),
            losses: vec![0.0; CAPACITY],
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
        for (x, &index) in self.x.iter_mut().zip(indices) {
            if let Some(&index) = ahead.next() {
                samples.prefetch(index as usize);
            }
            self.targets.push(samples.load(pass.simd, index as usize, x));
        }
    }

    /// Runs the network on the samples at hand.
    pub(crate) fn forward(&mut self, network: &M::Network, pass: Pass) {
        network.forward(pass, &self.x[..self.targets.len()], &mut self.acts);
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
