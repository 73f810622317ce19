//! What one thread owns: a run of the batch, and the workspace for it.

use crate::codes::Codes;
use crate::samples::Samples;
use motenet::kernels::Coded;
use motenet::{Acts, Aligned, FirstLayer, Layer, Loss, Pass, Shard, Train, Zero};
use motenet_models::{Input, Model, Output, Target};

/// Samples that a workspace has room for. A larger batch takes several rounds, with the same bits.
pub(crate) const CAPACITY: usize = 128;

/// How many samples ahead of the one being loaded are asked for.
pub(crate) const AHEAD: usize = 4;

type Workspace<M> = <<M as Model>::Network as Layer>::Acts<CAPACITY>;

/// One thread's samples and workspace, on cache lines of their own.
#[repr(align(128))]
pub(crate) struct Lane<M: Model> {
    x: Box<Aligned<[Input<M>; CAPACITY]>>,
    /// The inputs as bytes, in place of those in `x`.
    coded: Option<Codes>,
    targets: Vec<Target<M>>,
    acts: Box<Aligned<Workspace<M>>>,
    d_acts: Box<Aligned<Workspace<M>>>,
    losses: Vec<f32>,
    /// How many outputs are right.
    right: u64,
}

/// Whether samples enter a network as bytes.
pub(crate) fn is_coded<M: Model>(samples: &(impl Samples<Input<M>, Target<M>> + ?Sized)) -> bool {
    M::Network::CODED && samples.values().is_some()
}

impl<M: Model> Lane<M> {
    pub(crate) fn new() -> Self {
        Lane {
            x: Zero::boxed(),
            coded: None,
            targets: Vec::with_capacity(CAPACITY),
            acts: Zero::boxed(),
            d_acts: Zero::boxed(),
            losses: vec![0.0; CAPACITY],
            right: 0,
        }
    }

    /// The samples at hand; zeros where they are bytes.
    fn inputs(&self) -> &[Input<M>] {
        &self.x[..self.targets.len()]
    }

    /// The samples at hand, if they are bytes.
    fn coded(&self) -> Option<Coded<'_>> {
        self.coded.as_ref().map(|codes| codes.first::<M>(self.targets.len()))
    }

    /// Loads the samples `indices`.
    pub(crate) fn load(
        &mut self,
        pass: Pass,
        samples: &(impl Samples<Input<M>, Target<M>> + ?Sized),
        indices: &[u32],
    ) {
        self.targets.clear();
        if is_coded::<M>(samples) {
            let codes = self.coded.get_or_insert_default();
            return codes.load::<M>(pass, samples, indices, |target| self.targets.push(target));
        }
        self.coded = None;
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
        let Lane { x, coded, targets, acts, .. } = self;
        match coded {
            None => network.forward(pass, &x[..targets.len()], acts),
            Some(codes) => network.forward_coded(pass, codes.first::<M>(targets.len()), acts),
        }
    }

    /// The outputs of some columns of the first layer, for the samples at hand.
    pub(crate) fn forward_columns(&self, pass: Pass, columns: &[f32], y: &mut [f32]) {
        if let Some(x) = self.coded() {
            M::Network::forward_columns(pass, x, columns, y);
        }
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
        if let Some(x) = self.coded() {
            M::Network::accumulate_columns(pass, x, dy, grad);
        }
    }

    /// The loss of each sample, the gradient of `scale` times their sum at the output, and how many are right.
    pub(crate) fn loss(&mut self, loss: &M::Loss, pass: Pass, scale: f32) {
        let y = &self.acts.output()[..self.targets.len()];
        let dy = self.d_acts.output_mut();
        loss.gradient(pass.simd, y, &self.targets, scale, dy, &mut self.losses);
        let right = y.iter().zip(&self.targets).filter(|(y, target)| M::is_right(y, target));
        self.right = right.count() as u64;
    }

    /// The loss of each sample.
    pub(crate) fn losses(&self) -> &[f32] {
        &self.losses[..self.targets.len()]
    }

    /// How many samples the network got right.
    pub(crate) fn right(&self) -> u64 {
        self.right
    }

    /// Takes the gradient back through the network, to every activation.
    pub(crate) fn backward(&mut self, network: &M::Network, pass: Pass) {
        network.backward(pass, &self.x[..self.targets.len()], &self.acts, &mut self.d_acts, None);
    }

    /// Adds the gradient of the parameters in `grad`.
    pub(crate) fn accumulate(&self, pass: Pass, grad: Shard<'_>) {
        let (acts, d_acts) = (&self.acts, &self.d_acts);
        match self.coded() {
            None => M::Network::accumulate(pass, self.inputs(), acts, d_acts, grad),
            Some(x) => M::Network::accumulate_coded(pass, x, acts, d_acts, grad),
        }
    }

    /// Output, target and loss of each sample.
    pub(crate) fn results(&self) -> impl Iterator<Item = (&Output<M>, &Target<M>, f32)> {
        let results = self.acts.output().iter().zip(&self.targets).zip(&self.losses);
        results.map(|((y, target), &loss)| (y, target, loss))
    }
}
