//! Kernels as pipelines: WGSL, with the sizes that the model's type gives as constants.
//!
//! `product.wgsl` is the three products of a dense layer, with bias and nonlinearity where they are written;
//! `registers.wgsl`, `tile_16.wgsl` and `tile_64.wgsl` are three ways of taking one. The other files are one
//! kernel each. Groups of bindings: 0 is the [`Batch`](crate::batch::Batch), 1 the buffers in the order of the file.

use crate::batch::{BATCH_BYTES, Rule};
use crate::plan::{Activation, DenseLayer};
use crate::tiling::{Slices, Tiling};
use crate::{Error, Gpu};
use motenet::AnyOptimizer;
use wgpu::{BindingType, BufferBindingType, ShaderStages};

/// Constants of a pipeline.
type Constants<'a> = Vec<(&'a str, f64)>;

/// Workgroups along one axis.
#[derive(Clone, Copy, Debug)]
enum Extent {
    Fixed(u32),
    /// One for each so many rows of the batch.
    Rows(u32),
}

impl Extent {
    fn groups(self, rows: u32) -> u32 {
        match self {
            Extent::Fixed(groups) => groups,
            Extent::Rows(each) => rows.div_ceil(each),
        }
    }
}

/// A buffer as a kernel sees it.
#[derive(Clone, Copy)]
enum Use<'a> {
    Read(&'a wgpu::Buffer),
    Write(&'a wgpu::Buffer),
}
use Use::{Read, Write};

/// A kernel with its buffers, ready to run on any batch.
#[derive(Debug)]
pub(crate) struct Dispatch {
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    groups: [Extent; 3],
}

impl Dispatch {
    /// Adds a run on `rows` rows to `pass`, in which group 0 has been set.
    pub(crate) fn encode(&self, pass: &mut wgpu::ComputePass<'_>, rows: u32) {
        let [x, y, z] = self.groups.map(|extent| extent.groups(rows));
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(1, &self.bindings, &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}

/// The products of a dense layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// `y = f(b + x·W)`
    Forward,
    /// `dx = f′(x)·dy·Wᵀ`
    Back,
    /// `dW = xᵀ·dy`, `db = Σ dy`
    Gradient,
}

impl Product {
    /// All three.
    pub const ALL: [Product; 3] = [Product::Forward, Product::Back, Product::Gradient];
}

/// The buffers of a product: `A`, `B`, what else is read, and `C`.
pub(crate) struct Operands<'a> {
    pub(crate) a: &'a wgpu::Buffer,
    pub(crate) b: &'a wgpu::Buffer,
    pub(crate) more: &'a wgpu::Buffer,
    pub(crate) c: &'a wgpu::Buffer,
}

/// Makes kernels for one device.
pub(crate) struct Builder<'a> {
    gpu: &'a Gpu,
    batch_layout: wgpu::BindGroupLayout,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(gpu: &'a Gpu) -> Self {
        let entry = wgpu::BindGroupLayoutEntry {
            binding: 0,
            visibility: ShaderStages::COMPUTE,
            ty: BindingType::Buffer {
                ty: BufferBindingType::Uniform,
                has_dynamic_offset: true,
                min_binding_size: wgpu::BufferSize::new(BATCH_BYTES),
            },
            count: None,
        };
        let layout = wgpu::BindGroupLayoutDescriptor { label: Some("batch"), entries: &[entry] };
        Builder { gpu, batch_layout: gpu.device.create_bind_group_layout(&layout) }
    }

    /// Group 0: `batches`, one of which a dynamic offset picks.
    pub(crate) fn batches(&self, batches: &wgpu::Buffer) -> wgpu::BindGroup {
        let size = wgpu::BufferSize::new(BATCH_BYTES);
        let binding = wgpu::BufferBinding { buffer: batches, offset: 0, size };
        self.gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("batch"),
            layout: &self.batch_layout,
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::Buffer(binding),
            }],
        })
    }

    fn dispatch(
        &self,
        name: &'static str,
        source: &str,
        constants: Constants<'_>,
        uses: &[Use<'_>],
        groups: [Extent; 3],
    ) -> Dispatch {
        let device = &self.gpu.device;
        let label = Some(name);
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label,
            source: wgpu::ShaderSource::Wgsl(
                [include_str!("kernels/batch.wgsl"), source].concat().into(),
            ),
        });
        let layouts: Vec<_> = (0..)
            .zip(uses)
            .map(|(binding, usage)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: ShaderStages::COMPUTE,
                ty: BindingType::Buffer {
                    ty: BufferBindingType::Storage { read_only: matches!(usage, Read(_)) },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label,
            entries: &layouts,
        });
        let entries: Vec<_> = (0..)
            .zip(uses)
            .map(|(binding, &(Read(buffer) | Write(buffer)))| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label,
            layout: &layout,
            entries: &entries,
        });
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&self.batch_layout), Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&layout),
            module: &module,
            entry_point: None,
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                // Every kernel writes what it shares before it reads it.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        Dispatch { pipeline, bindings, groups }
    }

    /// `product` of `layer`, for batches of up to `rows` rows; `before` is the nonlinearity in front of the
    /// layer, `count` the parameters of the whole model.
    pub(crate) fn product(
        &self,
        product: Product,
        tiling: Tiling,
        layer: &DenseLayer,
        before: Activation,
        (count, slices): (usize, Slices),
        operands: &Operands<'_>,
    ) -> Dispatch {
        let &DenseLayer { inputs, outputs, bias, activation, at } = layer;
        let of_back = product == Product::Back;
        // Strides of A and B, each along its row and its column.
        let [rows, columns, inner, a_row, a_inner, b_inner, b_column] = match product {
            Product::Forward => [0, outputs, inputs, inputs, 1, outputs, 1],
            Product::Back => [0, inputs, outputs, outputs, 1, 1, outputs],
            Product::Gradient => [inputs + usize::from(bias), outputs, 0, 1, inputs, outputs, 1],
        };
        let activation = match product {
            Product::Forward => activation,
            Product::Back => before,
            Product::Gradient => Activation::None,
        };
        let weights = if product == Product::Gradient { 0 } else { at };
        let [across, down] = tiling.sums(columns);
        let mut constants: Constants<'_> = [
            ("KIND", product as usize),
            ("ROWS", rows),
            ("COLUMNS", columns),
            ("INNER", inner),
            ("A_ROW", a_row),
            ("A_INNER", a_inner),
            ("B_INNER", b_inner),
            ("B_COLUMN", b_column),
            ("B_AT", weights),
            ("BIAS_AT", at + inputs * outputs),
            ("HAS_BIAS", usize::from(bias && !of_back)),
            ("C_AT", at),
            ("C_SLICE", count),
            ("SLICE", slices.samples),
            ("ACTIVATION", activation as usize),
        ]
        .map(|(name, value)| (name, value as f64))
        .into();
        if tiling == Tiling::Tile64 {
            constants.extend([("ACROSS", (across / 4) as f64), ("DOWN", (down / 4) as f64)]);
        }
        let fixed = |sums: usize, each: usize| Extent::Fixed(sums.div_ceil(each) as u32);
        let groups = match product {
            Product::Gradient => {
                [fixed(columns, across), fixed(rows, down), Extent::Fixed(slices.count as u32)]
            }
            _ => [fixed(columns, across), Extent::Rows(down as u32), Extent::Fixed(1)],
        };
        let source = [include_str!("kernels/product.wgsl"), tiling.source()].concat();
        let &Operands { a, b, more, c } = operands;
        self.dispatch(
            "product",
            &source,
            constants,
            &[Read(a), Read(b), Read(more), Write(c)],
            groups,
        )
    }

    /// `x[n]` from the samples that `order` names; `scale` if they are bytes.
    pub(crate) fn gather(
        &self,
        width: usize,
        scale: Option<f32>,
        source: &wgpu::Buffer,
        order: &wgpu::Buffer,
        x: &wgpu::Buffer,
    ) -> Dispatch {
        let constants = vec![
            ("WIDTH", width as f64),
            ("BYTES", f64::from(u8::from(scale.is_some()))),
            ("SCALE", f64::from(scale.unwrap_or(1.0))),
        ];
        let across = Extent::Fixed(width.div_ceil(64) as u32);
        let groups = [across, Extent::Rows(1), Extent::Fixed(1)];
        let uses = [Read(source), Read(order), Write(x)];
        self.dispatch("gather", include_str!("kernels/gather.wgsl"), constants, &uses, groups)
    }

    /// The loss of each sample and its gradient.
    pub(crate) fn loss(
        &self,
        width: usize,
        classes: bool,
        [y, targets, order, dy, metrics]: [&wgpu::Buffer; 5],
    ) -> Dispatch {
        let constants = vec![
            ("WIDTH", width as f64),
            ("CLASSES", f64::from(u8::from(classes))),
            ("NEAR", f64::from(motenet_models::rectangles::NEAR)),
        ];
        let groups = [Extent::Rows(64), Extent::Fixed(1), Extent::Fixed(1)];
        let uses = [Read(y), Read(targets), Read(order), Write(dy), Write(metrics)];
        self.dispatch("loss", include_str!("kernels/loss.wgsl"), constants, &uses, groups)
    }

    /// The sums of the metrics of a batch.
    pub(crate) fn totals(&self, metrics: &wgpu::Buffer, totals: &wgpu::Buffer) -> Dispatch {
        let uses = [Read(metrics), Write(totals)];
        self.dispatch(
            "totals",
            include_str!("kernels/totals.wgsl"),
            vec![],
            &uses,
            [Extent::Fixed(1); 3],
        )
    }

    /// Nothing but multiply-adds.
    pub(crate) fn multiply_adds(&self, groups: u32, out: &wgpu::Buffer) -> Dispatch {
        let source = include_str!("kernels/multiply_adds.wgsl");
        let groups = [Extent::Fixed(groups), Extent::Fixed(1), Extent::Fixed(1)];
        self.dispatch("multiply_adds", source, vec![], &[Write(out)], groups)
    }

    /// The square of the gradient's norm.
    pub(crate) fn norm(
        &self,
        count: usize,
        slices: usize,
        parts: &wgpu::Buffer,
        square: &wgpu::Buffer,
    ) -> Dispatch {
        let constants = vec![("COUNT", count as f64), ("SLICES", slices as f64)];
        let uses = [Read(parts), Write(square)];
        self.dispatch(
            "norm",
            include_str!("kernels/norm.wgsl"),
            constants,
            &uses,
            [Extent::Fixed(1); 3],
        )
    }

    /// A step of `optimizer`.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if there are more parameters than one dispatch reaches.
    pub(crate) fn update(
        &self,
        (count, slices): (usize, usize),
        optimizer: &AnyOptimizer,
        clip_norm: f32,
        [parts, square, w, m, v]: [&wgpu::Buffer; 5],
    ) -> Result<Dispatch, Error> {
        let groups = count.div_ceil(256) as u64;
        let limit = u64::from(self.gpu.device.limits().max_compute_workgroups_per_dimension);
        if groups > limit {
            let (found, limit) = (count as u64, 256 * limit);
            let (what, advice) = ("the model", "train with --device cpu");
            return Err(Error::TooLarge { what, found, limit, unit: "parameters", advice });
        }
        let rule = Rule::of(optimizer);
        let constants = vec![
            ("COUNT", count as f64),
            ("SLICES", slices as f64),
            ("RULE", f64::from(rule.kind)),
            ("PENALTY", f64::from(rule.penalty)),
            ("MU", f64::from(rule.mu)),
            ("BETA_1", f64::from(rule.beta_1)),
            ("BETA_2", f64::from(rule.beta_2)),
            ("EPSILON", f64::from(rule.epsilon)),
            ("CLIP", f64::from(clip_norm)),
        ];
        let uses = [Read(parts), Read(square), Write(w), Write(m), Write(v)];
        let groups = [Extent::Fixed(groups as u32), Extent::Fixed(1), Extent::Fixed(1)];
        Ok(self.dispatch("update", include_str!("kernels/update.wgsl"), constants, &uses, groups))
    }
}
