//! Training steps whose panic handler calls a function that does not exist.
//!
//! The linker leaves out what nothing refers to. If it does not miss the function, then no branch
//! of the code below can panic. Everything that a compiler could compute ahead comes in from outside.
#![no_std]

use motenet::optimizers::clip_norm;
use motenet::random::{generator, shuffle};
use motenet::{
    Acts, Adam, AnyOptimizer, BinaryCrossEntropy, Dense, Dropout, Flatten, Gelu, Init, Layer,
    LeakyRelu, Loss, MeanSquaredError, NoBias, Optimizer, Params, Pass, Relu, Schedule, Scheme,
    Seq, Sgd, Shard, Sigmoid, Simd, Softmax, SoftmaxCrossEntropy, Step, Tanh, Train,
};

unsafe extern "C" {
    fn this_code_can_panic() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe { this_code_can_panic() }
}

/// What the precompiled `core` refers to for unwinding, which never happens here.
#[unsafe(no_mangle)]
pub extern "C" fn rust_eh_personality() {}

type Net = Seq![
    Flatten<[[f32; 5]; 3], 15>,
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

const N: usize = 8;
type Room = <Net as Layer>::Acts<N>;

/// One sample's output.
#[unsafe(no_mangle)]
pub fn infer(model: &Net, x: &[[[f32; 5]; 3]; N], samples: usize, acts: &mut Room) {
    let x = x.get(..samples).unwrap_or(x);
    model.forward(Pass::infer(Simd::baseline()), x, acts);
}

/// One batch's gradient, in two shards.
#[unsafe(no_mangle)]
pub fn gradient(
    model: &Net,
    grad: &mut Net,
    x: &[[[f32; 5]; 3]; N],
    dx: &mut [[[f32; 5]; 3]; N],
    (targets, labels): (&[[f32; 5]; N], &[u8; N]),
    acts: &mut Room,
    d_acts: &mut Room,
    losses: &mut [f32; N],
    pass: &Pass,
    (samples, cut, kind): (usize, usize, u8),
) {
    let (pass, x) = (*pass, x.get(..samples).unwrap_or(x));
    model.forward(pass, x, acts);
    let (y, dy, scale) = (acts.output(), d_acts.output_mut(), 1.0 / N as f32);
    match kind {
        0 => MeanSquaredError.gradient(pass.simd, y, targets, scale, dy, losses),
        1 => BinaryCrossEntropy.gradient(pass.simd, y, targets, scale, dy, losses),
        _ => {
            let loss = SoftmaxCrossEntropy { label_smoothing: scale };
            loss.gradient(pass.simd, y, labels, scale, dy, losses);
        }
    }
    model.backward(pass, x, acts, d_acts, Some(dx));
    let (head, tail) = Shard::whole(grad).split(cut);
    Net::accumulate(pass, x, acts, d_acts, head);
    Net::accumulate(pass, x, acts, d_acts, tail);
}

/// One step of any optimizer on any schedule.
#[unsafe(no_mangle)]
pub fn update(
    model: &mut Net,
    grad: &mut Net,
    m: &mut Net,
    v: &mut Net,
    rule: &AnyOptimizer,
    schedule: &Schedule,
    (number, steps): (u32, u32),
    max_norm: f32,
) {
    let simd = Simd::baseline();
    clip_norm(simd, grad.flat_mut(), max_norm);
    let learning_rate = schedule.learning_rate(max_norm, number, steps);
    let step = Step { number, learning_rate };
    let (w, grad, m, v) = (model.flat_mut(), grad.flat_mut(), m.flat_mut(), v.flat_mut());
    rule.update(simd, step, w, grad, m, v);
    Sgd { momentum: max_norm, ..Sgd::default() }.update(simd, step, w, grad, m, v);
    Adam::default().update(simd, step, w, grad, m, v);
}

/// The first parameters.
#[unsafe(no_mangle)]
pub fn init(model: &mut Net, order: &mut [u32; 100], seed: u64, xavier: bool) {
    let scheme = if xavier { Scheme::XavierUniform } else { Scheme::KaimingNormal };
    model.init(scheme, 1.0, &mut generator(seed));
    shuffle(&mut generator(seed), order);
}

/// The branch that must be missed.
#[cfg(feature = "control")]
#[unsafe(no_mangle)]
pub fn control(x: &[f32; 4], at: usize) -> f32 {
    x[at]
}
