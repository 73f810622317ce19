//! A step whose first layer is divided among threads by its outputs.
//!
//! Each thread keeps some columns of the first layer's weights, with gradient and moments, and a copy of all
//! layers after it. A step has two parallel halves:
//!
//! 1. every thread loads the whole batch and computes the outputs of its columns for all samples;
//! 2. every thread takes the others' outputs too, runs the layers after the first forward and back, adds
//!    up the gradient of its columns and of those layers, and moves both.
//!
//! So the copies get the same bits everywhere, and all that passes from core to core are a few numbers a sample.
//! That the layers after the first, and the loading, are done by everyone is the price. Samples have to be bytes, whose
//! zeros are found at no cost: every thread looks through all of them for some of the work.

use crate::lane::{CAPACITY, Lane};
use crate::profile::Phase;
use crate::samples::Samples;
use crate::step::{Batch, Crew, Part, Whole};
use motenet::first_layer::WIDTHS;
use motenet::kernels::prefetch_mut;
use motenet::{Aligned, FirstLayer, Params, Pass, Shard, Tensor, Zero};
use motenet_models::{Input, Model, Recipe, Target};
use std::cell::OnceCell;

/// Columns are given out in runs of so many: the narrowest that there are kernels for.
const UNIT: usize = WIDTHS[WIDTHS.len() - 1];

/// The parameters of a model in training, divided.
pub(crate) struct ByColumns<M: Model> {
    /// One for each thread that gets columns.
    shares: Vec<Share<M>>,
    /// The outputs of each share's columns: written by its thread, then read by all.
    outputs: Vec<Vec<Numbers>>,
    /// All of it put together, until the next step.
    whole: OnceCell<Whole<M>>,
}

/// What one thread keeps, on cache lines of its own.
#[repr(align(128))]
struct Share<M: Model> {
    columns: Vec<Block>,
    /// The layers after the first; the first is never looked at.
    network: Box<Aligned<M::Network>>,
    /// The gradient of the layers after the first, zero between steps.
    grad: Vec<f32>,
    moments: [Vec<f32>; 2],
}

/// Columns that go together: laid out as the first layer is, narrower.
struct Block {
    from: usize,
    width: usize,
    weights: Numbers,
    /// Zero between steps.
    grad: Numbers,
    moments: [Vec<f32>; 2],
    /// The gradient of the outputs.
    dy: Numbers,
}

impl<M: Model> ByColumns<M> {
    /// How many parameters the first layer has.
    const FIRST: usize = (Input::<M>::LEN + 1) * M::Network::COLUMNS;

    /// Whether training on `threads` threads goes by columns, if samples are bytes.
    ///
    /// It takes a first layer with columns for two threads at least. Clipping needs the whole gradient in its
    /// order. What every thread does for itself, the layers after the first, should be less than what is
    /// divided. And a large batch pays for its weights' way from core to core: two threads that share out samples
    /// then do nothing twice.
    pub(crate) fn suits(recipe: &Recipe, threads: usize) -> bool {
        let mut macs = Vec::new();
        M::describe(&mut |layer| macs.push(layer.macs));
        let rest: usize = macs.iter().skip(1).sum();
        let small = macs.first().is_some_and(|&first| rest <= first);
        let columns = M::Network::COLUMNS;
        let few = (recipe.batch_size as usize) < 2 * columns;
        threads > 1 && columns >= 2 * UNIT && few && recipe.clip_norm <= 0.0 && small
    }

    /// Divides a model among up to `threads` threads, each of which gets at least one unit of columns.
    pub(crate) fn new(whole: Whole<M>, threads: usize) -> Self {
        let units = M::Network::COLUMNS / UNIT;
        let count = threads.min(units);
        let cut = |k: usize| k * units / count * UNIT;
        let shares: Vec<_> = (0..count).map(|k| Share::new(&whole, cut(k), cut(k + 1))).collect();
        let outputs = |share: &Share<M>| {
            share.columns.iter().map(|block| Numbers::new(CAPACITY * block.width)).collect()
        };
        let outputs = shares.iter().map(outputs).collect();
        ByColumns { shares, outputs, whole: OnceCell::from(whole) }
    }

    /// The parameters and moments, put together for good.
    pub(crate) fn into_whole(self) -> Whole<M> {
        self.whole();
        self.whole.into_inner().expect("put together just now")
    }

    /// The parameters and moments, put together where a step has been taken since.
    pub(crate) fn whole(&self) -> &Whole<M> {
        self.whole.get_or_init(|| {
            let mut whole =
                Whole::<M>::zero(self.shares[0].moments.each_ref().map(|m| !m.is_empty()));
            let (first, rest) = whole.network.flat_mut().split_at_mut(Self::FIRST);
            rest.copy_from_slice(&self.shares[0].network.flat()[Self::FIRST..]);
            for block in self.shares.iter().flat_map(|share| &share.columns) {
                block.put(block.weights.as_slice(), first, M::Network::COLUMNS);
            }
            for (k, moment) in whole.moments.iter_mut().enumerate().filter(|(_, m)| !m.is_empty()) {
                let (first, rest) = moment.split_at_mut(Self::FIRST);
                rest.copy_from_slice(&self.shares[0].moments[k]);
                for block in self.shares.iter().flat_map(|share| &share.columns) {
                    block.put(&block.moments[k], first, M::Network::COLUMNS);
                }
            }
            whole
        })
    }

    /// One step of the optimizer; `visit` gets the lanes whose results count, in order.
    pub(crate) fn step(
        &mut self,
        crew: Crew<'_, M>,
        samples: &(impl Samples<Input<M>, Target<M>> + ?Sized),
        batch: Batch<'_>,
        mut visit: impl FnMut(&Lane<M>),
    ) {
        self.whole.take();
        let recipe = batch.settings.recipe;
        let loss = M::loss(recipe.label_smoothing);
        let rounds = batch.indices.len().div_ceil(CAPACITY);
        for (round, indices) in batch.indices.chunks(CAPACITY).enumerate() {
            let last = round + 1 == rounds;
            let before = (round * CAPACITY) as u64;
            let pass = Pass::train(crew.simd, batch.settings.seed, batch.first_sample + before);

            let threads = self.shares.iter().zip(&mut self.outputs);
            crew.team.each(
                crew.lanes.iter_mut().zip(threads).zip(&mut *crew.watches),
                |k, ((lane, (share, outputs)), watch)| {
                    watch.count(if k == 0 { indices.len() } else { 0 });
                    watch.time(Phase::Load, || {
                        // The others have read them in the last step.
                        outputs.iter_mut().for_each(|y| prefetch_mut(y.as_mut_slice()));
                        lane.load(pass, samples, indices);
                    });
                    watch.time(Phase::Forward, || {
                        for (block, y) in share.columns.iter().zip(outputs) {
                            lane.forward_columns(pass, block.weights.as_slice(), y.as_mut_slice());
                        }
                    });
                },
            );

            let outputs = &self.outputs;
            crew.team.each(
                crew.lanes.iter_mut().zip(&mut self.shares).zip(&mut *crew.watches),
                |_, ((lane, share), watch)| {
                    let pass = watch.watched(pass);
                    watch.time(Phase::Forward, || {
                        let mut from = 0;
                        for y in outputs.iter().flatten() {
                            let width = y.as_slice().len() / CAPACITY;
                            lane.put_columns(from, width, y.as_slice());
                            from += width;
                        }
                        lane.forward_rest(&share.network, pass);
                    });
                    watch.time(Phase::Loss, || lane.loss(&loss, pass, batch.scale));
                    watch.time(Phase::Backward, || lane.backward(&share.network, pass));
                    watch.time(Phase::Gradient, || share.accumulate(lane, pass));
                    if last {
                        watch.time(Phase::Update, || {
                            share.parts().for_each(|part| {
                                part.update(&recipe.optimizer, pass.simd, batch.step);
                            });
                        });
                    }
                },
            );
            visit(&crew.lanes[0]);
        }
    }
}

impl<M: Model> Share<M> {
    /// The columns `from..to` of a model, and a copy of what comes after.
    fn new(whole: &Whole<M>, from: usize, to: usize) -> Self {
        let mut columns = Vec::new();
        let mut at = from;
        for width in WIDTHS {
            while to - at >= width {
                columns.push(Block::new(whole, at, width));
                at += width;
            }
        }
        let rest = ByColumns::<M>::FIRST;
        let mut network: Box<Aligned<M::Network>> = Zero::boxed();
        network.flat_mut()[rest..].copy_from_slice(&whole.network.flat()[rest..]);
        let moments = whole.moments.each_ref().map(|m| m.get(rest..).unwrap_or_default().to_vec());
        Share { columns, network, grad: vec![0.0; M::Network::COUNT - rest], moments }
    }

    /// Adds the gradient of the samples in `lane`.
    fn accumulate(&mut self, lane: &Lane<M>, pass: Pass) {
        for Block { from, width, grad, dy, .. } in &mut self.columns {
            let (dy, grad) = (dy.as_mut_slice(), grad.as_mut_slice());
            lane.accumulate_columns(pass, (*from, *width), dy, grad);
        }
        lane.accumulate(pass, Shard::new(ByColumns::<M>::FIRST, &mut self.grad));
    }

    /// All that this thread moves.
    fn parts(&mut self) -> impl Iterator<Item = Part<'_>> {
        let columns = self.columns.iter_mut().map(|block| {
            let [first, second] = &mut block.moments;
            let (weights, grad) = (block.weights.as_mut_slice(), block.grad.as_mut_slice());
            Part { weights, grad, first, second }
        });
        let [first, second] = &mut self.moments;
        let weights = &mut self.network.flat_mut()[ByColumns::<M>::FIRST..];
        columns.chain([Part { weights, grad: &mut self.grad, first, second }])
    }
}

impl Block {
    fn new<M: Model>(whole: &Whole<M>, from: usize, width: usize) -> Self {
        let len = (Input::<M>::LEN + 1) * width;
        let pick = |flat: &[f32], to: &mut [f32]| {
            for (to, row) in to.chunks_mut(width).zip(flat.chunks(M::Network::COLUMNS)) {
                to.copy_from_slice(&row[from..from + width]);
            }
        };
        let mut weights = Numbers::new(len);
        pick(whole.network.flat(), weights.as_mut_slice());
        let moments = whole.moments.each_ref().map(|moment| {
            let mut own = vec![0.0; if moment.is_empty() { 0 } else { len }];
            pick(moment, &mut own);
            own
        });
        let (grad, dy) = (Numbers::new(len), Numbers::new(CAPACITY * width));
        Block { from, width, weights, grad, moments, dy }
    }

    /// Writes the columns into the whole layer, whose rows are `columns` wide.
    fn put(&self, own: &[f32], layer: &mut [f32], columns: usize) {
        for (row, own) in layer.chunks_mut(columns).zip(own.chunks(self.width)) {
            row[self.from..self.from + self.width].copy_from_slice(own);
        }
    }
}

/// Numbers that begin with a cache line.
struct Numbers {
    room: Vec<f32>,
    from: usize,
    len: usize,
}

impl Numbers {
    /// So many zeros.
    fn new(len: usize) -> Self {
        let room = vec![0.0; len + 15];
        let from = room.as_ptr().align_offset(64).min(15);
        Numbers { room, from, len }
    }

    fn as_slice(&self) -> &[f32] {
        &self.room[self.from..self.from + self.len]
    }

    fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.room[self.from..self.from + self.len]
    }
}
