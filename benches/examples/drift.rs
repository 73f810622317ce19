//! How far two runs drift apart that differ by the last bit of one weight: what the losses of two devices are
//! to be held against (`docs/gpu.md`).
//!
//! `MNIST_DIR=… cargo run --release -p motenet-benches --example drift`

use motenet::{Params, Simd};
use motenet_benches::digits;
use motenet_models::Model;
use motenet_models::digits::Mlp;
use motenet_train::{Settings, Summary, Trainer};
use std::ops::ControlFlow;

/// The weights that are moved, one a run.
const MOVED: [usize; 4] = [300 * 64, 350 * 64 + 1, 400 * 64 + 2, 785 * 64 + 7];

fn main() -> Result<(), String> {
    let (name, mut train, _) = digits::sets()?;
    // As `host` does by default, all but 5,000.
    train.images.truncate(55_000);
    train.labels.truncate(55_000);
    println!("mlp by its own recipe on {} digits of {name}", train.images.len());
    println!(
        "loss of each epoch against the plain run's, by the weight that is one ulp larger in magnitude"
    );
    let run = |moved: Option<usize>| -> Vec<Summary> {
        let settings = Settings { recipe: Mlp::RECIPE, seed: 1 };
        let mut trainer: Trainer<Mlp> = Trainer::new(settings, 2, Simd::detect());
        if let Some(index) = moved {
            let mut weights = trainer.network().flat().to_vec();
            weights[index] = f32::from_bits(weights[index].to_bits() + 1);
            let moments: Vec<Vec<f32>> = trainer.moments().map(<[f32]>::to_vec).collect();
            assert!(trainer.restore(trainer.position(), &weights, &moments));
        }
        let epoch = |_| trainer.train_epoch(&train, |_, _| ControlFlow::Continue(()));
        (0..Mlp::RECIPE.epochs).filter_map(epoch).collect()
    };
    let plain = run(None);
    let others = MOVED.map(|index| run(Some(index)));
    print!("{:>5}", "epoch");
    MOVED.iter().for_each(|index| print!("{index:>9}"));
    println!();
    for (epoch, expected) in plain.iter().enumerate() {
        print!("{:>5}", epoch + 1);
        for other in &others {
            print!("{:>9.0e}", (other[epoch].loss / expected.loss - 1.0).abs());
        }
        println!();
    }
    print!("largest difference of the accuracy:");
    for other in &others {
        let pairs = plain.iter().zip(other);
        let off = pairs.map(|(a, b)| (a.accuracy - b.accuracy).abs()).fold(0.0, f64::max);
        print!(" {:.3}", 100.0 * off);
    }
    println!(" points");
    Ok(())
}
