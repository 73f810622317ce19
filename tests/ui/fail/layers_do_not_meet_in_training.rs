use motenet::{Dense, Relu, Seq, Train};

type Net = Seq![Dense<784, 64>, Relu<64>, Dense<65, 10>];

fn train<M: Train>() {}

fn main() {
    train::<Net>();
}
