//! A layer of 1.6 MB trains in a thread with a stack of 2 MiB, the default of a test: nothing large passes
//! through the stack, even where nothing is optimised (`--profile unoptimized`).

use motenet::{
    Acts, Adam, Dense, Init, Layer, Loss, Optimizer, Params, Pass, Relu, Scheme, Seq, Sgd, Shard,
    Simd, SoftmaxCrossEntropy, Step, Train, Zero, random,
};

type Net = Seq![Dense<784, 512>, Relu<512>, Dense<512, 10>];

const BATCH: usize = 8;

/// A few steps; returns the mean loss of the first and of the last.
fn train(simd: Simd, rule: &impl Optimizer, learning_rate: f32) -> (f32, f32) {
    let (mut model, mut grad, mut m, mut v) =
        (Net::boxed(), Net::boxed(), Net::boxed(), Net::boxed());
    let (mut acts, mut d_acts) =
        (<Net as Layer>::Acts::<BATCH>::boxed(), <Net as Layer>::Acts::<BATCH>::boxed());
    let mut x = <[[f32; 784]; BATCH]>::boxed();
    let mut rng = random::generator(1);
    model.init(Scheme::KaimingNormal, 1.0, &mut rng);
    x.as_flattened_mut().fill_with(|| random::uniform(&mut rng));
    let labels: [u8; BATCH] = core::array::from_fn(|n| (n % 10) as u8);
    let mut losses = [0.0; BATCH];
    let (mut first, mut last) = (0.0, 0.0);
    for number in 1..=3 {
        let pass = Pass::train(simd, 1, 0);
        model.forward(pass, &*x, &mut acts);
        let (y, dy) = (acts.output(), d_acts.output_mut());
        let loss = SoftmaxCrossEntropy::default();
        loss.gradient(simd, y, &labels, 1.0 / BATCH as f32, dy, &mut losses);
        model.backward(pass, &*x, &acts, &mut d_acts, None);
        grad.flat_mut().fill(0.0);
        Net::accumulate(pass, &*x, &acts, &d_acts, Shard::whole(&mut *grad));
        let step = Step { number, learning_rate };
        rule.update(simd, step, model.flat_mut(), grad.flat(), m.flat_mut(), v.flat_mut());
        last = losses.iter().sum::<f32>() / BATCH as f32;
        if number == 1 {
            first = last;
        }
    }
    (first, last)
}

fn in_a_stack_of<R: Send + 'static>(bytes: usize, job: fn() -> R) -> R {
    std::thread::Builder::new().stack_size(bytes).spawn(job).unwrap().join().unwrap()
}

#[test]
fn a_large_layer_trains_in_two_mebibytes() {
    in_a_stack_of(2 << 20, || {
        for simd in Simd::available() {
            let sgd = Sgd { momentum: 0.9, ..Sgd::default() };
            let (first, last) = train(simd, &sgd, 0.05);
            assert!(last < first, "{}: SGD goes from {first} to {last}", simd.name());
            let (first, last) = train(simd, &Adam::default(), 1e-3);
            assert!(last < first, "{}: Adam goes from {first} to {last}", simd.name());
        }
    });
}

/// What it really needs is less than 96 KiB (unoptimised, AVX-512), and this finds out when that grows. A stack overflow ends the
/// process, so there is no gentler way to say so.
#[test]
fn and_in_a_sixteenth_of_that() {
    in_a_stack_of(128 << 10, || {
        for simd in Simd::available() {
            train(simd, &Sgd { momentum: 0.9, ..Sgd::default() }, 0.05);
        }
    });
}
