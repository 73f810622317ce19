use motenet::{Dense, Relu, Seq};

type Net = Seq![Dense<784, 64>, Relu<64>, Dense<65, 10>];

fn classify(_: &Net) {}

fn main() {
    let _ = classify;
}
