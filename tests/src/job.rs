//! One small training run that uses everything, and its hash: the same on every machine.
//!
//! Nothing here needs an operating system or an allocator, so a microcontroller can run it too.
//! Every layer, loss, optimizer and schedule takes part, and the clipping. The hash is over each
//! sample's output, loss and input gradient, in the order of the samples, over the gradient's norm in
//! each step, and over the parameters at the end of each stage.

use motenet::optimizers::clip_norm;
use motenet::random::{generator, mix, normal};
use motenet::{
    Acts, Adam, AnyOptimizer, BinaryCrossEntropy, Dense, Dropout, Flatten, Gelu, Init, Layer,
    LeakyRelu, Loss, MeanSquaredError, NoBias, Optimizer, Pass, Relu, Schedule, Scheme, Seq, Sgd,
    Shard, Sigmoid, Simd, Softmax, SoftmaxCrossEntropy, Step, Tanh, Tensor, Train, Zero,
};
use sha2::{Digest, Sha256};

/// Every kind of layer, in odd sizes.
pub type Net = Seq![
    Flatten<[[f32; 3]; 5], 15>,
    Dense<15, 19>,
    Relu<19>,
    Dense<19, 17>,
    LeakyRelu<17>,
    Dropout<17, 30>,
    Dense<17, 9, NoBias>,
    Gelu<9>,
    Dense<9, 8>,
    Tanh<8>,
    Dense<8, 7>,
    Sigmoid<7>,
    Dense<7, 5>,
    Softmax<5>,
];

/// The same in small: with a batch of one it trains in 16 KiB of RAM, stack and all.
pub type SmallNet = Seq![
    Flatten<[[f32; 3]; 5], 15>,
    Dense<15, 17>,
    Relu<17>,
    Dense<17, 9>,
    LeakyRelu<9>,
    Dropout<9, 30>,
    Dense<9, 7, NoBias>,
    Gelu<7>,
    Dense<7, 8>,
    Tanh<8>,
    Dense<8, 7>,
    Sigmoid<7>,
    Dense<7, 5>,
    Softmax<5>,
];

type Input = <Net as Layer>::Input;
type Output = <Net as Layer>::Output;

/// Samples of one step.
pub const BATCH: usize = 64;

/// The hash of [`job`], the same for ever.
pub const HASH: &str = "dcbda76b2a4e8af4585008755c9cf3f08cd6908576ae42412bc50fe97e5a1f4b";

/// The hash of the job with [`SmallNet`].
pub const SMALL_HASH: &str = "d00d173c1cef03232b782952635f902147226a9e2758f65b1f957ec4f73dbfa4";

/// The same, of which only the first sample of each batch is seen (`pieces` 1 and 0).
pub const BRIEF_HASH: &str = "5fcd039eac66e7657d04ce60e655374e10ede3d3769a60e9e35f65c7da7005ab";

/// Two steps in three have a longer gradient than this, which is clipped.
const MAX_NORM: f32 = 0.02;

/// How to run the job. Only `seed` may change the hash.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The instruction set.
    pub simd: Simd,
    /// What names the dropout masks.
    pub seed: u64,
    /// A batch is fed in pieces of these sizes, over and over until it is through.
    pub pieces: &'a [usize],
    /// The gradient is accumulated in shards that begin here.
    pub cuts: &'a [usize],
}

/// Everything the job needs: `N` samples at a time, 1 to [`BATCH`].
pub type Workspace<const N: usize> = Space<Net, N>;

/// As [`Workspace`], with [`SmallNet`].
pub type SmallWorkspace<const N: usize> = Space<SmallNet, N>;

/// [`Workspace`] and [`SmallWorkspace`].
pub struct Space<M: Layer, const N: usize> {
    model: M,
    grad: M,
    m: M,
    v: M,
    x: [Input; N],
    dx: [Input; N],
    targets: [Output; N],
    labels: [u8; N],
    losses: [f32; N],
    acts: M::Acts<N>,
    d_acts: M::Acts<N>,
}

impl<M: Layer + Zero, const N: usize> Space<M, N> {
    /// All zeros.
    pub const ZERO: Self = Space {
        model: M::ZERO,
        grad: M::ZERO,
        m: M::ZERO,
        v: M::ZERO,
        x: Zero::ZERO,
        dx: Zero::ZERO,
        targets: Zero::ZERO,
        labels: [0; N],
        losses: [0.0; N],
        acts: Zero::ZERO,
        d_acts: Zero::ZERO,
    };
}

#[derive(Clone, Copy)]
enum Target {
    Values,
    Classes(SoftmaxCrossEntropy),
    Questions,
}

struct Stage {
    rule: AnyOptimizer,
    schedule: Schedule,
    peak: f32,
    steps: u32,
    target: Target,
}

const PLAIN: Sgd = Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };
const ADAM: Adam =
    Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.0, decoupled: false };

const STAGES: [Stage; 6] = [
    Stage {
        rule: AnyOptimizer::Sgd(Sgd { momentum: 0.9, nesterov: false, weight_decay: 1e-3 }),
        schedule: Schedule::OneCycle,
        peak: 0.5,
        steps: 20,
        target: Target::Values,
    },
    Stage {
        rule: AnyOptimizer::Adam(ADAM),
        schedule: Schedule::OneCycle,
        peak: 0.01,
        steps: 20,
        target: Target::Classes(SoftmaxCrossEntropy { label_smoothing: 0.0 }),
    },
    Stage {
        rule: AnyOptimizer::Adam(Adam { weight_decay: 0.01, decoupled: true, ..ADAM }),
        schedule: Schedule::WarmupCosine { steps: 2 },
        peak: 0.01,
        steps: 5,
        target: Target::Questions,
    },
    Stage {
        rule: AnyOptimizer::Sgd(Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.0 }),
        schedule: Schedule::StepDecay { every: 2, factor: 0.3 },
        peak: 0.1,
        steps: 5,
        target: Target::Classes(SoftmaxCrossEntropy { label_smoothing: 0.1 }),
    },
    Stage {
        rule: AnyOptimizer::Adam(Adam { weight_decay: 0.01, ..ADAM }),
        schedule: Schedule::Cosine,
        peak: 0.01,
        steps: 5,
        target: Target::Values,
    },
    Stage {
        rule: AnyOptimizer::Sgd(PLAIN),
        schedule: Schedule::Constant,
        peak: 0.1,
        steps: 3,
        target: Target::Values,
    },
];

/// Runs the job a whole batch at a time. The result is [`HASH`], whatever `simd` is. Never panics.
///
/// # Memory
/// 110 KB of stack; a chip keeps a [`Workspace`] for one sample in a `static` and calls [`run`].
pub fn job(simd: Simd) -> [u8; 32] {
    let mut space = Workspace::<BATCH>::ZERO;
    run(Plan { simd, seed: 1, pieces: &[BATCH], cuts: &[] }, &mut space)
}

/// Runs the job as `plan` says, in `space`, which needs no clearing. Never panics.
pub fn run<M: Network, const N: usize>(plan: Plan<'_>, space: &mut Space<M, N>) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut seen = 0; // steps of the stages before
    space.model.init(Scheme::KaimingNormal, 1.0, &mut generator(1));
    for stage in &STAGES {
        space.m.flat_mut().fill(0.0);
        space.v.flat_mut().fill(0.0);
        for number in 0..stage.steps {
            space.grad.flat_mut().fill(0.0);
            let mut done = 0;
            for &piece in plan.pieces.iter().cycle() {
                let samples = piece.min(BATCH - done).min(N);
                let first = u64::from(seen + number) * BATCH as u64 + done as u64;
                space.batch(plan, stage.target, first, samples, &mut hash);
                done += samples;
                if done == BATCH || samples == 0 {
                    break;
                }
            }
            let norm = clip_norm(plan.simd, space.grad.flat_mut(), MAX_NORM);
            update(&mut hash, &[norm]);
            let learning_rate = stage.schedule.learning_rate(stage.peak, number, stage.steps);
            let step = Step { number: number + 1, learning_rate };
            let Space { model, grad, m, v, .. } = space;
            let (w, grad) = (model.flat_mut(), grad.flat());
            stage.rule.update(plan.simd, step, w, grad, m.flat_mut(), v.flat_mut());
        }
        seen += stage.steps;
        update(&mut hash, space.model.flat());
    }
    hash.finalize().into()
}

/// A network that the job trains.
pub trait Network: Train + Init + Zero + Layer<Input = Input, Output = Output> {}

impl Network for Net {}
impl Network for SmallNet {}

impl<M: Network, const N: usize> Space<M, N> {
    /// Adds the gradient of `samples` samples, of which the first has number `first`.
    fn batch(
        &mut self,
        plan: Plan<'_>,
        target: Target,
        first: u64,
        samples: usize,
        hash: &mut Sha256,
    ) {
        let Self { model, grad, x, dx, targets, labels, losses, acts, d_acts, .. } = self;
        for (k, ((x, target), label)) in
            (first..).zip(x.iter_mut().zip(targets.iter_mut()).zip(labels.iter_mut())).take(samples)
        {
            *label = sample(k, x, target);
        }
        let (x, dx) = (first_of(x, samples), dx.as_mut_slice());
        let pass = Pass::train(plan.simd, plan.seed, first);
        let scale = 1.0 / BATCH as f32;

        model.forward(pass, x, acts);
        let (y, dy) = (first_of(acts.output(), samples), d_acts.output_mut());
        match target {
            Target::Values => {
                MeanSquaredError.gradient(plan.simd, y, targets, scale, dy, losses);
            }
            Target::Classes(loss) => loss.gradient(plan.simd, y, labels, scale, dy, losses),
            Target::Questions => {
                BinaryCrossEntropy.gradient(plan.simd, y, targets, scale, dy, losses);
            }
        }
        model.backward(pass, x, acts, d_acts, Some(dx));
        let (mut rest, mut start) = (grad.flat_mut(), 0);
        for cut in plan.cuts.iter().copied().chain([M::COUNT]) {
            let len = cut.saturating_sub(start).min(rest.len());
            let Some((shard, tail)) = rest.split_at_mut_checked(len) else {
                break;
            };
            M::accumulate(pass, x, acts, d_acts, Shard::new(start, shard));
            (rest, start) = (tail, start + len);
        }

        for ((y, loss), dx) in acts.output().iter().zip(&*losses).zip(&*dx).take(samples) {
            update(hash, y);
            update(hash, &[*loss]);
            update(hash, Input::flatten(core::slice::from_ref(dx)));
        }
    }
}

/// Sample number `k`: random input, the class of the largest of five sums of it, that class as a row.
fn sample(k: u64, x: &mut Input, target: &mut Output) -> u8 {
    let mut rng = generator(mix(k));
    let mut sums = [0.0; 5];
    let flat = Input::flatten_mut(core::slice::from_mut(x));
    for (x, sum) in flat.iter_mut().zip((0..15).map(|i| i % 5)) {
        *x = normal(&mut rng);
        if let Some(sum) = sums.get_mut(sum) {
            *sum += *x;
        }
    }
    let (mut class, mut best) = (0, f32::NEG_INFINITY);
    for (k, sum) in (0..).zip(sums) {
        if sum > best {
            (class, best) = (k, sum);
        }
    }
    for (k, target) in (0..).zip(target) {
        *target = if k == class { 1.0 } else { 0.0 };
    }
    class
}

pub(crate) fn update(hash: &mut Sha256, values: &[f32]) {
    for value in values {
        hash.update(value.to_le_bytes());
    }
}

fn first_of<T>(rows: &[T], n: usize) -> &[T] {
    rows.get(..n).unwrap_or(rows)
}
