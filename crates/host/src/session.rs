//! One training run from where it stands to its end, whatever the model: progress, checkpoints, Ctrl-C.

use crate::console::Console;
use crate::engine::{Engine, Set, Trainable};
use crate::failure::{Failure, fail};
use crate::interrupt;
use crate::saved::Book;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use motenet_train::{Progress, Summary};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// At most about this many epochs get a line of their own in a run of very many.
const LINES: u32 = 40;

/// The time between two drawings of the bar.
const REDRAW: Duration = Duration::from_millis(80);

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Ctrl-C has ended it before its time.
    pub(crate) interrupted: bool,
    /// The last epoch trained.
    pub(crate) train: Option<Summary>,
    /// The validation set after that epoch.
    pub(crate) validation: Option<Summary>,
    /// Training time of each epoch that was trained here from its beginning to its end.
    seconds: Vec<f64>,
}

impl Outcome {
    /// The median training time of an epoch; `None` if none was trained whole.
    pub(crate) fn seconds_per_epoch(&self) -> Option<f64> {
        let mut sorted = self.seconds.clone();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted.len().checked_sub(1)? / 2, sorted.len() / 2);
        Some((sorted[low] + sorted[high]) / 2.0)
    }
}

/// What is trained on, and how its loss is written.
pub(crate) struct Course<'a, S: ?Sized> {
    pub(crate) train: &'a S,
    pub(crate) validation: Option<&'a S>,
    pub(crate) loss_title: &'static str,
    pub(crate) loss_text: fn(f64) -> String,
}

/// Trains until the last epoch is done or Ctrl-C is pressed. Whatever `book` holds is on disk then.
pub(crate) fn train<M, S>(
    engine: &mut Engine<M>,
    course: &Course<'_, S>,
    book: &mut Book,
    console: &mut Console,
) -> Result<Outcome, Failure>
where
    M: Trainable,
    S: Set<M> + ?Sized,
{
    let _patient = interrupt::catch();
    let mut outcome = Outcome::default();
    if engine.is_done() {
        return Ok(outcome);
    }
    let epochs = engine.settings().recipe.epochs;
    let samples = course.train.len() as u64;
    let bar = console.begin_bar(bar(u64::from(epochs) * samples, console));
    bar.set_position(u64::from(engine.position().epoch) * samples);
    bar.reset_eta(); // what an earlier session did says nothing about the speed of this one
    let mut drawn = Instant::now();
    let validation_title = if course.validation.is_some() { "validation" } else { "" };
    console.line(console.dim(format_args!(
        "{:>9}{:>14}{:>12}{validation_title:>13}{:>11}{:>13}",
        "epoch", course.loss_title, "accuracy", "seconds", "samples/s"
    )));
    while !engine.is_done() {
        let epoch = engine.position().epoch;
        let whole = engine.position().step == 0;
        let batch = u64::from(engine.settings().recipe.batch_size);
        let seen_before = (u64::from(engine.position().step) * batch).min(samples);
        let mut clock = Clock::start();
        let mut failure = None;
        let summary = engine.train_epoch(course.train, |view, progress| {
            let paused = Instant::now();
            if !bar.is_hidden() && drawn.elapsed() > REDRAW {
                draw(&bar, course, epoch, epochs, &progress);
                drawn = Instant::now();
            }
            let saved = check(&progress, epoch).and_then(|()| book.after_step(view));
            clock.watching += paused.elapsed();
            match saved {
                Ok(()) => interrupt::check(),
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        let seconds = clock.seconds();
        let summary = match (summary, failure) {
            (Err(failure), _) | (_, Some(failure)) => {
                console.end_bar();
                return Err(failure);
            }
            (Ok(summary), None) => summary,
        };
        let Some(summary) = summary else {
            outcome.interrupted = true;
            break;
        };
        let validation = course.validation.map(|set| engine.validate(set)).transpose();
        let validation = validation.inspect_err(|_| console.end_bar())?;
        if whole {
            outcome.seconds.push(seconds);
        }
        (outcome.train, outcome.validation) = (Some(summary), validation);
        let speed = (samples - seen_before) as f64 / seconds;
        let number = epoch + 1;
        if number.is_multiple_of(epochs.div_ceil(LINES)) || number == 1 || number == epochs {
            let percent = |share: f64| format!("{:.2} %", 100.0 * share);
            console.line(format_args!(
                "{:>9}{:>14}{:>12}{:>13}{seconds:>11.3}{:>13}",
                format!("{number}/{epochs}"),
                (course.loss_text)(summary.loss),
                percent(summary.accuracy),
                validation.map_or(String::new(), |validation| percent(validation.accuracy)),
                thousands(speed as u64),
            ));
        }
        if let Err(failure) = book.after_epoch(engine, summary, validation, seconds, speed) {
            console.end_bar();
            return Err(failure);
        }
        if interrupt::asked() && !engine.is_done() {
            outcome.interrupted = true;
            break;
        }
    }
    console.end_bar();
    if outcome.interrupted {
        book.save(engine.trainer()?)?;
    }
    Ok(outcome)
}

/// Time spent training, without what is done between the steps.
struct Clock {
    started: Instant,
    watching: Duration,
}

impl Clock {
    fn start() -> Self {
        Clock { started: Instant::now(), watching: Duration::ZERO }
    }

    fn seconds(&self) -> f64 {
        // Never 0, so that a speed can be computed.
        self.started.elapsed().saturating_sub(self.watching).as_secs_f64().max(1e-9)
    }
}

/// Stops a run whose numbers have run away: nothing could be learned from there, nor saved.
fn check(progress: &Progress, epoch: u32) -> Result<(), Failure> {
    if progress.position.loss_sum.is_finite() {
        return Ok(());
    }
    fail!(
        "the loss is no longer a finite number in epoch {}, step {}: lower --learning-rate or set --clip-norm 1",
        epoch + 1,
        progress.position.step
    )
}

fn bar(length: u64, console: &Console) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let bar = ProgressBar::with_draw_target(Some(length), target);
    let template = if console.colour() {
        "{prefix:>9} {bar:20.green/dim} {msg}, {eta} left"
    } else {
        "{prefix:>9} {bar:20} {msg}, {eta} left"
    };
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
    bar
}

fn draw<S: ?Sized>(
    bar: &ProgressBar,
    course: &Course<'_, S>,
    epoch: u32,
    epochs: u32,
    progress: &Progress,
) {
    let samples = bar.length().unwrap_or(0) / u64::from(epochs);
    let seen = progress.samples.max(1) as f64;
    bar.set_prefix(format!("{}/{epochs}", epoch + 1));
    bar.set_message(format!(
        "{} {}, {:.1} %, {}/s",
        course.loss_title,
        (course.loss_text)(progress.position.loss_sum / seen),
        100.0 * progress.position.right as f64 / seen,
        thousands(bar.per_sec() as u64),
    ));
    bar.set_position(u64::from(epoch) * samples + progress.samples);
}

/// A whole number with commas: `12,345`.
pub(crate) fn thousands(number: u64) -> String {
    HumanCount(number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        let of = |seconds: &[f64]| {
            Outcome { seconds: seconds.to_vec(), ..Outcome::default() }.seconds_per_epoch()
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[3.0]), Some(3.0));
        assert_eq!(of(&[3.0, 1.0]), Some(2.0));
        assert_eq!(of(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(of(&[9.0, 1.0, 2.0, 4.0]), Some(3.0));
    }

    #[test]
    fn numbers_have_commas() {
        let numbers = [0, 999, 1_000, 12_345, 1_234_567].map(thousands);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
