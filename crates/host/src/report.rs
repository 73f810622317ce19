//! What a test on digits comes to: accuracy, a table of classes, confusions, the worst digits.

use crate::art;
use crate::console::Console;
use motenet::{Layer, Pass, Simd, Softmax, argmax};
use motenet_data::{Digits, Image};
use motenet_models::digits::{DigitModel, Logits};
use motenet_train::{Summary, Trainer};
use serde::Serialize;

/// Digits shown at the end of a run.
const WORST: usize = 10;

/// A digit that the model found hard.
struct Hard {
    index: usize,
    loss: f32,
    predicted: usize,
    /// The probabilities that the model gave to its answer and to the truth.
    shares: (f32, f32),
}

/// The result of a test.
pub(crate) struct Report {
    pub(crate) summary: Summary,
    /// `confusion[truth][answer]` counts digits.
    pub(crate) confusion: [[u64; 10]; 10],
    worst: Vec<Hard>,
}

/// One row of the table of classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Class {
    digit: usize,
    /// Of the answers that named this digit, the share that was right.
    precision: Option<f64>,
    /// Of these digits, the share that was recognised.
    recall: Option<f64>,
    count: u64,
}

/// The probabilities of the classes.
pub(crate) fn softmax(y: &Logits) -> Logits {
    let mut p = [*y];
    Softmax.forward(Pass::infer(Simd::baseline()), &[*y], &mut p);
    p[0]
}

impl Report {
    /// Runs the model over `digits`.
    pub(crate) fn new<M: DigitModel>(trainer: &mut Trainer<M>, digits: &Digits) -> Self {
        let mut confusion = [[0; 10]; 10];
        let mut worst: Vec<Hard> = Vec::new();
        let summary = trainer.evaluate(digits, |index, y, &truth, loss| {
            let (predicted, truth) = (argmax(y), usize::from(truth));
            if let Some(count) = confusion.get_mut(truth).and_then(|row| row.get_mut(predicted)) {
                *count += 1;
            }
            // Sorted, worst first; the earlier of two that are equally bad.
            let rank = worst.partition_point(|other| other.loss >= loss);
            if rank < WORST {
                let p = softmax(y);
                let shares = (p[predicted], p.get(truth).copied().unwrap_or(0.0));
                worst.insert(rank, Hard { index, loss, predicted, shares });
                worst.truncate(WORST);
            }
        });
        Report { summary, confusion, worst }
    }

    /// The table of classes.
    pub(crate) fn classes(&self) -> [Class; 10] {
        std::array::from_fn(|digit| {
            let right = self.confusion[digit][digit];
            let count = self.confusion[digit].iter().sum();
            let answered: u64 = self.confusion.iter().map(|row| row[digit]).sum();
            let share = |of: u64| (of > 0).then(|| right as f64 / of as f64);
            Class { digit, precision: share(answered), recall: share(count), count }
        })
    }

    /// Prints both tables side by side.
    pub(crate) fn print_tables(&self, console: &Console) {
        let percent = |share: Option<f64>| {
            share.map_or("–".into(), |share| format!("{:.1} %", 100.0 * share))
        };
        console.line(
            console.bold(format_args!(
                "{:<37}{}",
                "Each digit", "Answers (across) to each digit (down)"
            )),
        );
        let across: String = (0..10).map(|digit| format!("{digit:>5}")).collect();
        console.line(console.dim(format_args!(
            "{:>5}{:>11}{:>9}{:>8}    {across}",
            "", "precision", "recall", "count"
        )));
        for (class, row) in self.classes().iter().zip(&self.confusion) {
            let cell = |(answer, count): (usize, &u64)| {
                let text =
                    format!("{:>5}", if *count == 0 { "·".to_string() } else { count.to_string() });
                match (answer == class.digit, *count) {
                    (true, _) => console.good(text),
                    (_, 0) => console.dim(text),
                    _ => text,
                }
            };
            let cells: String = row.iter().enumerate().map(cell).collect();
            console.line(format_args!(
                "{:>5}{:>11}{:>9}{:>8}   {}{cells}",
                class.digit,
                percent(class.precision),
                percent(class.recall),
                class.count,
                console.bold(class.digit),
            ));
        }
    }

    /// The digits with the highest loss, each with a caption.
    pub(crate) fn hardest<'a>(&self, digits: &'a Digits) -> Vec<(&'a Image, String)> {
        let caption =
            |hard: &Hard| format!("{} read as {}", digits.labels[hard.index], hard.predicted);
        self.worst.iter().map(|hard| (&digits.images[hard.index], caption(hard))).collect()
    }

    /// Prints the digits with the highest loss.
    pub(crate) fn print_worst(&self, console: &Console, digits: &Digits) {
        console.line(console.bold(format_args!(
            "The {} hardest test digits: what each is and was read as, with probabilities",
            self.worst.len()
        )));
        let share = |share: f32| match 100.0 * share {
            percent if percent < 0.05 => "<0.1 %".into(),
            percent => format!("{percent:.1} %"),
        };
        let cell = |hard: &Hard| {
            let label = digits.labels[hard.index];
            let text = vec![
                format!("true {label}: {}", share(hard.shares.1)),
                format!("read {}: {}", hard.predicted, share(hard.shares.0)),
            ];
            (&digits.images[hard.index], text)
        };
        console.line(art::gallery(self.worst.iter().map(cell)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_from_the_confusions() {
        let mut confusion = [[0; 10]; 10];
        confusion[3] = [0, 0, 0, 6, 0, 2, 0, 0, 0, 0];
        confusion[5] = [0, 0, 0, 3, 0, 2, 0, 0, 0, 0];
        let report = Report { summary: Summary::default(), confusion, worst: Vec::new() };
        let classes = report.classes();
        let three = Class { digit: 3, precision: Some(6.0 / 9.0), recall: Some(0.75), count: 8 };
        assert_eq!(classes[3], three);
        assert_eq!((classes[5].precision, classes[5].recall), (Some(0.5), Some(0.4)));
        assert_eq!((classes[0].precision, classes[0].recall, classes[0].count), (None, None, 0));
    }

    #[test]
    fn probabilities_sum_to_one() {
        let p = softmax(&[1000.0, 999.0, -1e30, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((p[0] / p[1] - 1f32.exp()).abs() < 1e-4);
    }
}
