use motenet::{Loss, Simd, SoftmaxCrossEntropy};

fn main() {
    let (y, mut dy, mut losses) = ([[0.0; 10]], [[0.0; 10]], [0.0]);
    let loss = SoftmaxCrossEntropy::default();
    loss.gradient(Simd::baseline(), &y, &[[0.0; 10]], 1.0, &mut dy, &mut losses);
}
