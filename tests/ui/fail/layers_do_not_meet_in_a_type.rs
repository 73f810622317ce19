use motenet::{Dense, Relu, Seq};

type Net = Seq![Dense<784, 64>, Relu<32>, Dense<32, 10>];

fn classify(_: &Net) {}

fn main() {
    let _ = classify;
}
