//! A model in training on a device: weights and data stay there, and metrics come back.
//!
//! A submission is many steps. A step is: gather, each layer forward, loss, each layer back, each layer's
//! gradient, update. Between submissions 8 bytes come back, the sum of the losses and the number of right
//! answers; the weights only when [`GpuTrainer::trainer`] is asked for them.

use crate::batch::Batch;
use crate::data::{Inputs, Resident, Targets};
use crate::device::batch_offset;
use crate::kernels::{Builder, Dispatch, Operands, Product};
use crate::plan::{Activation, GpuLoss, Plan};
use crate::tiling::{Slices, Tiling};
use crate::{Error, Gpu};
use motenet::{Optimizer, Params};
use motenet_models::{Input, Model, Target};
use motenet_train::{Position, Progress, Settings, Summary, Trainer};
use std::ops::ControlFlow;

/// Steps of a submission, at most.
pub const MOST_STEPS: usize = 512;

/// Operations of a submission, about at most: a tenth of a second of a slow device, since some drivers
/// take one that is silent for two seconds for dead.
const MOST_FLOPS: u64 = 100_000_000_000;

/// The same for a software adapter, so that Ctrl-C is answered in time.
const MOST_FLOPS_SOFTWARE: u64 = 10_000_000_000;

/// Rows of a batch when a dataset is only looked at, at least.
const EVALUATION_ROWS: usize = 512;

/// What went over the bus since a trainer was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Steps taken.
    pub steps: u64,
    /// Submissions that they were taken in.
    pub submissions: u64,
    /// Bytes of metrics read back.
    pub metrics_bytes: u64,
    /// Bytes of weights and moments read back, on request only.
    pub model_bytes: u64,
    /// Bytes written after the dataset: the order of the samples, and 256 bytes a step.
    pub written_bytes: u64,
}

/// A dataset on the device.
#[derive(Debug)]
pub struct Dataset {
    len: usize,
    order: wgpu::Buffer,
    totals: wgpu::Buffer,
    batches: wgpu::Buffer,
    batch_group: wgpu::BindGroup,
    gather: Dispatch,
    loss: Dispatch,
    add_up: Dispatch,
}

/// A model in training on a device.
///
/// # Memory
/// On the device: the model, its moments, up to 16 slices of its gradient, the activations of one batch and
/// their gradients, and the dataset in the form that it has on the CPU.
pub struct GpuTrainer<M: Model> {
    gpu: Gpu,
    plan: Plan,
    settings: Settings,
    position: Position,
    /// The model as it was read back last.
    mirror: Trainer<M>,
    /// The device has gone on since.
    stale: bool,
    capacity: usize,
    weights: wgpu::Buffer,
    moments: [wgpu::Buffer; 2],
    x: wgpu::Buffer,
    y: wgpu::Buffer,
    dy: wgpu::Buffer,
    forward: Vec<Dispatch>,
    backward: Vec<Dispatch>,
    train: Dataset,
    traffic: Traffic,
}

impl<M: Model<Loss: GpuLoss>> GpuTrainer<M> {
    /// Goes on on `gpu` from where `trainer` stands, with `samples` as the training set.
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::TooLarge`], [`Error::OutOfMemory`].
    pub fn new(
        gpu: &Gpu,
        trainer: Trainer<M>,
        samples: &(impl Resident<Input<M>, Target<M>> + ?Sized),
    ) -> Result<Self, Error> {
        let tiling =
            move |rows, columns, slices| Tiling::choose(gpu.is_software(), rows, columns, slices);
        Self::with_tiling(gpu, trainer, samples, tiling)
    }

    /// [`new`](GpuTrainer::new), with one tiling for all products: what tests and benches compare.
    ///
    /// # Errors
    /// As [`new`](GpuTrainer::new).
    pub fn tiled(
        gpu: &Gpu,
        trainer: Trainer<M>,
        samples: &(impl Resident<Input<M>, Target<M>> + ?Sized),
        tiling: Tiling,
    ) -> Result<Self, Error> {
        Self::with_tiling(gpu, trainer, samples, move |_, _, _| tiling)
    }

    fn with_tiling(
        gpu: &Gpu,
        trainer: Trainer<M>,
        samples: &(impl Resident<Input<M>, Target<M>> + ?Sized),
        tiling: impl Fn(usize, usize, usize) -> Tiling,
    ) -> Result<Self, Error> {
        gpu.check()?;
        let plan = Plan::of::<M::Network>()?;
        let settings = *trainer.settings();
        let len = samples.targets().count(plan.outputs());
        let batch = (settings.recipe.batch_size.max(1) as usize).min(len.max(1));
        let optimizer = settings.recipe.optimizer;
        let limit = gpu.device.limits().max_compute_workgroups_per_dimension as usize;
        if batch > limit {
            let (found, limit) = (batch as u64, limit as u64);
            let (what, advice) = ("--batch-size", "lower it, or train with --device cpu");
            return Err(Error::TooLarge { what, found, limit, unit: "samples", advice });
        }
        let capacity = batch.max(EVALUATION_ROWS.min(limit));
        let floats = |what, count: usize| gpu.storage(what, 4 * count as u64);

        let weights = floats("the model", plan.count)?;
        let kept = optimizer.moments();
        let moment = |k| floats("the model", if k < kept { plan.count } else { 0 });
        let moments = [moment(0)?, moment(1)?];
        let slices = Slices::of(gpu, &plan.layers, batch);
        let parts = floats("the gradient", slices.count * plan.count)?;
        let square = floats("the gradient", 1)?;
        let x = floats("a batch", capacity * plan.inputs())?;
        let activations = || {
            plan.layers
                .iter()
                .map(|layer| floats("a batch", capacity * layer.outputs))
                .collect::<Result<Vec<_>, _>>()
        };
        let (acts, d_acts) = (activations()?, activations()?);

        let builder = Builder::new(gpu);
        let (mut forward, mut backward) = (Vec::new(), Vec::new());
        let whole = Slices { count: 1, samples: batch };
        for (k, layer) in plan.layers.iter().enumerate() {
            let input = if k == 0 { &x } else { &acts[k - 1] };
            let operands = Operands { a: input, b: &weights, more: &weights, c: &acts[k] };
            let way = tiling(batch, layer.outputs, 1);
            let sizes = (plan.count, whole);
            forward.push(builder.product(
                Product::Forward,
                way,
                layer,
                Activation::None,
                sizes,
                &operands,
            ));
        }
        for (k, layer) in plan.layers.iter().enumerate().rev() {
            let input = if k == 0 { &x } else { &acts[k - 1] };
            let sizes = (plan.count, slices);
            let operands = Operands { a: input, b: &d_acts[k], more: input, c: &parts };
            let way = tiling(layer.inputs + 1, layer.outputs, slices.count);
            backward.push(builder.product(
                Product::Gradient,
                way,
                layer,
                Activation::None,
                sizes,
                &operands,
            ));
            if k > 0 {
                let operands =
                    Operands { a: &d_acts[k], b: &weights, more: input, c: &d_acts[k - 1] };
                let before = plan.layers[k - 1].activation;
                let way = tiling(batch, layer.inputs, 1);
                backward.push(builder.product(Product::Back, way, layer, before, sizes, &operands));
            }
        }
        if settings.recipe.clip_norm > 0.0 {
            backward.push(builder.norm(plan.count, slices.count, &parts, &square));
        }
        let buffers = [&parts, &square, &weights, &moments[0], &moments[1]];
        let sizes = (plan.count, slices.count);
        backward.push(builder.update(sizes, &optimizer, settings.recipe.clip_norm, buffers)?);

        let last = plan.layers.len() - 1;
        let (y, dy) = (acts[last].clone(), d_acts[last].clone());
        let steps = len.div_ceil(batch);
        let train = dataset::<M>(gpu, &plan, samples, steps, [&x, &y, &dy])?;
        let mut this = GpuTrainer {
            gpu: gpu.clone(),
            plan,
            settings,
            position: trainer.position(),
            mirror: trainer,
            stale: false,
            capacity,
            weights,
            moments,
            x,
            y,
            dy,
            forward,
            backward,
            train,
            traffic: Traffic::default(),
        };
        this.upload_model();
        gpu.check()?;
        Ok(this)
    }

    fn upload_model(&mut self) {
        let write = |buffer, values: &[f32]| {
            self.gpu.queue.write_buffer(buffer, 0, bytemuck::cast_slice(values));
        };
        write(&self.weights, self.mirror.network().flat());
        for (buffer, moment) in self.moments.iter().zip(self.mirror.moments()) {
            write(buffer, moment);
        }
    }

    /// Puts another dataset on the device, to be looked at by [`evaluate`](GpuTrainer::evaluate).
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::OutOfMemory`].
    pub fn upload(
        &self,
        samples: &(impl Resident<Input<M>, Target<M>> + ?Sized),
    ) -> Result<Dataset, Error> {
        let steps = samples.targets().count(self.plan.outputs()).div_ceil(self.capacity);
        let set =
            dataset::<M>(&self.gpu, &self.plan, samples, steps, [&self.x, &self.y, &self.dy])?;
        let order: Vec<u32> = (0..set.len as u32).collect();
        self.gpu.queue.write_buffer(&set.order, 0, bytemuck::cast_slice(&order));
        let rows = self.capacity;
        let batches = (0..steps)
            .map(|k| Batch::to_evaluate(k * rows, rows.min(set.len - k * rows)))
            .chain([Batch::to_evaluate(0, set.len)]);
        write_batches(&self.gpu, &set, 0, batches);
        self.gpu.check()?;
        Ok(set)
    }

    /// The device.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// The settings of the run.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How far the run has come.
    pub fn position(&self) -> Position {
        self.position
    }

    /// What went over the bus so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// The same run on the CPU, as it stands: reads weights and moments back if the device has gone on.
    ///
    /// # Errors
    /// Those of the device; the CPU's copy is then what it was before.
    pub fn trainer(&mut self) -> Result<&mut Trainer<M>, Error> {
        if self.stale {
            let bytes = 4 * self.plan.count as u64;
            let kept = self.settings.recipe.optimizer.moments();
            let buffers: Vec<_> = std::iter::once(&self.weights)
                .chain(&self.moments[..kept])
                .map(|buffer| (buffer, bytes))
                .collect();
            let encoder = self.gpu.device.create_command_encoder(&Default::default());
            let parts = self.gpu.read(encoder, &buffers)?;
            self.traffic.model_bytes += bytes * buffers.len() as u64;
            let (weights, moments) =
                parts.split_first().ok_or_else(|| Error::defect("nothing read"))?;
            if !self.mirror.restore(self.position, weights, moments) {
                return Err(Error::defect("what was read back does not fit"));
            }
            self.stale = false;
        }
        Ok(&mut self.mirror)
    }

    /// The same, for good.
    ///
    /// # Errors
    /// Those of the device.
    pub fn into_trainer(mut self) -> Result<Trainer<M>, Error> {
        self.trainer()?;
        Ok(self.mirror)
    }

    /// Trains to the end of the epoch that has begun, or until `watch` breaks after a submission.
    ///
    /// Samples, batches and learning rates are those of the CPU's [`Trainer`]. Returns what the epoch came to,
    /// or `None` if it was broken off; a later call goes on with the next step.
    ///
    /// # Errors
    /// Those of the device.
    pub fn train_epoch(
        &mut self,
        mut watch: impl FnMut(&mut Self, Progress) -> ControlFlow<()>,
    ) -> Result<Option<Summary>, Error> {
        let len = self.train.len;
        let recipe = self.settings.recipe;
        let batch = recipe.batch_size.max(1) as usize;
        let steps = len.div_ceil(batch);
        let order = self.settings.order(self.position.epoch, len);
        self.gpu.queue.write_buffer(&self.train.order, 0, bytemuck::cast_slice(&order));
        self.traffic.written_bytes += 4 * len as u64;
        let smoothing = M::loss(recipe.label_smoothing).smoothing();
        let flops = if self.gpu.is_software() { MOST_FLOPS_SOFTWARE } else { MOST_FLOPS };
        let most = (flops / (self.plan.flops() * batch.min(len.max(1)) as u64).max(1)) as usize;
        let most = most.clamp(1, MOST_STEPS);
        while (self.position.step as usize) < steps {
            let first = self.position.step as usize;
            let many = most.min(steps - first);
            let rows = |step: usize| batch.min(len - step * batch);
            let batches = (first..first + many).map(|step| {
                let at = Position { step: step as u32, ..self.position };
                let step_of = self.settings.step(at, steps as u32);
                Batch::to_train(step * batch, rows(step), smoothing, &recipe.optimizer, step_of)
            });
            let seen = (first * batch, ((first + many) * batch).min(len));
            let whole = Batch::to_evaluate(seen.0, seen.1 - seen.0);
            write_batches(&self.gpu, &self.train, first, batches.chain([whole]));
            self.traffic.written_bytes += batch_offset(many + 1);
            let runs: Vec<_> = (first..first + many).map(|step| (step, rows(step))).collect();
            self.stale = true;
            let (loss, right) = self.submit(&self.train, &runs, true)?;
            self.traffic.steps += many as u64;
            self.traffic.submissions += 1;
            self.traffic.metrics_bytes += 8;
            self.position.step += many as u32;
            self.position.loss_sum += f64::from(loss);
            self.position.right += right as u64;
            let at = Position { step: self.position.step - 1, ..self.position };
            let learning_rate = self.settings.step(at, steps as u32).learning_rate;
            let progress = Progress {
                position: self.position,
                steps: steps as u32,
                samples: seen.1 as u64,
                learning_rate,
            };
            if watch(self, progress).is_break() && (self.position.step as usize) < steps {
                return Ok(None);
            }
        }
        let Position { epoch, loss_sum, right, .. } = self.position;
        self.position = Position { epoch: epoch + 1, ..Position::default() };
        Ok(Some(Summary::new(len as u64, loss_sum, right)))
    }

    /// Runs the network, as it stands, over `set`, which [`upload`](GpuTrainer::upload) gave. Reads 8 bytes back.
    ///
    /// # Errors
    /// Those of the device.
    pub fn evaluate(&mut self, set: &Dataset) -> Result<Summary, Error> {
        let steps = set.len.div_ceil(self.capacity);
        let runs: Vec<_> =
            (0..steps).map(|k| (k, self.capacity.min(set.len - k * self.capacity))).collect();
        let (loss, right) = self.submit(set, &runs, false)?;
        self.traffic.metrics_bytes += 8;
        Ok(Summary::new(set.len as u64, f64::from(loss), right as u64))
    }

    /// Runs steps, each the number of its batch and its rows, and adds up their metrics. The batch after the
    /// last one spans them all.
    fn submit(
        &self,
        set: &Dataset,
        runs: &[(usize, usize)],
        trains: bool,
    ) -> Result<(f32, f32), Error> {
        let Some(&(last, _)) = runs.last() else { return Ok((0.0, 0.0)) };
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        let offset = |step: usize| [batch_offset(step) as u32];
        for &(step, rows) in runs {
            pass.set_bind_group(0, &set.batch_group, &offset(step));
            let ahead = [&set.gather].into_iter().chain(&self.forward).chain([&set.loss]);
            let back = if trains { self.backward.as_slice() } else { &[] };
            ahead.chain(back).for_each(|kernel| kernel.encode(&mut pass, rows as u32));
        }
        pass.set_bind_group(0, &set.batch_group, &offset(last + 1));
        set.add_up.encode(&mut pass, 1);
        drop(pass);
        match self.gpu.read(encoder, &[(&set.totals, 8)])?.first().map(Vec::as_slice) {
            Some(&[loss, right]) => Ok((loss, right)),
            _ => Err(Error::defect("no metrics came back")),
        }
    }
}

fn dataset<M: Model<Loss: GpuLoss>>(
    gpu: &Gpu,
    plan: &Plan,
    samples: &(impl Resident<Input<M>, Target<M>> + ?Sized),
    steps: usize,
    [x, y, dy]: [&wgpu::Buffer; 3],
) -> Result<Dataset, Error> {
    let (inputs, targets) = (samples.inputs(), samples.targets());
    let len = targets.count(plan.outputs());
    let scale = match inputs {
        Inputs::Bytes { scale, .. } => Some(scale),
        Inputs::Floats(_) => None,
    };
    if matches!(targets, Targets::Classes(_)) != M::Loss::CLASSES
        || inputs.len() != len * plan.inputs()
    {
        return Err(Error::defect("the dataset does not fit the model"));
    }
    let source = gpu.filled("the dataset", &inputs.words())?;
    let targets = gpu.filled("the dataset", &targets.words())?;
    let order = gpu.storage("the dataset", 4 * len as u64)?;
    let metrics = gpu.storage("the dataset", 8 * len as u64)?;
    let totals = gpu.storage("the dataset", 8)?;
    let batches = gpu.batches(steps + 1)?;
    let builder = Builder::new(gpu);
    Ok(Dataset {
        len,
        gather: builder.gather(plan.inputs(), scale, &source, &order, x),
        loss: builder.loss(plan.outputs(), M::Loss::CLASSES, [y, &targets, &order, dy, &metrics]),
        add_up: builder.totals(&metrics, &totals),
        batch_group: builder.batches(&batches),
        order,
        totals,
        batches,
    })
}

/// Writes batches to the entries from `first` on.
fn write_batches(gpu: &Gpu, set: &Dataset, first: usize, batches: impl Iterator<Item = Batch>) {
    let mut bytes = Vec::new();
    for (k, batch) in batches.enumerate() {
        bytes.resize(batch_offset(k) as usize, 0);
        bytes.extend(batch.bytes());
    }
    gpu.queue.write_buffer(&set.batches, batch_offset(first), &bytes);
}
