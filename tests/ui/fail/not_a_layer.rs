use motenet::{Dense, Layer, Pass, Seq, Simd, Zero};

type Net = Seq![Dense<784, 64>, [f32; 64]];

fn main() {
    let mut acts = Zero::ZERO;
    Net::ZERO.forward::<1>(Pass::infer(Simd::baseline()), &[[0.0; 784]], &mut acts);
}
