use motenet::{Dense, Layer, Pass, Relu, Seq, Simd, Zero};

type Net = Seq![Dense<784, 64>, Relu<64>, Dense<64, 10>];

fn main() {
    let mut acts = Zero::ZERO;
    Net::ZERO.forward::<1>(Pass::infer(Simd::baseline()), &[[0.0; 28 * 29]], &mut acts);
}
