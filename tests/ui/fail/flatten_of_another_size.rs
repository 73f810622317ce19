use motenet::{Flatten, Layer, Pass, Simd, Zero};

fn main() {
    let layer = Flatten::<[[f32; 28]; 28], 783>::ZERO;
    layer.forward(Pass::infer(Simd::baseline()), &[[[0.0; 28]; 28]], &mut [[0.0; 783]]);
}
