//! One kernel at a time.

use super::{below, gpu, normal};
use crate::Gpu;
use crate::batch::Batch;
use crate::kernels::{Builder, Dispatch, Operands, Product};
use crate::plan::{Activation, DenseLayer};
use crate::tiling::{Slices, Tiling};
use motenet::{
    Adam, AnyOptimizer, Loss, MeanSquaredError, Optimizer, Sgd, Simd, SoftmaxCrossEntropy, Step,
};

/// Where no kernel has written.
const UNTOUCHED: f32 = -7777.0;

fn upload(gpu: &Gpu, values: &[f32]) -> wgpu::Buffer {
    gpu.filled("a test", values).unwrap()
}

fn words(gpu: &Gpu, words: &[u32]) -> wgpu::Buffer {
    gpu.filled("a test", words).unwrap()
}

/// Runs `kernel` on `batch` and reads `count` numbers of each of `buffers`.
fn run(
    gpu: &Gpu,
    kernel: &Dispatch,
    batch: Batch,
    buffers: &[(&wgpu::Buffer, usize)],
) -> Vec<Vec<f32>> {
    let batches = gpu.batches(2).unwrap();
    gpu.queue.write_buffer(&batches, 256, &batch.bytes());
    let group = Builder::new(gpu).batches(&batches);
    let mut encoder = gpu.device.create_command_encoder(&Default::default());
    let mut pass = encoder.begin_compute_pass(&Default::default());
    pass.set_bind_group(0, &group, &[256]);
    kernel.encode(&mut pass, batch.rows);
    drop(pass);
    let buffers: Vec<_> =
        buffers.iter().map(|&(buffer, count)| (buffer, 4 * count as u64)).collect();
    gpu.read(encoder, &buffers).unwrap()
}

/// The largest error, in units of what rounding `terms` products of size one may come to.
fn compare(found: &[f32], expected: &[f64], terms: usize, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    // Each of `terms` sums rounds by at most 2⁻²⁴ of a partial sum, which random signs keep near √terms;
    // four times that, and 10⁻⁵ more for the device's own `exp` and `tanh`.
    let tolerance = 4.0 * terms as f64 * (terms as f64).sqrt() * 2f64.powi(-24) + 1e-5;
    for (k, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(found) - expected).abs();
        assert!(error <= tolerance, "{what}: number {k} is {found}, expected {expected}");
    }
}

fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::None => x,
        Activation::Relu => x.max(0.0),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Tanh => x.tanh(),
    }
}

/// f′ at `y = f(x)`.
fn slope(activation: Activation, y: f64) -> f64 {
    match activation {
        Activation::None => 1.0,
        Activation::Relu => f64::from(u8::from(y > 0.0)),
        Activation::Sigmoid => y * (1.0 - y),
        Activation::Tanh => 1.0 - y * y,
    }
}

const ACTIVATIONS: [Activation; 4] =
    [Activation::None, Activation::Relu, Activation::Sigmoid, Activation::Tanh];

/// Sizes around those of the tiles, and the narrow ones: rows, inputs, outputs.
const SIZES: [(usize, usize, usize); 8] = [
    (1, 1, 1),
    (7, 17, 9),
    (64, 64, 10),
    (65, 33, 63),
    (3, 130, 66),
    (257, 19, 16),
    (33, 100, 17),
    (130, 15, 129),
];

#[test]
fn products_agree_with_plain_loops() {
    let Some(gpu) = gpu() else { return };
    let builder = Builder::new(&gpu);
    for (case, &(rows, inputs, outputs)) in SIZES.iter().enumerate() {
        for tiling in Tiling::ALL {
            let activation = ACTIVATIONS[case % 4];
            let bias = case % 3 != 1;
            // In the middle of a model, so that offsets matter.
            let layer = DenseLayer { inputs, outputs, bias, activation, at: 5 };
            let count = 5 + (inputs + usize::from(bias)) * outputs + 3;
            let parameters = normal(1, count);
            let (x, dy) = (normal(2, rows * inputs), normal(3, rows * outputs));
            let h: Vec<f32> = normal(4, rows * inputs)
                .iter()
                .map(|&x| activate(activation, f64::from(x)) as f32)
                .collect();
            let weight = |i: usize, o: usize| f64::from(parameters[5 + i * outputs + o]);
            let number = |values: &[f32], width: usize, row: usize, k: usize| {
                f64::from(values[row * width + k])
            };
            let what = |product: &str| {
                format!("{product} {rows}×{inputs}×{outputs}, {tiling:?}, {activation:?}")
            };

            let (on_x, on_dy, on_w) =
                (upload(&gpu, &x), upload(&gpu, &dy), upload(&gpu, &parameters));
            let on_h = upload(&gpu, &h);
            // Room for one row more, which no kernel may write.
            let untouched = |count: usize| upload(&gpu, &vec![UNTOUCHED; count]);
            let batch = Batch::to_evaluate(0, rows);
            let one = Slices { count: 1, samples: rows };

            let y = untouched((rows + 1) * outputs);
            let operands = Operands { a: &on_x, b: &on_w, more: &on_w, c: &y };
            let kernel = builder.product(
                Product::Forward,
                tiling,
                &layer,
                Activation::None,
                (count, one),
                &operands,
            );
            let found = &run(&gpu, &kernel, batch, &[(&y, (rows + 1) * outputs)])[0];
            let expected: Vec<f64> = (0..rows * outputs)
                .map(|at| {
                    let (n, o) = (at / outputs, at % outputs);
                    let start = if bias { weight(inputs, o) } else { 0.0 };
                    let sum =
                        (0..inputs).map(|i| number(&x, inputs, n, i) * weight(i, o)).sum::<f64>();
                    activate(activation, start + sum)
                })
                .collect();
            compare(&found[..rows * outputs], &expected, inputs + 1, &what("forward"));
            assert!(found[rows * outputs..].iter().all(|&y| y == UNTOUCHED), "{}", what("forward"));

            let dx = untouched((rows + 1) * inputs);
            let operands = Operands { a: &on_dy, b: &on_w, more: &on_h, c: &dx };
            let kernel =
                builder.product(Product::Back, tiling, &layer, activation, (count, one), &operands);
            let found = &run(&gpu, &kernel, batch, &[(&dx, (rows + 1) * inputs)])[0];
            let expected: Vec<f64> = (0..rows * inputs)
                .map(|at| {
                    let (n, i) = (at / inputs, at % inputs);
                    let sum = (0..outputs)
                        .map(|o| number(&dy, outputs, n, o) * weight(i, o))
                        .sum::<f64>();
                    sum * slope(activation, f64::from(h[at]))
                })
                .collect();
            compare(&found[..rows * inputs], &expected, outputs, &what("back"));
            assert!(found[rows * inputs..].iter().all(|&y| y == UNTOUCHED), "{}", what("back"));

            // Three slices, of which a short batch may leave some empty: they must hold zeros then.
            for slices in [1, 3] {
                let samples = (rows + 5).div_ceil(slices);
                let cut = Slices { count: slices, samples };
                let parts = untouched(slices * count);
                let operands = Operands { a: &on_x, b: &on_dy, more: &on_x, c: &parts };
                let kernel = builder.product(
                    Product::Gradient,
                    tiling,
                    &layer,
                    Activation::None,
                    (count, cut),
                    &operands,
                );
                let found = &run(&gpu, &kernel, batch, &[(&parts, slices * count)])[0];
                let sums: Vec<f32> = (5..count - 3)
                    .map(|at| (0..slices).map(|slice| found[slice * count + at]).sum())
                    .collect();
                let expected: Vec<f64> = (0..sums.len())
                    .map(|at| {
                        let (i, o) = (at / outputs, at % outputs);
                        let x = |n| if i < inputs { number(&x, inputs, n, i) } else { 1.0 };
                        (0..rows).map(|n| x(n) * number(&dy, outputs, n, o)).sum()
                    })
                    .collect();
                compare(&sums, &expected, rows, &what("gradient"));
                for at in (0..5).chain(count - 3..count) {
                    assert_eq!(found[at], UNTOUCHED, "{}", what("gradient"));
                }
            }
        }
    }
}

#[test]
fn losses_agree_with_the_core() {
    let Some(gpu) = gpu() else { return };
    let builder = Builder::new(&gpu);
    const ROWS: usize = 70;
    let order = below(1, ROWS + 2, 40);
    let on_order = words(&gpu, &order);
    let chosen = |n: usize| order[n + 2] as usize;
    let close = |found: f32, expected: f32, what: &str| {
        assert!(
            (found - expected).abs() <= 2e-6 * (1.0 + expected.abs()),
            "{what}: {found}, expected {expected}"
        );
    };
    let mut batch = Batch::to_evaluate(2, ROWS);

    // Classes, of which the last logits are far apart; the metrics begin where the batch does.
    let mut logits = normal(2, ROWS * 10);
    logits[ROWS * 10 - 10..]
        .copy_from_slice(&[90.0, -90.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    let labels = below(3, 40, 10);
    for smoothing in [0.0, 0.1] {
        batch.smoothing = smoothing;
        let (y, dy) = (upload(&gpu, &logits), upload(&gpu, &vec![UNTOUCHED; ROWS * 10]));
        let (targets, metrics) = (words(&gpu, &labels), upload(&gpu, &[UNTOUCHED; 2 * (ROWS + 2)]));
        let kernel = builder.loss(10, true, [&y, &targets, &on_order, &dy, &metrics]);
        let found = run(&gpu, &kernel, batch, &[(&dy, ROWS * 10), (&metrics, 2 * (ROWS + 2))]);
        let rows: &[[f32; 10]] = logits.as_chunks().0;
        let wanted: Vec<u8> = (0..ROWS).map(|n| labels[chosen(n)] as u8).collect();
        let (mut expected, mut losses) = (vec![[0.0; 10]; ROWS], vec![0.0; ROWS]);
        SoftmaxCrossEntropy { label_smoothing: smoothing }.gradient(
            Simd::baseline(),
            rows,
            &wanted,
            1.0 / ROWS as f32,
            &mut expected,
            &mut losses,
        );
        for (&found, &expected) in found[0].iter().zip(expected.as_flattened()) {
            close(found, expected, "dy of classes");
        }
        assert_eq!(found[1][..4], [UNTOUCHED; 4]);
        for n in 0..ROWS {
            close(found[1][2 * (n + 2)], losses[n], "loss of classes");
            let right = motenet::argmax(&rows[n]) == usize::from(wanted[n]);
            assert_eq!(found[1][2 * (n + 2) + 1], f32::from(u8::from(right)));
        }
    }

    let values = normal(4, 40 * 3);
    let mut outputs = normal(5, ROWS * 3);
    for k in 0..3 {
        outputs[k] = values[3 * chosen(0) + k] + 0.04; // near enough
        outputs[3 + k] = values[3 * chosen(1) + k] + 0.04 * (k as f32); // the last one is not
    }
    let (y, dy) = (upload(&gpu, &outputs), upload(&gpu, &[UNTOUCHED; ROWS * 3]));
    let (targets, metrics) = (upload(&gpu, &values), upload(&gpu, &[UNTOUCHED; 2 * (ROWS + 2)]));
    let kernel = builder.loss(3, false, [&y, &targets, &on_order, &dy, &metrics]);
    let found = run(&gpu, &kernel, batch, &[(&dy, ROWS * 3), (&metrics, 2 * (ROWS + 2))]);
    let rows: &[[f32; 3]] = outputs.as_chunks().0;
    let wanted: Vec<[f32; 3]> = (0..ROWS).map(|n| values.as_chunks().0[chosen(n)]).collect();
    let (mut expected, mut losses) = (vec![[0.0; 3]; ROWS], vec![0.0; ROWS]);
    MeanSquaredError.gradient(
        Simd::baseline(),
        rows,
        &wanted,
        1.0 / ROWS as f32,
        &mut expected,
        &mut losses,
    );
    for (&found, &expected) in found[0].iter().zip(expected.as_flattened()) {
        close(found, expected, "dy of values");
    }
    for n in 0..ROWS {
        close(found[1][2 * (n + 2)], losses[n], "loss of values");
    }
    assert_eq!([found[1][5], found[1][7]], [1.0, 0.0]);
}

#[test]
fn samples_are_gathered_in_order() {
    let Some(gpu) = gpu() else { return };
    let builder = Builder::new(&gpu);
    // 13 is no multiple of four, so samples begin inside a word.
    let (width, samples, rows) = (13, 21, 9);
    let bytes: Vec<u8> = below(1, samples * width, 256).iter().map(|&x| x as u8).collect();
    let floats = normal(2, samples * width);
    let order = below(3, rows + 4, samples as u32);
    let on_order = words(&gpu, &order);
    let batch = Batch::to_evaluate(4, rows);
    for scale in [Some(1.0 / 255.0), None] {
        let source = match scale {
            Some(scale) => words(&gpu, &crate::Inputs::Bytes { data: &bytes, scale }.words()),
            None => words(&gpu, &crate::Inputs::Floats(&floats).words()),
        };
        let x = upload(&gpu, &vec![UNTOUCHED; (rows + 1) * width]);
        let kernel = builder.gather(width, scale, &source, &on_order, &x);
        let found = &run(&gpu, &kernel, batch, &[(&x, (rows + 1) * width)])[0];
        for (n, row) in found.chunks(width).enumerate() {
            for (k, &found) in row.iter().enumerate() {
                let at = order.get(n + 4).map(|&sample| sample as usize * width + k);
                let expected = match (at, scale) {
                    (None, _) => UNTOUCHED,
                    (Some(at), Some(scale)) => f32::from(bytes[at]) * scale,
                    (Some(at), None) => floats[at],
                };
                assert_eq!(found, expected, "row {n}, number {k}, {scale:?}");
            }
        }
    }
}

#[test]
fn sums_and_norms_are_those_of_plain_loops() {
    let Some(gpu) = gpu() else { return };
    let builder = Builder::new(&gpu);
    for len in [1, 7, 256, 1000] {
        let values = normal(1, 2 * (len + 3));
        let (metrics, totals) = (upload(&gpu, &values), upload(&gpu, &[UNTOUCHED; 2]));
        let kernel = builder.totals(&metrics, &totals);
        let found = &run(&gpu, &kernel, Batch::to_evaluate(3, len), &[(&totals, 2)])[0];
        let sum = |odd: usize| (3..len + 3).map(|n| f64::from(values[2 * n + odd])).sum();
        compare(found, &[sum(0), sum(1)], len, "totals");

        let parts = normal(2, 3 * len);
        let (on_parts, square) = (upload(&gpu, &parts), upload(&gpu, &[UNTOUCHED]));
        let kernel = builder.norm(len, 3, &on_parts, &square);
        let found = run(&gpu, &kernel, Batch::to_evaluate(0, 1), &[(&square, 1)])[0][0];
        let g = |at: usize| (0..3).map(|slice| f64::from(parts[slice * len + at])).sum::<f64>();
        let expected: f64 = (0..len).map(|at| g(at).powi(2)).sum();
        assert!(
            (f64::from(found) / expected - 1.0).abs() < 1e-5,
            "norm of {len}: {found}, expected {expected}"
        );
    }
}

#[test]
fn updates_agree_with_the_core() {
    let Some(gpu) = gpu() else { return };
    let builder = Builder::new(&gpu);
    let sgd =
        |momentum, nesterov| AnyOptimizer::Sgd(Sgd { momentum, nesterov, weight_decay: 0.01 });
    let adam =
        |decoupled| AnyOptimizer::Adam(Adam { weight_decay: 0.1, decoupled, ..Adam::default() });
    let rules = [sgd(0.0, false), sgd(0.9, false), sgd(0.9, true), adam(false), adam(true)];
    for (number, rule) in (1..).zip(rules) {
        for clip in [0.0, 0.5] {
            let count = 300 + number as usize;
            let (mut w, mut m) = (normal(1, count), normal(2, count));
            let mut v: Vec<f32> = normal(3, count).iter().map(|x| x * x).collect();
            let parts = normal(4, 2 * count);
            let mut grad: Vec<f32> = (0..count).map(|at| parts[at] + parts[count + at]).collect();
            let square: f32 = grad.iter().map(|g| g * g).sum();
            let buffers = [&parts, &vec![square], &w, &m, &v].map(|values| upload(&gpu, values));
            let kernel = builder.update((count, 2), &rule, clip, buffers.each_ref()).unwrap();
            let step = Step { number, learning_rate: 0.1 };
            let batch = Batch::to_train(0, 1, 0.0, &rule, step);
            let [_, _, on_w, on_m, on_v] = &buffers;
            let found = run(&gpu, &kernel, batch, &[(on_w, count), (on_m, count), (on_v, count)]);
            if clip > 0.0 {
                motenet::optimizers::clip_norm(Simd::baseline(), &mut grad, clip);
            }
            rule.update(Simd::baseline(), step, &mut w, &grad, &mut m, &mut v);
            for (found, expected) in found.iter().zip([&w, &m, &v]) {
                for (found, expected) in found.iter().zip(expected) {
                    let error = (found - expected).abs();
                    assert!(
                        error <= 2e-6 * (1.0 + expected.abs()),
                        "{rule:?}: {found}, expected {expected}"
                    );
                }
            }
        }
    }
}
