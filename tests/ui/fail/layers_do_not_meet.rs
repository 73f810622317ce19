use motenet::{Dense, Layer, Pass, Relu, Seq, Simd, Zero};

type Net = Seq![Dense<784, 64>, Relu<32>, Dense<32, 10>];

fn main() {
    let mut acts = Zero::ZERO;
    Net::ZERO.forward::<1>(Pass::infer(Simd::baseline()), &[[0.0; 784]], &mut acts);
}
