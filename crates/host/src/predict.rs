//! `host predict`: a model reads a picture.

use crate::art;
use crate::cli::PredictArgs;
use crate::console::Console;
use crate::failure::{Failure, fail};
use crate::picture::{self, Digit};
use crate::report::softmax;
use crate::saved::Saved;
use motenet::{Simd, argmax};
use motenet_data::Digits;
use motenet_models::digits::{self, DigitModel, Logits};
use serde::Serialize;
use std::process::ExitCode;

/// What `--json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    image: String,
    model: &'a str,
    digit: usize,
    probabilities: Logits,
    inverted: bool,
    checkpoint: String,
}

/// Predicts.
pub(crate) fn run(args: PredictArgs) -> Result<ExitCode, Failure> {
    let console = Console::new(args.json);
    let digit = picture::read(&args.image, args.raw)?;
    let saved = Saved::open(args.run.as_deref(), &args.out_dir)?;
    let read = Read { saved: &saved, digit: &digit };
    let Some(logits) = digits::find(saved.model(), read) else {
        return fail!(
            "{}: holds a model '{}', expected one that reads digits: name another with --run",
            saved.path().display(),
            saved.model()
        );
    };
    let p = softmax(&logits?);
    let answer = argmax(&p);
    console.line(format_args!(
        "{}: {}×{} pixels, {}",
        args.image.display(),
        digit.size.0,
        digit.size.1,
        match (args.raw, digit.inverted) {
            (true, _) => "taken as they are",
            (false, true) => "dark ink on light paper, so inverted",
            (false, false) => "light ink on a dark ground",
        }
    ));
    console.line(format_args!("What {} is shown, and what it makes of it:\n", saved.model()));
    let mut art = art::whole(&digit.image).into_iter();
    // Two lines of image, then ten beside the digits, then the rest.
    for line in art.by_ref().take(2) {
        console.line(format_args!("  {line}"));
    }
    for (k, share) in p.iter().enumerate() {
        let line = art.next().unwrap_or_default();
        let row = format!("{k}  {:>5.1} %  {}", 100.0 * share, art::bar(*share, 30));
        let row = if k == answer { console.good(row) } else { row };
        console.line(format_args!("  {line}   {row}"));
    }
    for line in art {
        console.line(format_args!("  {line}"));
    }
    console.line(format_args!(
        "\n{}",
        console.bold(format_args!("It is a {answer} ({:.1} %).", 100.0 * p[answer]))
    ));
    if console.json() {
        let answer = Answer {
            image: args.image.display().to_string(),
            model: saved.model(),
            digit: answer,
            probabilities: p,
            inverted: digit.inverted,
            checkpoint: saved.path().display().to_string(),
        };
        console.answer(serde_json::to_string(&answer).unwrap_or_default());
    }
    Ok(ExitCode::SUCCESS)
}

struct Read<'a> {
    saved: &'a Saved,
    digit: &'a Digit,
}

impl digits::Visit for Read<'_> {
    type Result = Result<Logits, Failure>;

    fn visit<M: DigitModel>(self) -> Self::Result {
        let mut trainer = self.saved.trainer::<M>(1, Simd::detect())?;
        // The label is not looked at.
        let one = Digits::new(vec![self.digit.image], vec![0])?;
        let mut logits = [0.0; 10];
        trainer.evaluate(&one, |_, y, _, _| logits = *y);
        Ok(logits)
    }
}
