use motenet::{
    Acts, Dense, Dropout, Flatten, Layer, Loss, Pass, Relu, Seq, Simd, SoftmaxCrossEntropy, Zero,
};

type Net = Seq![Flatten<[[f32; 3]; 4], 12>, Dense<12, 5>, Relu<5>, Dropout<5, 99>, Dense<5, 2>];

fn main() {
    let (mut acts, mut d_acts) = (<Net as Layer>::Acts::<2>::ZERO, <Net as Layer>::Acts::<2>::ZERO);
    let simd = Simd::baseline();
    Net::ZERO.forward(Pass::infer(simd), &[[[1.0; 3]; 4]; 2], &mut acts);
    let (y, dy, mut losses) = (acts.output(), d_acts.output_mut(), [0.0; 2]);
    SoftmaxCrossEntropy::default().gradient(simd, y, &[0, 1], 0.5, dy, &mut losses);
}
