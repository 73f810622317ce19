//! Every parameter's and every input's gradient, against central differences of an independent forward
//! pass in `f64`.
//!
//! An error is relative to the gradient's own size or, where that is small, to a hundredth of the largest
//! in the same tensor. `cargo test -p motenet-tests --test gradients -- --nocapture` prints the table.

use motenet::{
    Acts, BinaryCrossEntropy, Dense, Dropout, Flatten, Gelu, Layer, LeakyRelu, Loss,
    MeanSquaredError, NoBias, Pass, Relu, Seq, Shard, Sigmoid, Simd, Softmax, SoftmaxCrossEntropy,
    Tanh, Tensor, Train, Zero, random,
};
use motenet_tests::reference::{self, Row, dense, differences, wide};

/// What everything is held to; a test may be stricter.
const TOLERANCE: f64 = 2e-4;

/// Samples in a batch, and the rows of its workspace: one is left over.
const BATCH: usize = 5;
const ROOM: usize = 6;

fn noise<T: Tensor<Elem = f32>>(rng: &mut impl rand_core::Rng, rows: &mut [T]) {
    T::flatten_mut(rows).fill_with(|| random::normal(rng));
}

/// The worst relative error.
fn worst(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0, |m: f64, e| m.max(e.abs()));
    let errors = found.iter().zip(expected).map(|(&found, expected)| {
        assert!(found.is_finite(), "a gradient is {found}, not {expected}");
        (f64::from(found) - expected).abs() / expected.abs().max(0.01 * largest).max(1e-12)
    });
    errors.fold(0.0, f64::max)
}

/// The objective of a check, from the outputs of a batch: in `f64`, and its gradient by motenet.
trait Objective<Y> {
    fn value(&self, y: &[Row]) -> f64;
    fn gradient(&self, simd: Simd, y: &[Y], dy: &mut [Y]) -> f64;
}

/// `Σ c·y`: lets a layer be looked at by itself.
struct Weighted<Y>([Y; BATCH]);

impl<Y: Tensor<Elem = f32>> Objective<Y> for Weighted<Y> {
    fn value(&self, y: &[Row]) -> f64 {
        wide(Y::flatten(&self.0)).iter().zip(y.concat()).map(|(c, y)| c * y).sum()
    }

    fn gradient(&self, _: Simd, y: &[Y], dy: &mut [Y]) -> f64 {
        dy[..BATCH].copy_from_slice(&self.0);
        let y = Y::flatten(y).iter().zip(Y::flatten(&self.0));
        y.map(|(&y, &c)| f64::from(y) * f64::from(c)).sum()
    }
}

/// The mean over the batch of a loss of motenet, and of the same in `f64`.
struct Mean<L: Loss<Y>, Y, F> {
    loss: L,
    targets: [L::Target; BATCH],
    value: F,
}

impl<Y, L: Loss<Y>, F: Fn(&[f64], &L::Target) -> f64> Objective<Y> for Mean<L, Y, F> {
    fn value(&self, y: &[Row]) -> f64 {
        let terms = y.iter().zip(&self.targets).map(|(y, t)| (self.value)(y, t));
        terms.sum::<f64>() / BATCH as f64
    }

    fn gradient(&self, simd: Simd, y: &[Y], dy: &mut [Y]) -> f64 {
        let mut losses = [0.0; BATCH];
        let scale = 1.0 / BATCH as f32;
        self.loss.gradient(simd, y, &self.targets, scale, dy, &mut losses);
        wide(&losses).iter().sum::<f64>() / BATCH as f64
    }
}

/// Checks one model: for some seeds and every instruction set, objective and gradients. Returns the
/// worst error of the parameters' gradient and of the inputs'.
fn check<M, O>(
    name: &str,
    objective: impl Fn(&mut dyn FnMut(&mut [f32])) -> O,
    forward: impl Fn(Pass, usize, &[f64], &[f64]) -> Row,
) -> (f64, f64)
where
    M: Train,
    O: Objective<M::Output>,
{
    let (mut params_worst, mut inputs_worst, mut checked) = (0.0f64, 0.0f64, 0);
    for seed in 0..40 {
        let mut rng = random::generator(seed);
        let mut model = M::ZERO;
        model.flat_mut().fill_with(|| random::normal(&mut rng));
        let mut x = [M::Input::ZERO; BATCH];
        noise(&mut rng, &mut x);
        let objective = objective(&mut |rows| rows.fill_with(|| random::normal(&mut rng)));

        let pass = Pass::train(Simd::baseline(), seed, 7 * seed);
        let (w, inputs) = (wide(model.flat()), wide(M::Input::flatten(&x)));
        let value = |w: &[f64], x: &[f64]| {
            let rows = x.chunks(M::Input::LEN).enumerate();
            objective.value(&rows.map(|(n, x)| forward(pass, n, w, x)).collect::<Vec<_>>())
        };
        let expected = value(&w, &inputs);
        let dw = differences(&w, |w| value(w, &inputs));
        let dx = differences(&inputs, |x| value(&w, x));
        if expected.is_nan() || dw.iter().chain(&dx).any(|d| d.is_nan()) {
            continue; // near a kink
        }
        checked += 1;
        for simd in Simd::available() {
            let pass = Pass::train(simd, seed, 7 * seed);
            let (mut acts, mut d_acts) = (M::Acts::<ROOM>::boxed(), M::Acts::<ROOM>::boxed());
            let (mut grad, mut found_dx) = (M::ZERO, [M::Input::ZERO; BATCH]);
            model.forward(pass, &x, &mut acts);
            let found = objective.gradient(simd, &acts.output()[..BATCH], d_acts.output_mut());
            model.backward(pass, &x, &acts, &mut d_acts, Some(&mut found_dx));
            M::accumulate(pass, &x, &acts, &d_acts, Shard::whole(&mut grad));
            let off = (found - expected).abs() / expected.abs().max(1.0);
            assert!(off < 1e-5, "{name}: the objective is {found}, not {expected}");
            params_worst = params_worst.max(worst(grad.flat(), &dw));
            inputs_worst = inputs_worst.max(worst(M::Input::flatten(&found_dx), &dx));
        }
        if checked == 5 {
            break;
        }
    }
    assert_eq!(checked, 5, "{name}: too many seeds come near a kink");
    println!("{name:34} parameters {params_worst:.1e}  inputs {inputs_worst:.1e}");
    assert!(params_worst < TOLERANCE && inputs_worst < TOLERANCE, "{name}: see above");
    (params_worst, inputs_worst)
}

/// One layer by itself.
fn alone<M: Train>(name: &str, forward: impl Fn(&[f64], &[f64]) -> Row) {
    masked::<M>(name, |_, _, w, x| forward(w, x));
}

/// As [`alone`], for a layer that looks at the pass.
fn masked<M: Train>(name: &str, forward: impl Fn(Pass, usize, &[f64], &[f64]) -> Row) {
    let objective = |draw: &mut dyn FnMut(&mut [f32])| {
        let mut c = [M::Output::ZERO; BATCH];
        draw(M::Output::flatten_mut(&mut c));
        Weighted(c)
    };
    let (params, inputs) = check::<M, _>(name, objective, forward);
    assert!(params < 2e-5 && inputs < 2e-5, "{name}: a layer alone does better");
}

/// A network of sixes and fives and threes with the squared error at its end.
fn network<M>(name: &str, forward: impl Fn(Pass, usize, &[f64], &[f64]) -> Row)
where
    M: Train<Input = [f32; 6], Output = [f32; 3]>,
{
    let objective = |draw: &mut dyn FnMut(&mut [f32])| {
        let mut targets = [[0.0; 3]; BATCH];
        draw(targets.as_flattened_mut());
        let value = |y: &[f64], t: &[f32; 3]| reference::mean_squared_error(y, &wide(t));
        Mean { loss: MeanSquaredError, targets, value }
    };
    check::<M, _>(name, objective, forward);
}

#[test]
fn dense_alone() {
    fn sized<const IN: usize, const OUT: usize>() {
        let name = format!("Dense<{IN}, {OUT}>");
        alone::<Dense<IN, OUT>>(&name, |mut w, x| dense(&mut w, OUT, true, x));
        let name = format!("Dense<{IN}, {OUT}, NoBias>");
        alone::<Dense<IN, OUT, NoBias>>(&name, |mut w, x| dense(&mut w, OUT, false, x));
    }
    sized::<1, 1>();
    sized::<7, 1>();
    sized::<1, 9>();
    sized::<8, 17>();
    sized::<17, 7>();
    sized::<9, 33>();
}

#[test]
fn activations_alone() {
    alone::<Relu<9>>("Relu<9>", |_, x| reference::leaky_relu(0.0, x));
    alone::<LeakyRelu<9>>("LeakyRelu<9>", |_, x| reference::leaky_relu(0.01, x));
    alone::<LeakyRelu<7, 250>>("LeakyRelu<7, 250>", |_, x| reference::leaky_relu(0.25, x));
    alone::<Sigmoid<9>>("Sigmoid<9>", |_, x| reference::sigmoid(x));
    alone::<Tanh<9>>("Tanh<9>", |_, x| reference::tanh(x));
    alone::<Gelu<9>>("Gelu<9>", |_, x| reference::gelu(x));
    alone::<Softmax<1>>("Softmax<1>", |_, x| reference::softmax(x));
    alone::<Softmax<9>>("Softmax<9>", |_, x| reference::softmax(x));
    alone::<Softmax<17>>("Softmax<17>", |_, x| reference::softmax(x));
}

#[test]
fn flatten_alone() {
    alone::<Flatten<[[f32; 3]; 4], 12>>("Flatten<[[f32; 3]; 4], 12>", |_, x| x.to_vec());
}

/// The mask of sample `n`, which `M` shows when its input is all ones and its weights do nothing.
fn mask<M, const K: usize>(model: &M, pass: Pass, n: usize, keep: f64) -> Row
where
    M: Layer<Input = [f32; K], Output = [f32; K]>,
{
    let mut acts = M::Acts::<ROOM>::ZERO;
    model.forward(pass, &[[1.0; K]; BATCH], &mut acts);
    let mask = wide(&acts.output()[n]);
    assert!(mask.iter().all(|&y| y == 0.0 || (y * keep - 1.0).abs() < 1e-6), "{mask:?}");
    mask
}

#[test]
fn dropout_alone() {
    masked::<Dropout<17, 30>>("Dropout<17, 30>", |pass, n, _, x| {
        reference::times(&mask(&Dropout::<17, 30>, pass, n, 0.7), x)
    });
    masked::<Dropout<9, 0>>("Dropout<9, 0>", |_, _, _, x| x.to_vec());
}

#[test]
fn dropout_between_layers() {
    type Net = Seq![Dense<6, 5>, Dropout<5, 40>, Dense<5, 3>];
    // The same place in a network, so the same mask, between layers that do nothing.
    type Twin = Seq![Dense<5, 5>, Dropout<5, 40>, Dense<5, 5>];
    let mut twin = Twin::ZERO;
    for k in 0..5 {
        twin.0.weights[k][k] = 1.0;
        twin.1.1.weights[k][k] = 1.0;
    }
    network::<Net>("Dense, Dropout, Dense, MSE", |pass, n, mut w, x| {
        let h = dense(&mut w, 5, true, x);
        dense(&mut w, 3, true, &reference::times(&mask(&twin, pass, n, 0.6), &h))
    });
}

#[test]
fn each_activation_between_layers() {
    macro_rules! between {
        ($($activation:ident $f:expr;)*) => {$({
            let name = concat!("Dense, ", stringify!($activation), ", Dense, MSE");
            network::<Seq![Dense<6, 5>, $activation<5>, Dense<5, 3>]>(name, |_, _, mut w, x| {
                let h = dense(&mut w, 5, true, x);
                dense(&mut w, 3, true, &$f(&h))
            });
        })*};
    }
    between! {
        Relu |x: &[f64]| reference::leaky_relu(0.0, x);
        LeakyRelu |x: &[f64]| reference::leaky_relu(0.01, x);
        Sigmoid reference::sigmoid;
        Tanh reference::tanh;
        Gelu reference::gelu;
        Softmax reference::softmax;
    }
}

#[test]
fn every_layer_in_one_network() {
    type Net = Seq![
        Flatten<[[f32; 3]; 5], 15>, Dense<15, 9>, Relu<9>, Dense<9, 8, NoBias>, Gelu<8>,
        Dense<8, 7>, Tanh<7>, Dense<7, 9>, LeakyRelu<9>, Dense<9, 7>, Sigmoid<7>, Dense<7, 3>,
        Softmax<3>,
    ];
    let objective = |draw: &mut dyn FnMut(&mut [f32])| {
        let mut targets = [[0.0; 3]; BATCH];
        draw(targets.as_flattened_mut());
        let value = |y: &[f64], t: &[f32; 3]| reference::mean_squared_error(y, &wide(t));
        Mean { loss: MeanSquaredError, targets, value }
    };
    check::<Net, _>("every layer, MSE", objective, |_, _, w, x| {
        let w = &mut &w[..];
        let x = reference::leaky_relu(0.0, &dense(w, 9, true, x));
        let x = reference::gelu(&dense(w, 8, false, &x));
        let x = reference::tanh(&dense(w, 7, true, &x));
        let x = reference::leaky_relu(0.01, &dense(w, 9, true, &x));
        let x = reference::sigmoid(&dense(w, 7, true, &x));
        reference::softmax(&dense(w, 3, true, &x))
    });
}

#[test]
fn mean_squared_error() {
    fn sized<const K: usize>() {
        let objective = |draw: &mut dyn FnMut(&mut [f32])| {
            let mut targets = [[0.0; K]; BATCH];
            draw(targets.as_flattened_mut());
            let value = |y: &[f64], t: &[f32; K]| reference::mean_squared_error(y, &wide(t));
            Mean { loss: MeanSquaredError, targets, value }
        };
        let name = format!("Dense<7, {K}>, MSE");
        check::<Dense<7, K>, _>(&name, objective, |_, _, mut w, x| dense(&mut w, K, true, x));
    }
    sized::<1>();
    sized::<9>();
}

#[test]
fn binary_cross_entropy() {
    fn sized<const K: usize>() {
        let objective = |draw: &mut dyn FnMut(&mut [f32])| {
            let mut targets = [[0.0; K]; BATCH];
            draw(targets.as_flattened_mut());
            let targets = targets.map(|row| row.map(|t: f32| t.clamp(-0.5, 0.5) + 0.5));
            let value = |y: &[f64], t: &[f32; K]| reference::binary_cross_entropy(y, &wide(t));
            Mean { loss: BinaryCrossEntropy, targets, value }
        };
        let name = format!("Dense<7, {K}>, BCE");
        check::<Dense<7, K>, _>(&name, objective, |_, _, mut w, x| dense(&mut w, K, true, x));
    }
    sized::<1>();
    sized::<9>();
}

#[test]
fn softmax_cross_entropy() {
    fn sized<const K: usize>(label_smoothing: f32) {
        let objective = |draw: &mut dyn FnMut(&mut [f32])| {
            let mut numbers = [0.0; BATCH];
            draw(&mut numbers);
            let targets = numbers.map(|x: f32| ((x.abs() * 1e3) as usize % K) as u8);
            let smoothing = f64::from(label_smoothing);
            let value = move |y: &[f64], t: &u8| reference::softmax_cross_entropy(y, *t, smoothing);
            Mean { loss: SoftmaxCrossEntropy { label_smoothing }, targets, value }
        };
        let name = format!("Dense<7, {K}>, CE, smoothing {label_smoothing}");
        check::<Dense<7, K>, _>(&name, objective, |_, _, mut w, x| dense(&mut w, K, true, x));
    }
    sized::<2>(0.0);
    sized::<9>(0.0);
    sized::<9>(0.1);
    sized::<17>(0.3);
}
