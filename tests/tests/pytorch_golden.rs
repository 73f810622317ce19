//! What PyTorch computes in `float64`, to a few units in the last place of `f32`: `golden/README.md` lists the cases.
//!
//! A difference is absolute, or relative where the golden numbers exceed 1.
//! `cargo test -p motenet-tests --test pytorch_golden -- --nocapture` prints them.

use motenet::optimizers::clip_norm;
use motenet::{
    Acts, Adam, AnyOptimizer, BinaryCrossEntropy, Dense, Gelu, Layer, LeakyRelu, Loss,
    MeanSquaredError, Optimizer, Params, Pass, Relu, Schedule, Seq, Sgd, Shard, Sigmoid, Simd,
    Softmax, SoftmaxCrossEntropy, Step, Tanh, Train, Zero,
};
use motenet_tests::golden::Golden;

/// Holds `found` to the golden numbers `name`.
fn close(golden: &Golden, name: &str, found: &[f32], tolerance: f32) {
    let expected = golden.get(name);
    assert_eq!(found.len(), expected.len(), "{name}");
    let errors = found.iter().zip(expected).map(|(found, expected)| {
        assert!(found.is_finite(), "{name} holds {found}, not {expected}");
        (found - expected).abs() / expected.abs().max(1.0)
    });
    let worst = errors.fold(0.0, f32::max);
    println!("{name:28} {worst:.1e}");
    assert!(worst <= tolerance, "{name} is off by {worst}, more than {tolerance}");
}

fn mean(losses: &[f32]) -> [f32; 1] {
    [losses.iter().sum::<f32>() / losses.len() as f32]
}

type Mlp = Seq![Dense<17, 9>, Relu<9>, Dense<9, 5>];
const BATCH: usize = 7;

struct Case {
    x: Vec<[f32; 17]>,
    labels: Vec<u8>,
    acts: Box<<Mlp as Layer>::Acts<BATCH>>,
    losses: [f32; BATCH],
}

impl Case {
    fn new(golden: &Golden) -> (Mlp, Self) {
        let mut model = Mlp::ZERO;
        model.flat_mut().copy_from_slice(golden.get("mlp/params"));
        let (x, labels) = (golden.rows("mlp/x").to_vec(), golden.labels("mlp/labels"));
        (model, Case { x, labels, acts: Zero::boxed(), losses: [0.0; BATCH] })
    }

    /// The gradient of the mean over the batch.
    fn gradient(&mut self, model: &Mlp, loss: SoftmaxCrossEntropy) -> Mlp {
        let (simd, x) = (Simd::detect(), &self.x);
        let (pass, mut grad, mut d_acts) = (Pass::train(simd, 1, 0), Mlp::ZERO, Zero::boxed());
        model.forward(pass, x, &mut self.acts);
        let (y, dy): (_, &mut [_]) = (self.acts.output(), Acts::output_mut(&mut *d_acts));
        loss.gradient(simd, y, &self.labels, 1.0 / BATCH as f32, dy, &mut self.losses);
        model.backward(pass, x, &self.acts, &mut d_acts, None);
        Mlp::accumulate(pass, x, &self.acts, &d_acts, Shard::whole(&mut grad));
        grad
    }

    /// Ten steps on the same batch.
    fn train(&mut self, model: &mut Mlp, rule: impl Optimizer, rate: f32, max_norm: Option<f32>) {
        let (mut m, mut v) = (Mlp::ZERO, Mlp::ZERO);
        for number in 1..=10 {
            let mut grad = self.gradient(model, SoftmaxCrossEntropy::default());
            if let Some(max_norm) = max_norm {
                clip_norm(Simd::detect(), grad.flat_mut(), max_norm);
            }
            let step = Step { number, learning_rate: rate };
            let (m, v) = (m.flat_mut(), v.flat_mut());
            rule.update(Simd::detect(), step, model.flat_mut(), grad.flat(), m, v);
        }
    }
}

#[test]
fn a_step_of_a_network() {
    let golden = Golden::read();
    let (model, mut case) = Case::new(&golden);
    let grad = case.gradient(&model, SoftmaxCrossEntropy::default());
    close(&golden, "mlp/logits", case.acts.output().as_flattened(), 1e-6);
    close(&golden, "mlp/loss", &mean(&case.losses), 1e-6);
    close(&golden, "mlp/grad", grad.flat(), 1e-6);
    let grad = case.gradient(&model, SoftmaxCrossEntropy { label_smoothing: 0.1 });
    close(&golden, "mlp/smooth_loss", &mean(&case.losses), 1e-6);
    close(&golden, "mlp/smooth_grad", grad.flat(), 1e-6);
}

#[test]
fn ten_steps_of_each_optimizer() {
    let golden = Golden::read();
    let sgd = |momentum, nesterov, weight_decay| {
        AnyOptimizer::Sgd(Sgd { momentum, nesterov, weight_decay })
    };
    let adam = |weight_decay, decoupled| {
        AnyOptimizer::Adam(Adam { weight_decay, decoupled, ..Adam::default() })
    };
    for (name, rule, rate, max_norm) in [
        ("mlp/sgd10", sgd(0.0, false, 0.0), 0.1, None),
        ("mlp/momentum10", sgd(0.9, false, 0.0), 0.05, None),
        ("mlp/nesterov10", sgd(0.9, true, 0.0), 0.05, None),
        ("mlp/sgd_decay10", sgd(0.0, false, 0.01), 0.1, None),
        ("mlp/adam10", adam(0.0, false), 0.01, None),
        ("mlp/adam_decay10", adam(0.01, false), 0.01, None),
        ("mlp/adamw10", adam(0.01, true), 0.01, None),
        ("mlp/clipped10", sgd(0.0, false, 0.0), 0.1, Some(0.5)),
    ] {
        let (mut model, mut case) = Case::new(&golden);
        case.train(&mut model, rule, rate, max_norm);
        close(&golden, name, model.flat(), 2e-6);
        // A rule that is chosen at compile time is the same one.
        let (mut other, mut case) = Case::new(&golden);
        match rule {
            AnyOptimizer::Sgd(rule) => case.train(&mut other, rule, rate, max_norm),
            AnyOptimizer::Adam(rule) => case.train(&mut other, rule, rate, max_norm),
        }
        assert_eq!(model, other, "{name}");
    }
}

type Between<A> = Seq![Dense<6, 5>, A, Dense<5, 3>];

fn activation<A: Train<Input = [f32; 5], Output = [f32; 5]>>(golden: &Golden, case: &str) {
    let mut model = Between::<A>::ZERO;
    let name = |what| format!("{case}/{what}");
    model.flat_mut().copy_from_slice(golden.get(&name("params")));
    let (x, targets) = (golden.rows::<6>(&name("x")), golden.rows(&name("target")));
    let (simd, mut grad, mut dx) = (Simd::detect(), Between::<A>::ZERO, [[0.0; 6]; 4]);
    let (mut acts, mut d_acts, mut losses) = (Zero::boxed(), Zero::boxed(), [0.0; 4]);
    let pass = Pass::train(simd, 1, 0);

    model.forward::<4>(pass, x, &mut acts);
    let (y, dy): (&[[f32; 3]], &mut [_]) = (acts.output(), Acts::output_mut(&mut *d_acts));
    MeanSquaredError.gradient(simd, y, targets, 0.25, dy, &mut losses);
    close(golden, &name("y"), y.as_flattened(), 1e-6);
    close(golden, &name("loss"), &mean(&losses), 1e-6);
    model.backward(pass, x, &acts, &mut d_acts, Some(&mut dx));
    Between::<A>::accumulate(pass, x, &acts, &d_acts, Shard::whole(&mut grad));
    close(golden, &name("grad"), grad.flat(), 1e-6);
    close(golden, &name("dx"), dx.as_flattened(), 1e-6);
}

#[test]
fn each_activation() {
    let golden = Golden::read();
    activation::<Relu<5>>(&golden, "relu");
    activation::<LeakyRelu<5>>(&golden, "leaky_relu");
    activation::<Sigmoid<5>>(&golden, "sigmoid");
    activation::<Tanh<5>>(&golden, "tanh");
    activation::<Gelu<5>>(&golden, "gelu");
    activation::<Softmax<5>>(&golden, "softmax");
}

#[test]
fn each_loss() {
    let golden = Golden::read();
    let (mut dy, mut losses) = ([[0.0; 3]; 4], [0.0; 4]);
    let (y, target) = (golden.rows("mse/y"), golden.rows("mse/target"));
    MeanSquaredError.gradient(Simd::detect(), y, target, 0.25, &mut dy, &mut losses);
    close(&golden, "mse/loss", &mean(&losses), 1e-6);
    close(&golden, "mse/dy", dy.as_flattened(), 1e-6);

    let (y, target) = (golden.rows("bce/y"), golden.rows("bce/target"));
    BinaryCrossEntropy.gradient(Simd::detect(), y, target, 0.25, &mut dy, &mut losses);
    close(&golden, "bce/loss", &mean(&losses), 1e-6);
    close(&golden, "bce/dy", dy.as_flattened(), 1e-6);
}

#[test]
fn extreme_logits() {
    let golden = Golden::read();
    let (y, labels) = (golden.rows::<10>("extreme/logits"), golden.labels("extreme/labels"));
    let (mut dy, mut losses) = ([[0.0; 10]; 5], [0.0; 5]);
    let loss = SoftmaxCrossEntropy::default();
    loss.gradient(Simd::detect(), y, &labels, 0.2, &mut dy, &mut losses);
    close(&golden, "extreme/loss", &mean(&losses), 1e-6);
    close(&golden, "extreme/dlogits", dy.as_flattened(), 1e-6);
}

#[test]
fn schedules() {
    let golden = Golden::read();
    for (name, schedule) in [
        ("schedule_step/values", Schedule::StepDecay { every: 10, factor: 0.5 }),
        ("schedule_cosine/values", Schedule::Cosine),
        ("schedule_onecycle/values", Schedule::OneCycle),
    ] {
        let rates: Vec<f32> = (0..50).map(|step| schedule.learning_rate(0.1, step, 50)).collect();
        close(&golden, name, &rates, 2e-8);
    }
}

/// Every case has its test above; a new one cannot be forgotten.
#[test]
fn no_case_is_left_out() {
    let golden = Golden::read();
    let cases = [
        "bce",
        "extreme",
        "gelu",
        "leaky_relu",
        "mlp",
        "mse",
        "relu",
        "schedule_cosine",
        "schedule_onecycle",
        "schedule_step",
        "sigmoid",
        "softmax",
        "tanh",
    ];
    let mut found: Vec<_> = golden.names().filter_map(|name| name.split('/').next()).collect();
    found.dedup();
    assert_eq!(found, cases);
}
