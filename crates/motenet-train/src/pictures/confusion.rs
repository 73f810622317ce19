//! A confusion matrix: which digits a model takes for which.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Failure, Picture, failure, save};
use crate::Error;

const TEXT: RGBColor = RGBColor(40, 40, 40);
const CELL: i32 = 54;
/// The upper left corner of the matrix.
const CORNER: (i32, i32) = (80, 80);

/// Draws the matrix as `confusion.svg` and `confusion.png` into `folder`.
///
/// Right answers are blue, by their share of the row; mistakes are red, by their share of the row
/// relative to the most frequent mistake. The last column is the recall: the share of the row that is
/// right.
///
/// # Shapes
/// `counts[label][answer]`: how many digits `label` the model took for `answer`.
///
/// # Errors
/// [`Error::Io`] if writing fails.
pub fn confusion(counts: &[[u64; 10]; 10], folder: &Path) -> Result<(), Error> {
    save(&Confusion { counts }, folder)
}

struct Confusion<'a> {
    counts: &'a [[u64; 10]; 10],
}

impl Picture for Confusion<'_> {
    const NAME: &'static str = "confusion";
    const SIZE: (u32, u32) = (740, 690);

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Result<(), Failure> {
        area.fill(&WHITE).map_err(failure)?;
        let write = |text: String, size: u32, at: (i32, i32), color: RGBColor| {
            area.draw(&Text::new(text, at, centred(size, color))).map_err(failure)
        };
        let (x0, y0) = CORNER;
        let centre = |k: i32| k * CELL + CELL / 2;
        let share = |label: usize, answer: usize| {
            self.counts[label][answer] as f64 / sum(&self.counts[label]).max(1.0)
        };
        let mistakes = (0..100).map(|k| (k / 10, k % 10)).filter(|(label, answer)| label != answer);
        let worst = mistakes.map(|(label, answer)| share(label, answer)).fold(0.0, f64::max);

        for label in 0..10 {
            for answer in 0..10 {
                let (x, y) = (x0 + answer as i32 * CELL, y0 + label as i32 * CELL);
                let share = share(label, answer);
                let (hue, depth) = match label == answer {
                    true => (RGBColor(24, 84, 155), share),
                    false => (RGBColor(200, 40, 30), 0.75 * share / worst.max(f64::MIN_POSITIVE)),
                };
                let paint = mix(hue, depth);
                let cell = Rectangle::new([(x, y), (x + CELL - 2, y + CELL - 2)], paint.filled());
                area.draw(&cell).map_err(failure)?;
                let ink = match (self.counts[label][answer], depth > 0.55) {
                    (0, _) => RGBColor(190, 190, 190),
                    (_, true) => WHITE,
                    (_, false) => TEXT,
                };
                let at = (x + CELL / 2 - 1, y + CELL / 2 - 1);
                let count = self.counts[label][answer].to_string();
                let size = if count.len() > 5 { 80 / count.len() as u32 + 2 } else { 18 };
                write(count, size, at, ink)?;
            }
            let k = label as i32;
            write(label.to_string(), 20, (x0 - 18, y0 + centre(k)), TEXT)?;
            write(label.to_string(), 20, (x0 + centre(k), y0 + 10 * CELL + 14), TEXT)?;
            if sum(&self.counts[label]) > 0.0 {
                let recall = format!("{:.1} %", 100.0 * share(label, label));
                write(recall, 18, (x0 + 10 * CELL + 45, y0 + centre(k)), TEXT)?;
            }
        }
        write("recall".to_owned(), 19, (x0 + 10 * CELL + 45, y0 - 16), TEXT)?;
        write("predicted digit".to_owned(), 20, (x0 + 5 * CELL, y0 + 10 * CELL + 44), TEXT)?;
        let upright = centred(20, TEXT).transform(FontTransform::Rotate270);
        let title = Text::new("true digit", (x0 - 50, y0 + 5 * CELL), upright);
        area.draw(&title).map_err(failure)?;

        let total: f64 = self.counts.iter().map(sum).sum();
        let right: f64 = (0..10).map(|k| self.counts[k][k] as f64).sum();
        let percent = 100.0 * right / total.max(1.0);
        let line = format!("{right} of {total} right ({percent:.2} %)");
        write(line, 24, (x0 + 5 * CELL, 32), TEXT)
    }
}

/// Text around a point.
fn centred(size: u32, color: RGBColor) -> TextStyle<'static> {
    let position = Pos::new(HPos::Center, VPos::Center);
    let style = ("sans-serif", size).into_font().color(&color);
    TextStyle { pos: position, ..style }
}

/// As a float, in which a sum cannot overflow.
fn sum(row: &[u64; 10]) -> f64 {
    row.iter().map(|&count| count as f64).sum()
}

/// White at 0, `hue` at 1.
fn mix(RGBColor(r, g, b): RGBColor, depth: f64) -> RGBColor {
    let channel = |to: u8| (255.0 + (f64::from(to) - 255.0) * depth).round() as u8;
    RGBColor(channel(r), channel(g), channel(b))
}
