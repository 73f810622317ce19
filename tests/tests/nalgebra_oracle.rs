//! The dense layer against `nalgebra`'s matrix products in `f64`: with `M` the weights as a matrix of `OUT`
//! rows, `Y = M·X + b`, `dX = Mᵀ·dY`, `dM = dY·Xᵀ`, `db = Σ dY`; a sample is a column.

use motenet::{Acts, Dense, Layer, NoBias, Params, Pass, Shard, Simd, Train, Zero, random};
use nalgebra::{DMatrix, SMatrix, SVector};

fn noise<const K: usize>(seed: u64, n: usize) -> Vec<[f32; K]> {
    let mut rng = random::generator(seed);
    (0..n).map(|_| std::array::from_fn(|_| random::normal(&mut rng))).collect()
}

/// Rows of ours as the columns of a matrix.
fn columns<const K: usize>(rows: &[[f32; K]]) -> DMatrix<f64> {
    DMatrix::from_fn(K, rows.len(), |k, n| f64::from(rows[n][k]))
}

/// A chain of `terms` fused multiply-adds is off by at most `(terms + 1) · 2⁻²⁴` of the sum of the
/// terms' sizes, which `sizes` holds (the same product, of absolute values).
#[track_caller]
fn close(found: &DMatrix<f64>, expected: &DMatrix<f64>, sizes: &DMatrix<f64>, terms: usize) {
    assert_eq!(found.shape(), expected.shape());
    let bound = (terms + 1) as f64 * f64::from(f32::EPSILON) / 2.0;
    for (k, ((found, expected), size)) in found.iter().zip(expected).zip(sizes).enumerate() {
        assert!((found - expected).abs() <= bound * size, "element {k}: {found}, not {expected}");
    }
}

fn check<const IN: usize, const OUT: usize, const N: usize>(samples: usize) {
    let mut layer = Dense::<IN, OUT>::boxed();
    layer.flat_mut().copy_from_slice(noise::<1>(1, (IN + 1) * OUT).as_flattened());
    let (x, dy) = (noise::<IN>(2, samples), noise::<OUT>(3, samples));
    let m = DMatrix::from_fn(OUT, IN, |o, i| f64::from(layer.weight_matrix()[(o, i)]));
    let b = columns(&[layer.bias]);
    let ones = DMatrix::from_element(1, samples, 1.0);
    let (mx, mdy) = (columns(&x), columns(&dy));

    for simd in Simd::available() {
        let pass = Pass::infer(simd);
        let (mut y, mut d_acts) = (Box::new([[0.0; OUT]; N]), Box::new([[0.0; OUT]; N]));
        layer.forward(pass, &x, &mut y);
        let sizes = m.abs() * mx.abs() + b.abs() * &ones;
        close(&columns(&y.output()[..samples]), &(&m * &mx + &b * &ones), &sizes, IN + 1);

        d_acts[..samples].copy_from_slice(&dy);
        let mut dx = vec![[f32::NAN; IN]; samples];
        layer.backward(pass, &x, &y, &mut d_acts, Some(&mut dx));
        let sizes = m.transpose().abs() * mdy.abs();
        close(&columns(&dx), &(m.transpose() * &mdy), &sizes, OUT);
        assert_eq!(d_acts[..samples], dy, "the gradient of the output is left alone");

        // Twice, onto what is there already.
        let mut grad = Dense::<IN, OUT>::boxed();
        for _ in 0..2 {
            Dense::<IN, OUT>::accumulate(pass, &x, &y, &d_acts, Shard::whole(&mut *grad));
        }
        let (dm, sizes) = (&mdy * mx.transpose() * 2.0, mdy.abs() * mx.transpose().abs() * 2.0);
        close(&columns(&grad.weights), &dm, &sizes, 2 * samples);
        let (db, sizes) = (&mdy * ones.transpose() * 2.0, mdy.abs() * ones.transpose() * 2.0);
        close(&columns(&[grad.bias]), &db, &sizes, 2 * samples);
    }
}

#[test]
fn products_agree() {
    check::<1, 1, 1>(1);
    check::<2, 3, 5>(4);
    check::<7, 8, 9>(9);
    check::<9, 17, 7>(7);
    check::<17, 1, 8>(8);
    check::<33, 65, 17>(17);
    check::<129, 10, 65>(65);
    check::<785, 3, 7>(6);
    check::<20, 100, 70>(0);
}

#[test]
fn conversions_go_there_and_back() {
    let mut layer = Dense::<7, 3>::ZERO;
    layer.flat_mut().copy_from_slice(noise::<1>(4, 24).as_flattened());
    let (matrix, bias): (SMatrix<f32, 3, 7>, SVector<f32, 3>) =
        (layer.weight_matrix(), layer.bias_vector());
    for (i, row) in layer.weights.iter().enumerate() {
        for (o, weight) in row.iter().enumerate() {
            assert_eq!(matrix[(o, i)], *weight);
        }
    }
    assert_eq!(bias.as_slice(), layer.bias);
    assert_eq!(Dense::from((&matrix, &bias)), layer);

    let without: Dense<7, 3, NoBias> = (&matrix).into();
    assert_eq!(without.weights, layer.weights);
    assert_eq!(without.weight_matrix(), matrix);

    let mut other = Dense::<7, 3>::ZERO;
    other.set_weight_matrix(&matrix);
    assert_eq!((other.weights, other.bias), (layer.weights, [0.0; 3]));
}

/// Our rows, one an input, are `nalgebra`'s columns: a view costs nothing and no copy is needed.
#[test]
fn memory_is_laid_out_alike() {
    let mut layer = Dense::<7, 3>::ZERO;
    layer.flat_mut().copy_from_slice(noise::<1>(5, 24).as_flattened());
    assert_eq!(layer.weight_matrix().as_slice(), layer.weights.as_flattened());
    let view = nalgebra::MatrixView::<f32, nalgebra::Const<3>, nalgebra::Const<7>>::from_slice(
        layer.weights.as_flattened(),
    );
    assert_eq!(view, layer.weight_matrix());
    assert_eq!(view.as_ptr(), layer.weights.as_flattened().as_ptr());
}
