//! A second job, of the shape of MNIST: 1,000 steps of a network for digits, and its hash.
//!
//! A chip has no file system, so the digits are drawn by the generator: a class is a set of pixels, a sample
//! lights three in four of them, each with a brightness of its own. As in MNIST about one pixel in
//! five is lit, which is what decides which terms are left out.

use crate::job::update;
use motenet::random::{below, generator, mix};
use motenet::{
    Acts, Dense, Init, Layer, Loss, Optimizer, Params, Pass, Relu, Scheme, Seq, Sgd, Shard, Simd,
    SoftmaxCrossEntropy, Step, Train, Zero,
};
use sha2::{Digest, Sha256};

/// A network for digits.
pub type Net = Seq![Dense<784, 16>, Relu<16>, Dense<16, 10>];

/// Steps of the job.
pub const STEPS: u32 = 1_000;

/// The hash of [`run`], the same for ever.
pub const HASH: &str = "2d42d64975244b432fce6a696d3a07f0861d0e712b4a073a3d0644603d7c5338";

const BATCH: usize = 2;
const LEARNING_RATE: f32 = 0.05;

/// Everything the job needs.
pub struct Workspace {
    model: Net,
    grad: Net,
    x: [[f32; 784]; BATCH],
    acts: <Net as Layer>::Acts<BATCH>,
    d_acts: <Net as Layer>::Acts<BATCH>,
}

impl Workspace {
    /// All zeros.
    pub const ZERO: Self = Workspace {
        model: Net::ZERO,
        grad: Net::ZERO,
        x: Zero::ZERO,
        acts: Zero::ZERO,
        d_acts: Zero::ZERO,
    };
}

/// Runs the job in `space`, which needs no clearing, and shows each step's two losses to `see`. The result is
/// [`HASH`], whatever `simd` is: over the losses of every step and the parameters at the end. Never panics.
///
/// # Memory
/// 109 KB in `space`, few hundred bytes of stack.
pub fn run(simd: Simd, space: &mut Workspace, mut see: impl FnMut([f32; BATCH])) -> [u8; 32] {
    let Workspace { model, grad, x, acts, d_acts } = space;
    let mut hash = Sha256::new();
    model.init(Scheme::KaimingNormal, 1.0, &mut generator(1));
    for number in 1..=STEPS {
        let first = u64::from(number) * BATCH as u64;
        let (mut labels, mut losses) = ([0; BATCH], [0.0; BATCH]);
        for ((k, x), label) in (first..).zip(x.iter_mut()).zip(&mut labels) {
            *label = sample(k, x);
        }
        let pass = Pass::train(simd, 1, first);
        model.forward(pass, x, acts);
        let (y, dy) = (acts.output(), d_acts.output_mut());
        let scale = 1.0 / BATCH as f32;
        SoftmaxCrossEntropy::default().gradient(simd, y, &labels, scale, dy, &mut losses);
        model.backward(pass, x, acts, d_acts, None);
        grad.flat_mut().fill(0.0);
        Net::accumulate(pass, x, acts, d_acts, Shard::whole(grad));
        let step = Step { number, learning_rate: LEARNING_RATE };
        Sgd::default().update(simd, step, model.flat_mut(), grad.flat(), &mut [], &mut []);
        update(&mut hash, &losses);
        see(losses);
    }
    update(&mut hash, model.flat());
    hash.finalize().into()
}

/// Sample number `k` and its class.
fn sample(k: u64, x: &mut [f32; 784]) -> u8 {
    let mut rng = generator(mix(k));
    let class = below(&mut rng, 10);
    let mut shape = generator(mix(u64::from(class)));
    for x in x {
        let lit = below(&mut shape, 4) == 0 && below(&mut rng, 4) != 0;
        *x = if lit { (1 + below(&mut rng, 255)) as f32 / 256.0 } else { 0.0 };
    }
    class as u8
}
