//! What layers and losses make of zeros of both signs, infinities, NaN and numbers far out.

use motenet::layers::Pointwise;
use motenet::{
    BinaryCrossEntropy, Gelu, Layer, LeakyRelu, Loss, MeanSquaredError, Pass, Relu, Sigmoid, Simd,
    Softmax, SoftmaxCrossEntropy, Tanh, Train, Zero, optimizers::clip_norm,
};

/// `f(x)` and `f′(x)`, the same at every level.
fn at<F: Pointwise<Tensor = [f32; 1]> + Train<Input = [f32; 1], Output = [f32; 1]>>(
    x: f32,
) -> (f32, f32) {
    let mut all = Simd::available().map(|simd| {
        let (pass, x, mut dx) = (Pass::infer(simd), [[x]], [[9.0]]);
        let (mut y, mut dy) = (F::Acts::<1>::ZERO, F::Acts::<1>::ZERO);
        F::ZERO.forward(pass, &x, &mut y);
        motenet::Acts::output_mut(&mut dy)[0] = [1.0];
        F::ZERO.backward(pass, &x, &y, &mut dy, Some(&mut dx));
        (motenet::Acts::output(&y)[0][0], dx[0][0])
    });
    let first = all.next().unwrap();
    for other in all {
        let bits = |(y, dx): (f32, f32)| (y.is_nan() || y.to_bits() == first.0.to_bits(), dx);
        assert!(bits(other).0 && (other.1 == first.1 || first.1.is_nan()), "{other:?}, {first:?}");
    }
    first
}

/// Equal, and zeros of the same sign.
#[track_caller]
fn same(found: (f32, f32), expected: (f32, f32)) {
    let bits = |(y, dx): (f32, f32)| (y.to_bits(), dx.to_bits());
    assert_eq!(bits(found), bits(expected), "{found:?}, not {expected:?}");
}

#[test]
fn rectifiers_take_the_left_slope_at_the_kink() {
    same(at::<Relu<1>>(0.0), (0.0, 0.0));
    same(at::<Relu<1>>(-0.0), (0.0, 0.0));
    same(at::<Relu<1>>(1e-45), (1e-45, 1.0));
    same(at::<Relu<1>>(-1e-45), (0.0, 0.0));
    same(at::<Relu<1>>(f32::INFINITY), (f32::INFINITY, 1.0));
    same(at::<Relu<1>>(f32::NEG_INFINITY), (0.0, 0.0));
    same(at::<LeakyRelu<1, 250>>(0.0), (0.0, 0.25));
    same(at::<LeakyRelu<1, 250>>(-0.0), (-0.0, 0.25));
    same(at::<LeakyRelu<1, 250>>(1e-45), (1e-45, 1.0));
    same(at::<LeakyRelu<1, 250>>(-4.0), (-1.0, 0.25));
    same(at::<LeakyRelu<1, 250>>(f32::NEG_INFINITY), (f32::NEG_INFINITY, 0.25));
}

#[test]
fn smooth_activations_level_off() {
    for x in [20.0, 1e4, 1e20, f32::MAX] {
        assert_eq!(at::<Sigmoid<1>>(x), (1.0, 0.0));
        assert_eq!(at::<Tanh<1>>(x), (1.0, 0.0));
        assert_eq!(at::<Tanh<1>>(-x), (-1.0, 0.0));
        assert_eq!(at::<Gelu<1>>(x), (x, 1.0));
        assert_eq!(at::<Gelu<1>>(-x), (0.0, 0.0));
    }
    assert_eq!(at::<Sigmoid<1>>(-1e4), (0.0, 0.0));
    assert_eq!(at::<Sigmoid<1>>(0.0), (0.5, 0.25));
    assert_eq!(at::<Tanh<1>>(0.0), (0.0, 1.0));
    assert_eq!(at::<Gelu<1>>(0.0), (0.0, 0.5));
}

#[test]
fn a_nan_is_not_hidden() {
    assert!(at::<Relu<1>>(f32::NAN).0.is_nan());
    assert!(at::<LeakyRelu<1>>(f32::NAN).0.is_nan());
    assert!(at::<Sigmoid<1>>(f32::NAN).0.is_nan());
    assert!(at::<Tanh<1>>(f32::NAN).0.is_nan());
    assert!(at::<Gelu<1>>(f32::NAN).0.is_nan());
    for simd in Simd::available() {
        let mut y = [[0.0; 3]];
        Softmax::<3>.forward(Pass::infer(simd), &[[0.0, f32::NAN, 1.0]], &mut y);
        assert!(y[0].iter().all(|y| y.is_nan()));
        let (mut dy, mut losses) = ([[0.0; 2]], [0.0]);
        MeanSquaredError.gradient(simd, &[[f32::NAN, 1.0]], &[[1.0; 2]], 1.0, &mut dy, &mut losses);
        assert!(losses[0].is_nan() && dy[0][0].is_nan() && dy[0][1] == 0.0);
        let y = [[f32::NAN, 1.0]];
        BinaryCrossEntropy.gradient(simd, &y, &[[1.0; 2]], 1.0, &mut dy, &mut losses);
        assert!(losses[0].is_nan() && dy[0][0].is_nan() && !dy[0][1].is_nan());
    }
}

#[test]
fn softmax_of_large_numbers() {
    for simd in Simd::available() {
        let x = [[1e30, -1e30, 1e30], [-1e30; 3], [-200.0, -400.0, -200.0], [f32::MIN, 0.0, 0.0]];
        let mut y = [[9.0; 3]; 4];
        Softmax::<3>.forward(Pass::infer(simd), &x, &mut y);
        let third = 1.0 / 3.0;
        assert_eq!(y, [[0.5, 0.0, 0.5], [third; 3], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]]);
    }
}

/// A label that is no class: a target that is zero everywhere, so the gradient is the softmax itself.
#[test]
fn a_label_beyond_the_classes_is_no_class() {
    for label in [3, 4, 255] {
        let (mut dy, mut losses) = ([[9.0; 3]], [9.0]);
        let loss = SoftmaxCrossEntropy::default();
        loss.gradient(Simd::detect(), &[[0.0; 3]], &[label], 3.0, &mut dy, &mut losses);
        assert_eq!(dy, [[1.0; 3]]);
        assert!((losses[0] - 3f32.ln()).abs() < 1e-6);
    }
}

#[test]
fn clipping_leaves_short_and_zero_gradients_alone() {
    for simd in Simd::available() {
        assert_eq!(clip_norm(simd, &mut [], 1.0), 0.0);
        let mut grad = [0.0; 17];
        assert_eq!(clip_norm(simd, &mut grad, 1.0), 0.0);
        assert_eq!(grad, [0.0; 17]);
        let mut grad = [0.5; 16];
        assert_eq!(clip_norm(simd, &mut grad, 2.0 + 1e-5), 2.0);
        assert_eq!(grad, [0.5; 16]);
        assert_eq!(clip_norm(simd, &mut grad, 0.5), 2.0);
        assert!(grad.iter().all(|g| (g - 0.125).abs() < 1e-6 && *g == grad[0]));
    }
}
