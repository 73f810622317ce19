use motenet::{Dropout, Layer, Pass, Simd};

fn main() {
    let pass = Pass::train(Simd::baseline(), 1, 0);
    Dropout::<10, 100>.forward(pass, &[[1.0; 10]], &mut [[0.0; 10]]);
}
