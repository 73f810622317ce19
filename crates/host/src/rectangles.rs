//! `host train --model napkin` and its kin: the average of a rectangle, small enough to check by hand.

use crate::console::Console;
use crate::failure::{Failure, fail};
use crate::saved::Source;
use crate::session::{Course, thousands};
use crate::train::Job;
use motenet::{Params, Simd};
use motenet_data::rectangles::{Rectangles, rectangles};
use motenet_models::rectangles::{RectangleModel, Visit};
use motenet_train::{Samples, Summary, Trainer};
use std::process::ExitCode;

/// The name of the dataset.
pub(crate) const DATASET: &str = "rectangles";

/// Rectangles to train on, and again to test on.
const COUNT: usize = 1_000;

/// The rectangle that the four-pixel models are asked about before and after; its mean is 0.45.
const QUESTION: [f32; 4] = [0.2, 0.5, 0.4, 0.7];

/// More weights than this are not printed.
const FEW: usize = 25;

pub(crate) struct OnRectangles<'a>(pub(crate) &'a mut Job);

impl Visit for OnRectangles<'_> {
    type Result = Result<ExitCode, Failure>;

    fn visit<M: RectangleModel<LEN>, const LEN: usize>(self) -> Self::Result {
        self.0.train_on_rectangles::<M, LEN>()
    }
}

/// The rectangles that a run with this seed trains on, and those it is tested on.
pub(crate) fn sets<const LEN: usize>(seed: u64) -> (Rectangles<LEN>, Rectangles<LEN>) {
    // The seeds of two runs next to each other must not share a set.
    (rectangles(seed, COUNT), rectangles(!seed, COUNT))
}

/// Tests a model and says how good it is.
pub(crate) fn test<M: RectangleModel<LEN>, const LEN: usize>(
    trainer: &mut Trainer<M>,
    set: &Rectangles<LEN>,
    console: &Console,
) -> Summary {
    let summary = trainer.evaluate(set, |_, _, _, _| {});
    console.line(format_args!(
        "Mean squared error {:.3e} on {} other rectangles; {:.1} % of the answers are within 0.05",
        summary.loss,
        thousands(summary.samples),
        100.0 * summary.accuracy
    ));
    summary
}

impl Job {
    fn train_on_rectangles<M: RectangleModel<LEN>, const LEN: usize>(
        &mut self,
    ) -> Result<ExitCode, Failure> {
        let typed = [
            ("--dataset", self.args.data.dataset.is_some()),
            ("--data-dir", self.args.data.data_dir.is_some()),
            ("--validation", self.args.validation.is_some()),
            ("--train-size", self.args.train_size.is_some()),
        ];
        if let Some((flag, _)) = typed.iter().find(|(_, typed)| *typed) {
            return fail!(
                "model '{}' learns from made-up rectangles only: leave {flag} out",
                M::NAME
            );
        }
        let saved = self.saved.as_ref().map(|saved| saved.settings().seed);
        let seed = saved.or(self.args.recipe.seed).unwrap_or(crate::train::SEED);
        let (train, test_set) = sets::<LEN>(seed);
        let source = Source {
            dataset: DATASET.into(),
            // A function of the seed and the model, both of which a checkpoint names.
            sha256: String::new(),
            samples: train.len(),
            validation: 0,
        };
        let (mut trainer, mut book) = self.prepare::<M>(source)?;
        let data = format!(
            "{DATASET} of {} grey values: {count} to train on, {count} to test",
            thousands(LEN as u64),
            count = thousands(COUNT as u64)
        );
        self.introduce::<M>(&trainer, &book, &data);
        ask(&mut trainer, &test_set, "Before", &self.console);
        let course = Course {
            train: &train,
            validation: None,
            loss_title: "squared error",
            loss_text: |loss| format!("{loss:.3e}"),
        };
        let (mut trainer, outcome) = self.follow(trainer, &course, &mut book)?;
        if outcome.interrupted {
            return Ok(self.interrupted(&trainer, &book));
        }
        let console = &self.console;
        console.line("");
        ask(&mut trainer, &test_set, "After", console);
        let summary = test(&mut trainer, &test_set, console);
        let weights = trainer.network().flat();
        if weights.len() <= FEW {
            let text: Vec<_> = weights.iter().map(|weight| format!("{weight:.4}")).collect();
            console.line(format_args!("Weights: {}", text.join("  ")));
        }
        console.line("");
        let drawn = book.draw_curves();
        self.conclude(&trainer, &book, &outcome, DATASET, train.len(), summary.accuracy);
        drawn.map(|()| ExitCode::SUCCESS)
    }
}

/// One rectangle as a dataset.
struct One<'a, const LEN: usize>(&'a [f32; LEN]);

impl<const LEN: usize> Samples<[f32; LEN], [f32; 1]> for One<'_, LEN> {
    fn len(&self) -> usize {
        1
    }

    fn load(&self, _: Simd, _: usize, x: &mut [f32; LEN]) -> [f32; 1] {
        *x = *self.0;
        [0.0]
    }
}

/// Asks the model about one rectangle and prints its answer.
fn ask<M: RectangleModel<LEN>, const LEN: usize>(
    trainer: &mut Trainer<M>,
    set: &Rectangles<LEN>,
    when: &str,
    console: &Console,
) {
    let known = QUESTION.first_chunk::<LEN>().filter(|_| LEN == QUESTION.len());
    let Some(rectangle) = known.or(set.pixels().first()) else { return };
    let mean = rectangle.iter().map(|&value| f64::from(value)).sum::<f64>() / LEN as f64;
    let mut answer = f32::NAN;
    trainer.evaluate(&One(rectangle), |_, y, _, _| answer = y[0]);
    let of =
        if known.is_some() { format!("{rectangle:?}") } else { format!("a rectangle of {LEN}") };
    console.line(format_args!(
        "{} training, the average of {of} is {answer:.4} to the model; it is {mean:.4}",
        console.bold(when)
    ));
    if when == "Before" {
        console.line("");
    }
}
