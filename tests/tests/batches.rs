//! A batch that is shorter than its workspace: the rows past it are neither read nor written.

use motenet::{
    Acts, BinaryCrossEntropy, Dense, Dropout, Flatten, Gelu, LeakyRelu, Loss, MeanSquaredError,
    NoBias, Pass, Relu, Seq, Shard, Sigmoid, Simd, Softmax, SoftmaxCrossEntropy, Tanh, Tensor,
    Train, Zero, random,
};

const ROOM: usize = 20;

/// What marks a row that nobody may touch.
const UNTOUCHED: f32 = -7.25;

fn check<M: Train>(name: &str) {
    let mut rng = random::generator(1);
    let mut model = M::boxed();
    model.flat_mut().fill_with(|| random::normal(&mut rng));
    let mut x = [M::Input::ZERO; ROOM];
    M::Input::flatten_mut(&mut x).fill_with(|| random::normal(&mut rng));
    let mut dy = [M::Output::ZERO; ROOM];
    M::Output::flatten_mut(&mut dy).fill_with(|| random::normal(&mut rng));

    for simd in Simd::available() {
        for samples in [0, 1, 7, 16, 17, ROOM] {
            let pass = Pass::train(simd, 1, 0);
            let (mut acts, mut d_acts) = (M::Acts::<ROOM>::boxed(), M::Acts::<ROOM>::boxed());
            let mut dx = [M::Input::ZERO; ROOM];
            M::Input::flatten_mut(&mut dx).fill(UNTOUCHED);
            M::Output::flatten_mut(acts.output_mut()).fill(UNTOUCHED);
            // Rows past the batch hold a gradient too: one that must not count.
            d_acts.output_mut().copy_from_slice(&dy);
            model.forward(pass, &x[..samples], &mut acts);
            model.backward(pass, &x[..samples], &acts, &mut d_acts, Some(&mut dx));
            let mut grad = M::boxed();
            M::accumulate(pass, &x[..samples], &acts, &d_acts, Shard::whole(&mut *grad));

            let rest = M::Output::flatten(&acts.output()[samples..]);
            assert!(rest.iter().all(|&y| y == UNTOUCHED), "{name} writes outputs past {samples}");
            let rest = M::Input::flatten(&dx[samples..]);
            assert!(rest.iter().all(|&d| d == UNTOUCHED), "{name} writes gradients past {samples}");

            // The same samples in a full workspace that knows no others.
            let mut alone = M::boxed();
            for n in 0..samples {
                let pass = Pass::train(simd, 1, n as u64);
                let (mut acts, mut d_acts) = (M::Acts::<1>::boxed(), M::Acts::<1>::boxed());
                let mut dx_alone = [M::Input::ZERO];
                model.forward(pass, &x[n..=n], &mut acts);
                d_acts.output_mut().copy_from_slice(&dy[n..=n]);
                model.backward(pass, &x[n..=n], &acts, &mut d_acts, Some(&mut dx_alone));
                M::accumulate(pass, &x[n..=n], &acts, &d_acts, Shard::whole(&mut *alone));
                assert_eq!(M::Input::flatten(&dx_alone), M::Input::flatten(&dx[n..=n]), "{name}");
            }
            assert_eq!(grad.flat(), alone.flat(), "{name}: the gradient of {samples} samples");
        }
    }
}

#[test]
fn layers_keep_to_the_batch() {
    check::<Dense<9, 17>>("Dense");
    check::<Dense<7, 1, NoBias>>("Dense without bias");
    check::<Relu<9>>("Relu");
    check::<LeakyRelu<9>>("LeakyRelu");
    check::<Sigmoid<9>>("Sigmoid");
    check::<Tanh<9>>("Tanh");
    check::<Gelu<9>>("Gelu");
    check::<Softmax<9>>("Softmax");
    check::<Dropout<9, 30>>("Dropout");
    check::<Flatten<[[f32; 3]; 5], 15>>("Flatten");
    check::<Seq![Dense<9, 7>, Tanh<7>, Dense<7, 3>]>("a chain");
}

#[test]
fn losses_keep_to_the_batch() {
    fn check<L: Loss<[f32; 3]>>(loss: L, targets: [L::Target; 2]) {
        let y = [[0.5, -1.0, 2.0]; 3];
        // The shortest slice sets the number of samples, whichever it is.
        for (ys, ts, ds, ls) in [(1, 2, 3, 3), (3, 1, 3, 3), (3, 2, 1, 3), (3, 2, 3, 1)] {
            let (mut dy, mut losses) = ([[UNTOUCHED; 3]; 3], [UNTOUCHED; 3]);
            let (dy_part, losses_part) = (&mut dy[..ds], &mut losses[..ls]);
            loss.gradient(Simd::detect(), &y[..ys], &targets[..ts], 1.0, dy_part, losses_part);
            assert!(dy[0] != [UNTOUCHED; 3] && losses[0] != UNTOUCHED);
            assert_eq!((&dy[1..], &losses[1..]), (&[[UNTOUCHED; 3]; 2][..], &[UNTOUCHED; 2][..]));
        }
    }
    check(MeanSquaredError, [[1.0; 3]; 2]);
    check(BinaryCrossEntropy, [[1.0; 3]; 2]);
    check(SoftmaxCrossEntropy::default(), [1, 2]);
}
