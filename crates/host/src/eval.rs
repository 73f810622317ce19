//! `host eval`: a trained model, tested again.

use crate::cli::EvalArgs;
use crate::console::Console;
use crate::data::{self, Cut};
use crate::failure::{Failure, fail};
use crate::rectangles;
use crate::report::{Class, Report};
use crate::saved::Saved;
use crate::session::thousands;
use motenet::Simd;
use motenet_models::digits::{self, DigitModel};
use motenet_models::rectangles::RectangleModel;
use serde::Serialize;
use std::process::ExitCode;

/// What `--json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    model: &'a str,
    dataset: &'a str,
    test_accuracy: f64,
    test_loss: f64,
    /// By digit; empty for models that know no classes.
    classes: &'a [Class],
    /// `confusion[truth][answer]` counts digits.
    confusion: &'a [[u64; 10]],
    weights_sha256: String,
    checkpoint: String,
}

/// Tests.
pub(crate) fn run(args: EvalArgs) -> Result<ExitCode, Failure> {
    let console = Console::new(args.json);
    let saved = Saved::open(args.run.as_deref(), &args.out_dir)?;
    let name = saved.model().to_string();
    let test = Test { args: &args, saved: &saved, console: &console };
    let done = digits::find(&name, &test);
    let done = done.or_else(|| motenet_models::rectangles::find(&name, &test));
    done.unwrap_or_else(|| {
        fail!(
            "{}: holds a model '{name}', which this version does not know: update it",
            saved.path().display()
        )
    })
}

struct Test<'a> {
    args: &'a EvalArgs,
    saved: &'a Saved,
    console: &'a Console,
}

impl digits::Visit for &Test<'_> {
    type Result = Result<ExitCode, Failure>;

    fn visit<M: DigitModel>(self) -> Self::Result {
        let Test { args, saved, console } = self;
        let mut trainer = saved.trainer::<M>(args.threads, Simd::detect())?;
        let mut data = args.data.clone();
        data.dataset = Some(match data.dataset {
            Some(dataset) => dataset,
            None => saved.dataset_flag()?,
        });
        let splits = data::load(&data, Cut::default(), console)?;
        let report = Report::new(&mut trainer, &splits.test);
        let summary = report.summary;
        console.line(format_args!(
            "{} ({}) on the {} test digits of {} ({})",
            console.bold(M::NAME),
            saved.path().display(),
            thousands(summary.samples),
            splits.name,
            splits.origin
        ));
        console.line(format_args!(
            "{}, loss {:.4}\n",
            console.bold(format_args!("Accuracy {:.2} %", 100.0 * summary.accuracy)),
            summary.loss
        ));
        report.print_tables(console);
        if console.json() {
            let answer = Answer {
                model: M::NAME,
                dataset: &splits.name,
                test_accuracy: summary.accuracy,
                test_loss: summary.loss,
                classes: &report.classes(),
                confusion: &report.confusion,
                weights_sha256: Saved::hash(&trainer),
                checkpoint: saved.path().display().to_string(),
            };
            console.answer(serde_json::to_string(&answer).unwrap_or_default());
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl motenet_models::rectangles::Visit for &Test<'_> {
    type Result = Result<ExitCode, Failure>;

    fn visit<M: RectangleModel<LEN>, const LEN: usize>(self) -> Self::Result {
        let Test { args, saved, console } = self;
        if args.data.dataset.is_some() || args.data.data_dir.is_some() {
            return fail!(
                "model '{}' is tested on made-up rectangles only: leave --dataset and --data-dir out",
                M::NAME
            );
        }
        let mut trainer = saved.trainer::<M>(args.threads, Simd::detect())?;
        let (_, set) = rectangles::sets::<LEN>(saved.settings().seed);
        console.line(format_args!("{} ({})", console.bold(M::NAME), saved.path().display()));
        let summary = rectangles::test(&mut trainer, &set, console);
        if console.json() {
            let answer = Answer {
                model: M::NAME,
                dataset: rectangles::DATASET,
                test_accuracy: summary.accuracy,
                test_loss: summary.loss,
                classes: &[],
                confusion: &[],
                weights_sha256: Saved::hash(&trainer),
                checkpoint: saved.path().display().to_string(),
            };
            console.answer(serde_json::to_string(&answer).unwrap_or_default());
        }
        Ok(ExitCode::SUCCESS)
    }
}
