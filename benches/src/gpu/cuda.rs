//! The same epochs through cuBLAS: the ceiling on NVIDIA cards.

use super::Options;
use super::epochs::{Beside, Row, fastest, trainer};
use super::models::{self, Visit};
use motenet_data::Digits;
use motenet_gpu::Error;
use motenet_gpu::cuda::{Cuda, CudaTrainer};
use motenet_models::Recipe;
use motenet_models::digits::DigitModel;

struct Measure<'a> {
    cuda: &'a Cuda,
    train: &'a Digits,
    options: &'a Options,
    rows: &'a [Row],
    beside: &'a mut Vec<Beside>,
}

/// Adds a speed for each of `rows` to `beside`, and prints how far its loss is off; says so where there is no CUDA.
///
/// # Errors
/// Those of the device.
pub(super) fn measure(
    train: &Digits,
    options: &Options,
    rows: &[Row],
    beside: &mut Vec<Beside>,
) -> Result<(), Error> {
    match Cuda::open() {
        Err(error) => {
            println!("\ncuBLAS: skipped ({error})");
            Ok(())
        }
        Ok(cuda) => {
            println!("\ncuBLAS on {}: its last loss against the CPU's", cuda.name());
            models::each(&mut Measure { cuda: &cuda, train, options, rows, beside })
        }
    }
}

impl Visit for Measure<'_> {
    type Error = Error;

    fn visit<M: DigitModel>(&mut self, shape: &'static str) -> Result<(), Error> {
        for row in self.rows.iter().filter(|row| row.shape == shape) {
            let (epochs, batch) = (self.options.epochs, row.batch);
            let recipe = Recipe { epochs, batch_size: batch, ..Recipe::PLAIN };
            let mut trainer = CudaTrainer::new(self.cuda, trainer::<M>(recipe, 1), self.train)?;
            let run = fastest(epochs, self.train.len(), || trainer.train_epoch().map(Some))?;
            println!("{shape}, {batch}: {:.0e}", (run.last.loss / row.cpu.last.loss - 1.0).abs());
            let samples_per_second = run.samples_per_second;
            self.beside.push(Beside {
                shape: shape.into(),
                batch,
                column: "cuBLAS".into(),
                samples_per_second,
            });
        }
        Ok(())
    }
}
