//! The same training through CUDA: products by cuBLAS, the rest by kernels compiled when a run starts.
//!
//! A ceiling to compare the WGSL kernels with on NVIDIA cards, and nothing more: digits and softmax with
//! cross-entropy only, no clipping, no checkpoints. The libraries are looked for at run time, so this builds
//! without CUDA. It has been built and never run where this was written: there was no such card.
#![allow(unsafe_code, reason = "launching a kernel and calling cuBLAS are unsafe")]

use crate::Error;
use crate::batch::{Batch, Rule};
use crate::data::{Inputs, Resident, Targets};
use crate::plan::{DenseLayer, GpuLoss, Plan};
use cudarc::cublas::sys::cublasOperation_t::{
    self as Operation, CUBLAS_OP_N as N, CUBLAS_OP_T as T,
};
use cudarc::cublas::{CudaBlas, Gemm, GemmConfig};
use cudarc::driver::{
    CudaContext, CudaFunction, CudaSlice, CudaStream, CudaView, CudaViewMut, DeviceRepr,
    DriverError, LaunchConfig, PushKernelArg,
};
use motenet::Params;
use motenet_models::{Input, Model, Target};
use motenet_train::{Position, Settings, Summary, Trainer};
use std::sync::Arc;

// SAFETY: `repr(C)` structs of numbers, laid out as in `cuda.cu`.
unsafe impl DeviceRepr for Batch {}
// SAFETY: as above.
unsafe impl DeviceRepr for Rule {}

fn failed(error: impl std::fmt::Debug) -> Error {
    let reason = format!("{error:?}");
    match reason.contains("OUT_OF_MEMORY") {
        true => Error::OutOfMemory,
        false => Error::defect(format!("CUDA: {reason}")),
    }
}

/// A CUDA device.
pub struct Cuda {
    stream: Arc<CudaStream>,
    name: String,
}

impl Cuda {
    /// Opens the first device.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] names the library or the device that is missing.
    pub fn open() -> Result<Self, Error> {
        // SAFETY: these only try to load libraries, as the driver's own programs do.
        let present = unsafe {
            [
                ("libcuda", cudarc::driver::sys::is_culib_present()),
                ("libcublas", cudarc::cublas::sys::is_culib_present()),
                ("libnvrtc", cudarc::nvrtc::sys::is_culib_present()),
            ]
        };
        if let Some((library, _)) = present.iter().find(|(_, present)| !present) {
            return Err(Error::NoAdapter {
                reason: format!("CUDA needs {library}, which is not installed"),
            });
        }
        let context = CudaContext::new(0).map_err(|error| Error::NoAdapter {
            reason: Error::line(&format!("CUDA says {error:?}")),
        })?;
        let name = context.name().map_err(failed)?;
        Ok(Cuda { stream: context.new_stream().map_err(failed)?, name })
    }

    /// What the device calls itself: `NVIDIA H100 (CUDA)`.
    pub fn name(&self) -> String {
        format!("{} (CUDA)", self.name)
    }
}

/// The kernels of `cuda.cu`.
struct Kernels {
    gather: CudaFunction,
    activate: CudaFunction,
    slope: CudaFunction,
    loss: CudaFunction,
    totals: CudaFunction,
    update: CudaFunction,
}

/// A model in training on a CUDA device.
pub struct CudaTrainer<M: Model> {
    stream: Arc<CudaStream>,
    blas: CudaBlas,
    kernels: Kernels,
    plan: Plan,
    settings: Settings,
    position: Position,
    mirror: Trainer<M>,
    len: usize,
    scale: f32,
    rule: Rule,
    weights: CudaSlice<f32>,
    grad: CudaSlice<f32>,
    moments: [CudaSlice<f32>; 2],
    images: CudaSlice<u8>,
    labels: CudaSlice<u32>,
    order: CudaSlice<u32>,
    metrics: CudaSlice<f32>,
    total: CudaSlice<f32>,
    ones: CudaSlice<f32>,
    x: CudaSlice<f32>,
    acts: Vec<CudaSlice<f32>>,
    d_acts: Vec<CudaSlice<f32>>,
}

fn threads(count: usize) -> LaunchConfig {
    LaunchConfig {
        grid_dim: ((count as u32).div_ceil(256), 1, 1),
        block_dim: (256, 1, 1),
        shared_mem_bytes: 0,
    }
}

/// Where the weights of `layer` lie among the parameters, and where its bias does.
fn places(layer: &DenseLayer) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let bias = layer.at + layer.inputs * layer.outputs;
    (layer.at..bias, bias..bias + if layer.bias { layer.outputs } else { 0 })
}

impl<M: Model<Loss: GpuLoss>> CudaTrainer<M> {
    /// Goes on on `cuda` from where `trainer` stands, with `samples` as the training set.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; [`Error::Refused`] for what this back end leaves out; [`Error::OutOfMemory`].
    pub fn new(
        cuda: &Cuda,
        trainer: Trainer<M>,
        samples: &(impl Resident<Input<M>, Target<M>> + ?Sized),
    ) -> Result<Self, Error> {
        let plan = Plan::of::<M::Network>()?;
        let settings = *trainer.settings();
        let refused = |reason: &str| Error::Refused { name: cuda.name(), reason: reason.into() };
        let (Inputs::Bytes { data, scale }, Targets::Classes(classes)) =
            (samples.inputs(), samples.targets())
        else {
            return Err(refused("this back end learns classes of bytes only"));
        };
        if settings.recipe.clip_norm > 0.0 || !M::Loss::CLASSES {
            return Err(refused("this back end neither clips gradients nor learns numbers"));
        }
        let stream = cuda.stream.clone();
        let program =
            cudarc::nvrtc::compile_ptx(include_str!("kernels/cuda.cu")).map_err(failed)?;
        let module = stream.context().load_module(program).map_err(failed)?;
        let function = |name| module.load_function(name).map_err(failed);
        let kernels = Kernels {
            gather: function("gather")?,
            activate: function("activate")?,
            slope: function("slope")?,
            loss: function("loss")?,
            totals: function("totals")?,
            update: function("update")?,
        };
        let batch = (settings.recipe.batch_size.max(1) as usize).min(classes.len().max(1));
        let zeros = |count: usize| stream.alloc_zeros::<f32>(count.max(1)).map_err(failed);
        let upload = |values: &[f32]| stream.clone_htod(values).map_err(failed);
        let mut moments = [zeros(plan.count)?, zeros(plan.count)?];
        for (moment, saved) in moments.iter_mut().zip(trainer.moments()) {
            stream.memcpy_htod(saved, moment).map_err(failed)?;
        }
        let labels: Vec<u32> = classes.iter().map(|&label| u32::from(label)).collect();
        let of_layers = || {
            plan.layers.iter().map(|layer| zeros(batch * layer.outputs)).collect::<Result<_, _>>()
        };
        Ok(CudaTrainer {
            blas: CudaBlas::new(stream.clone()).map_err(failed)?,
            kernels,
            settings,
            position: trainer.position(),
            len: classes.len(),
            scale,
            rule: Rule::of(&settings.recipe.optimizer),
            weights: upload(trainer.network().flat())?,
            grad: zeros(plan.count)?,
            moments,
            images: stream.clone_htod(data).map_err(failed)?,
            labels: stream.clone_htod(&labels).map_err(failed)?,
            order: stream.alloc_zeros(classes.len().max(1)).map_err(failed)?,
            metrics: zeros(2 * classes.len())?,
            total: zeros(2)?,
            ones: upload(&vec![1.0; batch])?,
            x: zeros(batch * plan.inputs())?,
            acts: of_layers()?,
            d_acts: of_layers()?,
            mirror: trainer,
            plan,
            stream,
        })
    }

    /// Trains an epoch; 8 bytes come back.
    ///
    /// # Errors
    /// Those of the device.
    pub fn train_epoch(&mut self) -> Result<Summary, Error> {
        let recipe = self.settings.recipe;
        let batch = recipe.batch_size.max(1) as usize;
        let steps = self.len.div_ceil(batch);
        let order = self.settings.order(self.position.epoch, self.len);
        self.stream.memcpy_htod(&order, &mut self.order).map_err(failed)?;
        let smoothing = M::loss(recipe.label_smoothing).smoothing();
        for step in 0..steps {
            let at = Position { step: step as u32, ..self.position };
            let rows = batch.min(self.len - step * batch);
            let step_of = self.settings.step(at, steps as u32);
            self.step(Batch::to_train(step * batch, rows, smoothing, &recipe.optimizer, step_of))?;
        }
        let whole = Batch::to_evaluate(0, self.len);
        let one = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (256, 1, 1), shared_mem_bytes: 0 };
        let mut launch = self.stream.launch_builder(&self.kernels.totals);
        launch.arg(&whole).arg(&self.metrics).arg(&mut self.total);
        // SAFETY: `metrics` has two numbers for each of `whole`'s rows, `total` has two.
        unsafe { launch.launch(one) }.map_err(failed)?;
        let total = self.stream.clone_dtoh(&self.total).map_err(failed)?;
        self.stream.synchronize().map_err(failed)?;
        self.position = Position { epoch: self.position.epoch + 1, ..Position::default() };
        let count = self.len.max(1) as f64;
        Ok(Summary {
            samples: self.len as u64,
            loss: f64::from(total[0]) / count,
            accuracy: f64::from(total[1]) / count,
        })
    }

    /// The run on the CPU, as it stands.
    ///
    /// # Errors
    /// Those of the device.
    pub fn into_trainer(mut self) -> Result<Trainer<M>, Error> {
        let weights = self.stream.clone_dtoh(&self.weights).map_err(failed)?;
        let kept = self.mirror.moments().count();
        let moments = self.moments[..kept].iter().map(|moment| self.stream.clone_dtoh(moment));
        let moments = moments.collect::<Result<Vec<_>, DriverError>>().map_err(failed)?;
        match self.mirror.restore(self.position, &weights, &moments) {
            true => Ok(self.mirror),
            false => Err(Error::defect("what was read back does not fit")),
        }
    }

    // Every launch below: a thread for each number of the batch's rows, and threads past them do nothing; the
    // buffers have room for the largest batch.
    fn step(&mut self, batch: Batch) -> Result<(), Error> {
        let rows = batch.rows as usize;
        let (stream, kernels) = (&self.stream, &self.kernels);
        let width = self.plan.inputs() as u32;
        let mut launch = stream.launch_builder(&kernels.gather);
        launch
            .arg(&batch)
            .arg(&width)
            .arg(&self.scale)
            .arg(&self.images)
            .arg(&self.order)
            .arg(&mut self.x);
        // SAFETY: as said above.
        unsafe { launch.launch(threads(rows * width as usize)) }.map_err(failed)?;

        for (k, layer) in self.plan.layers.iter().enumerate() {
            let (before, after) = self.acts.split_at_mut(k);
            let (x, y) = (before.last().unwrap_or(&self.x), &mut after[0]);
            let (weights, bias) = places(layer);
            let w = self.weights.slice(weights);
            // Row-major products are the transposed ones of what cuBLAS, which stores columns, computes.
            let sizes = [layer.outputs, rows, layer.inputs];
            product(
                &self.blas,
                [N, N],
                sizes,
                (&w, layer.outputs),
                (&x.as_view(), layer.inputs),
                y.as_view_mut(),
            )?;
            let (width, kind, has_bias) =
                (layer.outputs as u32, layer.activation as u32, u32::from(layer.bias));
            let bias = if layer.bias { self.weights.slice(bias) } else { self.weights.as_view() };
            let mut launch = stream.launch_builder(&kernels.activate);
            launch.arg(&batch).arg(&width).arg(&kind).arg(&has_bias).arg(&bias).arg(y);
            // SAFETY: as said above.
            unsafe { launch.launch(threads(rows * layer.outputs)) }.map_err(failed)?;
        }

        let last = self.plan.layers.len() - 1;
        let width = self.plan.outputs() as u32;
        let mut launch = stream.launch_builder(&kernels.loss);
        launch.arg(&batch).arg(&width).arg(&self.acts[last]).arg(&self.labels).arg(&self.order);
        launch.arg(&mut self.d_acts[last]).arg(&mut self.metrics);
        // SAFETY: as said above.
        unsafe { launch.launch(threads(rows)) }.map_err(failed)?;

        for (k, layer) in self.plan.layers.iter().enumerate().rev() {
            let (before, after) = self.d_acts.split_at_mut(k);
            let dy = after[0].as_view();
            let x = if k == 0 { &self.x } else { &self.acts[k - 1] };
            let (inputs, outputs) = (layer.inputs, layer.outputs);
            let (weights, bias) = places(layer);
            let into = self.grad.slice_mut(weights.clone());
            product(
                &self.blas,
                [N, T],
                [outputs, inputs, rows],
                (&dy, outputs),
                (&x.as_view(), inputs),
                into,
            )?;
            if layer.bias {
                let into = self.grad.slice_mut(bias);
                let ones = self.ones.as_view();
                product(
                    &self.blas,
                    [N, N],
                    [outputs, 1, rows],
                    (&dy, outputs),
                    (&ones, rows),
                    into,
                )?;
            }
            let Some(dx) = before.last_mut() else { continue };
            let w = self.weights.slice(weights);
            product(
                &self.blas,
                [T, N],
                [inputs, rows, outputs],
                (&w, outputs),
                (&dy, outputs),
                dx.as_view_mut(),
            )?;
            let (width, kind) = (inputs as u32, self.plan.layers[k - 1].activation as u32);
            let mut launch = stream.launch_builder(&kernels.slope);
            launch.arg(&batch).arg(&width).arg(&kind).arg(x).arg(dx);
            // SAFETY: as said above.
            unsafe { launch.launch(threads(rows * inputs)) }.map_err(failed)?;
        }

        let count = self.plan.count as u32;
        let [m, v] = &mut self.moments;
        let mut launch = stream.launch_builder(&kernels.update);
        launch
            .arg(&batch)
            .arg(&self.rule)
            .arg(&count)
            .arg(&self.grad)
            .arg(&mut self.weights)
            .arg(m)
            .arg(v);
        // SAFETY: each of the five has `count` numbers.
        unsafe { launch.launch(threads(self.plan.count)) }.map_err(failed)?;
        Ok(())
    }
}

/// `C = op(A)·op(B)`, all stored by columns: `[rows of C, columns of C, terms]`, each factor with the length of
/// its stored columns.
fn product(
    blas: &CudaBlas,
    [transa, transb]: [Operation; 2],
    [m, n, k]: [usize; 3],
    (a, lda): (&CudaView<'_, f32>, usize),
    (b, ldb): (&CudaView<'_, f32>, usize),
    mut c: CudaViewMut<'_, f32>,
) -> Result<(), Error> {
    let [m, n, k, lda, ldb] = [m, n, k, lda, ldb].map(|size| size as i32);
    let config = GemmConfig { transa, transb, m, n, k, alpha: 1.0, lda, ldb, beta: 0.0, ldc: m };
    // SAFETY: the sizes are those of the layer and of a batch that the buffers have room for.
    unsafe { blas.gemm(config, a, b, &mut c) }.map_err(failed)
}
