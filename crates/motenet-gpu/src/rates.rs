//! What a device does at best, and what the kernels make of it: for the bench.
//!
//! Times are wall-clock times of one submission of many runs, waited for; the first submission is not timed.

use crate::batch::Batch;
use crate::kernels::{Builder, Dispatch, Operands, Product};
use crate::plan::{Activation, DenseLayer};
use crate::tiling::{Slices, Tiling};
use crate::{Error, Gpu};
use motenet::random;
use std::time::{Duration, Instant};

/// A timing is repeated until it has taken this long.
const MOMENT: Duration = Duration::from_millis(100);

/// The speed of a kernel, and how far off its results are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Floating-point operations a second, a multiply-add counting two.
    pub flops: f64,
    /// The largest error among some elements, against sums in `f64`, over the largest of those sums.
    pub error: f64,
}

/// Bytes a second of a copy within the device's memory, those read and those written both counted.
///
/// # Errors
/// Those of the device.
pub fn copy(gpu: &Gpu) -> Result<f64, Error> {
    let bytes: u64 = if gpu.is_software() { 16 << 20 } else { 120 << 20 };
    let (from, to) = (gpu.storage("a copy", bytes)?, gpu.storage("a copy", bytes)?);
    let seconds = time(gpu, |encoder, runs| {
        for _ in 0..runs {
            encoder.copy_buffer_to_buffer(&from, 0, &to, 0, bytes);
        }
    })?;
    Ok(2.0 * bytes as f64 / seconds)
}

/// Floating-point operations a second of multiply-adds in registers.
///
/// # Errors
/// Those of the device.
pub fn multiply_adds(gpu: &Gpu) -> Result<f64, Error> {
    let groups = if gpu.is_software() { 16 } else { 16 * 1024 };
    let builder = Builder::new(gpu);
    let out = gpu.storage("a measurement", 4 * 64 * groups)?;
    let kernel = builder.multiply_adds(groups as u32, &out);
    let seconds = time_kernel(gpu, &builder, &kernel, Batch::to_evaluate(0, 1))?;
    // Four vectors of four chains, 256 steps of four.
    Ok((groups * 64 * 2 * 16 * 1024) as f64 / seconds)
}

/// The speed of one product of a layer on batches of `rows`.
///
/// # Errors
/// Those of the device.
pub fn product(
    gpu: &Gpu,
    product: Product,
    tiling: Tiling,
    [inputs, outputs]: [usize; 2],
    rows: usize,
) -> Result<Speed, Error> {
    let layer = DenseLayer { inputs, outputs, bias: true, activation: Activation::None, at: 0 };
    let count = (inputs + 1) * outputs;
    let numbers = |seed, count: usize| {
        let mut rng = random::generator(seed);
        (0..count).map(|_| random::normal(&mut rng)).collect::<Vec<f32>>()
    };
    let (x, dy, w) = (numbers(1, rows * inputs), numbers(2, rows * outputs), numbers(3, count));
    let upload = |values: &[f32]| gpu.filled("a product", values);
    let (on_x, on_dy, on_w) = (upload(&x)?, upload(&dy)?, upload(&w)?);
    let (a, b, length) = match product {
        Product::Forward => (&on_x, &on_w, rows * outputs),
        Product::Back => (&on_dy, &on_w, rows * inputs),
        Product::Gradient => (&on_x, &on_dy, count),
    };
    let slices = match product {
        Product::Gradient if !gpu.is_software() => Slices::of(gpu, &[layer], rows),
        _ => Slices { count: 1, samples: rows },
    };
    let c = gpu.storage("a product", 4 * (length * slices.count) as u64)?;
    let builder = Builder::new(gpu);
    let more = if product == Product::Forward { &on_w } else { &on_x };
    let operands = Operands { a, b, more, c: &c };
    let none = Activation::None;
    let kernel = builder.product(product, tiling, &layer, none, (count, slices), &operands);
    let seconds = time_kernel(gpu, &builder, &kernel, Batch::to_evaluate(0, rows))?;

    let encoder = gpu.device.create_command_encoder(&Default::default());
    let found = gpu.read(encoder, &[(&c, 4 * (length * slices.count) as u64)])?.remove(0);
    let at = |values: &[f32], index: usize| f64::from(values[index]);
    let element = |index: usize| -> f64 {
        match product {
            Product::Forward => {
                let (n, o) = (index / outputs, index % outputs);
                let sum = |i: usize| at(&x, n * inputs + i) * at(&w, i * outputs + o);
                at(&w, inputs * outputs + o) + (0..inputs).map(sum).sum::<f64>()
            }
            Product::Back => {
                let (n, i) = (index / inputs, index % inputs);
                (0..outputs).map(|o| at(&dy, n * outputs + o) * at(&w, i * outputs + o)).sum()
            }
            Product::Gradient => {
                let (i, o) = (index / outputs, index % outputs);
                let x = |n: usize| if i < inputs { at(&x, n * inputs + i) } else { 1.0 };
                (0..rows).map(|n| x(n) * at(&dy, n * outputs + o)).sum()
            }
        }
    };
    let (mut error, mut largest) = (0.0f64, 0.0f64);
    for index in (0..length).step_by((length / 97).max(1)) {
        let expected = element(index);
        let sum: f64 = (0..slices.count).map(|slice| at(&found, slice * length + index)).sum();
        largest = largest.max(expected.abs());
        // A maximum would lose a NaN.
        let off = (sum - expected).abs();
        error = if off <= error { error } else { off };
    }
    let flops = 2.0 * (rows * inputs * outputs) as f64 / seconds;
    Ok(Speed { flops, error: error / largest.max(f64::MIN_POSITIVE) })
}

fn time_kernel(
    gpu: &Gpu,
    builder: &Builder<'_>,
    kernel: &Dispatch,
    batch: Batch,
) -> Result<f64, Error> {
    let batches = gpu.batches(1)?;
    gpu.queue.write_buffer(&batches, 0, &batch.bytes());
    let group = builder.batches(&batches);
    time(gpu, |encoder, runs| {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_bind_group(0, &group, &[0]);
        for _ in 0..runs {
            kernel.encode(&mut pass, batch.rows);
        }
    })
}

/// Seconds of one run: submissions of ever more runs, until one takes a moment.
fn time(gpu: &Gpu, mut encode: impl FnMut(&mut wgpu::CommandEncoder, u32)) -> Result<f64, Error> {
    let mut runs = 1;
    let mut warm = false;
    loop {
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        encode(&mut encoder, runs);
        let start = Instant::now();
        gpu.read(encoder, &[])?;
        let taken = start.elapsed();
        if warm && (taken >= MOMENT || runs >= 1 << 14) {
            return Ok(taken.as_secs_f64() / f64::from(runs));
        }
        if warm {
            runs *= 2;
        }
        warm = true;
    }
}
