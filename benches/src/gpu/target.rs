//! How long each device trains until 98 % of the test digits are right.

use super::contenders::trainer;
use super::cpus;
use super::models::{self, Visit};
use motenet_data::Digits;
use motenet_gpu::{Error, Gpu, GpuTrainer};
use motenet_models::digits::DigitModel;
use motenet_train::Summary;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::time::Instant;

/// The accuracy that is waited for.
const TARGET: f64 = 0.98;

struct Wait<'a> {
    gpu: Option<&'a Gpu>,
    train: &'a Digits,
    test: &'a Digits,
    patience: f64,
    failed: usize,
}

/// Prints the table, of each model by its own recipe, and returns how many devices failed. Nothing if the
/// patience is none.
pub(super) fn print(gpu: Option<&Gpu>, train: &Digits, test: &Digits, patience: f64) -> usize {
    if patience <= 0.0 {
        return 0;
    }
    println!(
        "\nTraining time until {:.0} % of {} test digits are right, on {} digits by the recipe of `mlp`",
        100.0 * TARGET,
        test.len(),
        train.len()
    );
    println!("{:<18}  {:<18}{:>9}{:>8}{:>10}", "model", "device", "seconds", "epochs", "test");
    let mut wait = Wait { gpu, train, test, patience, failed: 0 };
    let Ok(()) = models::each(&mut wait);
    wait.failed
}

impl Visit for Wait<'_> {
    type Error = Infallible;

    fn visit<M: DigitModel>(&mut self, shape: &'static str) -> Result<(), Infallible> {
        let (train, test) = (self.train, self.test);
        for (threads, device) in cpus() {
            let mut trainer = trainer::<M>(M::RECIPE, threads);
            let found = self.reach::<M, _>(
                &mut trainer,
                |trainer, watch| Ok(trainer.train_epoch(train, |_, _| watch())),
                |trainer| Ok(trainer.evaluate(test, |_, _, _, _| {}).accuracy),
            );
            self.say(shape, &device, found);
        }
        let Some(gpu) = self.gpu else {
            println!("{shape:<18}  {:<18}{:>9}", "GPU", "skipped");
            return Ok(());
        };
        let made = GpuTrainer::new(gpu, trainer::<M>(M::RECIPE, 1), train)
            .and_then(|trainer| Ok((trainer.upload(test)?, trainer)));
        let found = made.and_then(|(set, mut trainer)| {
            self.reach::<M, _>(
                &mut trainer,
                |trainer, watch| trainer.train_epoch(|_, _| watch()),
                |trainer| Ok(trainer.evaluate(&set)?.accuracy),
            )
        });
        self.say(shape, "GPU", found);
        Ok(())
    }
}

impl Wait<'_> {
    fn say(&mut self, shape: &str, device: &str, found: Result<String, Error>) {
        print!("{shape:<18}  {device:<18}");
        match found {
            Ok(text) => println!("{text}"),
            Err(error) => {
                self.failed += 1;
                println!("failed: {error}");
            }
        }
    }

    /// Trains until it is reached, the recipe is through, or patience is lost. Only training is timed.
    fn reach<M: DigitModel, T>(
        &self,
        trainer: &mut T,
        mut train: impl FnMut(&mut T, &dyn Fn() -> ControlFlow<()>) -> Result<Option<Summary>, Error>,
        mut test: impl FnMut(&mut T) -> Result<f64, Error>,
    ) -> Result<String, Error> {
        let (mut seconds, mut accuracy, mut epoch, mut lost) = (0.0, 0.0, 0, false);
        while epoch < M::RECIPE.epochs && accuracy < TARGET && !lost {
            let (start, left) = (Instant::now(), self.patience - seconds);
            let watch = || match start.elapsed().as_secs_f64() < left {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            };
            lost = train(trainer, &watch)?.is_none();
            seconds += start.elapsed().as_secs_f64();
            accuracy = test(trainer)?;
            epoch += u32::from(!lost);
        }
        let why = match lost {
            // Whatever the test says: it was taken within an epoch.
            true => "  not reached: out of patience (--patience)",
            false if accuracy < TARGET => "  not reached",
            false => "",
        };
        Ok(format!("{seconds:>9.3}{epoch:>8}{:>8.2} %{why}", 100.0 * accuracy))
    }
}
