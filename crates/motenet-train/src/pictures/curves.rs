//! Learning curves: loss and accuracy after each epoch, training and validation.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::{Failure, Picture, failure, save};
use crate::{EpochMetrics, Error};

const TRAINING: RGBColor = RGBColor(31, 98, 173);
const VALIDATION: RGBColor = RGBColor(214, 96, 20);
const GRID: RGBColor = RGBColor(225, 225, 225);
/// A loss beyond this is as good as infinite: the axis would show nothing else, and its ticks, which
/// are added up, would run out of digits.
const LARGEST: f64 = 1e9;
const TEXT: RGBColor = RGBColor(40, 40, 40);

/// Draws the curves as `curves.svg` and `curves.png` into `folder`.
///
/// Left the mean loss, right the accuracy in percent, over the epochs. An epoch without a finite
/// value, or with one over 10⁹, leaves a gap; validation is left out if there is none.
///
/// # Errors
/// [`Error::Picture`] if there are no epochs, [`Error::Io`] if writing fails.
pub fn curves(epochs: &[EpochMetrics], folder: &Path) -> Result<(), Error> {
    if epochs.is_empty() {
        let (found, expected) = ("no epochs".to_owned(), "at least one".to_owned());
        return Err(Error::Picture { picture: Curves::NAME, found, expected });
    }
    save(&Curves { epochs }, folder)
}

struct Curves<'a> {
    epochs: &'a [EpochMetrics],
}

/// One of the two panels.
struct Panel {
    title: &'static str,
    unit: &'static str,
    train: Vec<(u32, f64)>,
    validation: Vec<(u32, f64)>,
    low: f64,
    high: f64,
    legend: SeriesLabelPosition,
}

impl Picture for Curves<'_> {
    const NAME: &'static str = "curves";
    const SIZE: (u32, u32) = (1000, 400);

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Result<(), Failure> {
        area.fill(&WHITE).map_err(failure)?;
        let (left, right) = area.split_horizontally(Self::SIZE.0 / 2);
        let series = |value: &dyn Fn(&EpochMetrics) -> Option<f64>| {
            let points = self.epochs.iter().map(|epoch| (epoch.epoch, value(epoch)));
            let drawable = |y: f64| if y.abs() <= LARGEST { y } else { f64::NAN };
            points.map(|(x, y)| (x, y.map_or(f64::NAN, drawable))).collect::<Vec<_>>()
        };

        let train = series(&|epoch| Some(epoch.train_loss));
        let validation = series(&|epoch| epoch.validation_loss);
        let (_, high) = range(&train, &validation);
        let (title, unit, low) = ("loss", "mean loss", 0.0);
        let legend = SeriesLabelPosition::UpperRight;
        let high = if high > 1e-9 { high * 1.05 } else { 1.0 };
        Panel { title, unit, train, validation, low, high, legend }.draw(&left, self.last())?;

        let percent = |share: f64| 100.0 * share;
        let train = series(&|epoch| Some(percent(epoch.train_accuracy)));
        let validation = series(&|epoch| epoch.validation_accuracy.map(percent));
        let (low, high) = range(&train, &validation);
        let margin = ((high - low) * 0.1).max(0.5);
        let (low, high) = ((low - margin).clamp(0.0, 99.0), (high + margin).clamp(1.0, 100.0));
        let (title, unit) = ("accuracy", "accuracy in %");
        let legend = SeriesLabelPosition::LowerRight;
        Panel { title, unit, train, validation, low, high, legend }.draw(&right, self.last())
    }
}

impl Curves<'_> {
    fn last(&self) -> u32 {
        self.epochs.iter().map(|epoch| epoch.epoch).max().unwrap_or(0).max(1)
    }
}

impl Panel {
    fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        last: u32,
    ) -> Result<(), Failure> {
        let font = |size: u32| ("sans-serif", size).with_color(TEXT);
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, font(24))
            .margin(14)
            .x_label_area_size(48)
            .y_label_area_size(68)
            .build_cartesian_2d(0..last, self.low..self.high)
            .map_err(failure)?;
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(TEXT)
            .label_style(font(17))
            .axis_desc_style(font(19))
            .x_desc("epoch")
            .y_desc(self.unit)
            .x_labels(10)
            .y_labels(8)
            .y_label_formatter(&|value| label(*value, self.high - self.low))
            .draw()
            .map_err(failure)?;
        let both =
            [("training", TRAINING, &self.train), ("validation", VALIDATION, &self.validation)];
        for (name, color, points) in both {
            let finite = || points.iter().filter(|(_, y)| y.is_finite()).copied();
            if finite().next().is_none() {
                continue;
            }
            let line = color.stroke_width(2);
            chart
                .draw_series(
                    points
                        .split(|(_, y)| !y.is_finite())
                        .filter(|run| !run.is_empty())
                        .map(|run| PathElement::new(run, line)),
                )
                .map_err(failure)?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], line));
            if points.len() <= 40 {
                let dots = finite().map(|point| Circle::new(point, 3, color.filled()));
                chart.draw_series(dots).map_err(failure)?;
            }
        }
        chart
            .configure_series_labels()
            .position(self.legend.clone())
            .background_style(WHITE.mix(0.85))
            .border_style(GRID)
            .label_font(font(18))
            .legend_area_size(32)
            .margin(12)
            .draw()
            .map_err(failure)
    }
}

/// The least and the greatest finite value; 0 and 0 if there is none.
fn range(a: &[(u32, f64)], b: &[(u32, f64)]) -> (f64, f64) {
    let finite = || a.iter().chain(b).map(|&(_, y)| y).filter(|y| y.is_finite());
    let (low, high) = (finite().fold(f64::MAX, f64::min), finite().fold(f64::MIN, f64::max));
    if low <= high { (low, high) } else { (0.0, 0.0) }
}

/// A tick's number, with as many decimals as the length of the axis calls for.
fn label(value: f64, length: f64) -> String {
    if length >= 1e5 {
        return format!("{value:.1e}");
    }
    let decimals = (1.0 - (length / 2.0).log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{value:.decimals$}")
}
