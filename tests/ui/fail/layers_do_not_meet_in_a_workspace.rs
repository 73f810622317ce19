use motenet::{Dense, Layer, Relu, Seq};

type Net = Seq![Dense<784, 64>, Relu<32>, Dense<32, 10>];

type Workspace = <Net as Layer>::Acts<16>;

fn main() {
    let _: Option<Workspace> = None;
}
