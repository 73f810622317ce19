use motenet::{Loss, MeanSquaredError, Simd};

fn main() {
    let (y, mut dy, mut losses) = ([[0.0; 10]], [[0.0; 10]], [0.0]);
    MeanSquaredError.gradient(Simd::baseline(), &y, &[[0.0; 9]], 1.0, &mut dy, &mut losses);
}
