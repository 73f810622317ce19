use motenet::Seq;
use motenet_quant::{Budget, QDense, QDenseRelu};

type Net = Seq![QDenseRelu<784, 64>, QDense<64, 10>];

const _: () = Budget { flash: 32_768, ram: 4_096 }.assert_fits::<Net>();

fn main() {}
