//! What each hidden unit looks for: its 784 weights as a picture of 28×28.

use std::path::Path;

use super::canvas::{Canvas, SCALE};
use super::{font, save_png};
use crate::Error;

const NAME: &str = "first_layer";
const SIDE: usize = 28;
const PIXELS: usize = SIDE * SIDE;
/// No network on disk or in memory has more units than can be looked at.
const UNITS_MAX: usize = 4096;
const TEXT: [u8; 3] = [40, 40, 40];
const GRID: [u8; 3] = [205, 205, 205];
const EM: f32 = 15.0;

/// Draws the weights of a first layer as `first_layer.png` into `folder`, one tile a hidden unit.
///
/// Blue is negative, white zero, red positive, on one scale for all tiles: its ends are the size that
/// one weight in a thousand exceeds. A weight that is not a number is grey.
///
/// # Shapes
/// `weights`: 784 rows, one a pixel, of `units` numbers each, one after the other, as
/// [`Dense`](motenet::Dense) and [`Params::flat`](motenet::Params::flat) keep them.
///
/// # Errors
/// [`Error::Picture`] if there are not `784·units` weights or more than 4096 units, [`Error::Io`] if
/// writing fails.
pub fn first_layer(weights: &[f32], units: usize, folder: &Path) -> Result<(), Error> {
    if units == 0 || units > UNITS_MAX || weights.len() != PIXELS * units {
        let found = format!("{} weights for {units} units", weights.len());
        let expected = format!("784 a unit, and 1 to {UNITS_MAX} units");
        return Err(Error::Picture { picture: NAME, found, expected });
    }
    save_png(&draw(weights, units), NAME, folder)
}

fn draw(weights: &[f32], units: usize) -> Canvas {
    let columns = columns(units);
    let rows = units.div_ceil(columns);
    let zoom = (1800 / (columns * (SIDE + 2))).clamp(2, 6);
    let step = zoom * SIDE + zoom.max(3);
    let (margin, bar) = (40, 110);
    let width = (columns * step + 2 * margin).max(720);
    let height = rows * step + margin + bar;
    let mut canvas = Canvas::new(((width as u32).div_ceil(SCALE), (height as u32).div_ceil(SCALE)));

    let limit = limit(weights);
    let left = (width - columns * step) / 2;
    let gap = (step - zoom * SIDE) as i32;
    let (x0, y0) = (left as i32 - gap, margin as i32 - gap);
    let (x1, y1) = ((left + columns * step) as i32, (margin + rows * step) as i32);
    canvas.fill((x0, y0), (x1, y1), GRID);
    for unit in 0..units {
        let (x, y) = (left + unit % columns * step, margin + unit / columns * step);
        for pixel in 0..PIXELS {
            let rgb = color(weights[pixel * units + unit] / limit);
            square(&mut canvas, (x + pixel % SIDE * zoom, y + pixel / SIDE * zoom), zoom, rgb);
        }
    }
    color_bar(&mut canvas, (left, margin + rows * step + 20), limit);
    canvas
}

/// How many tiles stand side by side: a number that fills the last row if there is one, for a picture
/// at least as wide as high and at most four times as wide.
fn columns(units: usize) -> usize {
    let root = (units as f64).sqrt();
    let (low, high) = (root.ceil() as usize, (2.0 * root) as usize);
    let full = (low..=high).find(|columns| units.is_multiple_of(*columns));
    full.unwrap_or((1.6_f64.sqrt() * root).ceil() as usize).min(units)
}

fn square(canvas: &mut Canvas, (x, y): (usize, usize), side: usize, rgb: [u8; 3]) {
    let (x, y, side) = (x as i32, y as i32, side as i32);
    canvas.fill((x, y), (x + side, y + side), rgb);
}

/// The scale, with its ends and its middle named.
fn color_bar(canvas: &mut Canvas, (left, top): (usize, usize), limit: f32) {
    let (length, height) = (400, 24);
    let scale = SCALE as i32;
    let (x0, y0) = (left as i32, top as i32);
    for k in 0..length {
        let rgb = color(2.0 * k as f32 / (length - 1) as f32 - 1.0);
        canvas.fill((x0 + k, y0), (x0 + k + 1, y0 + height), rgb);
    }
    let baseline = (y0 + height) / scale + 16;
    for (share, text) in [(-1, format!("−{limit:.3}")), (0, "0".into()), (1, format!("{limit:.3}"))]
    {
        let half = (font::width(&text) * EM / 2.0) as i32;
        let x = (x0 + length / 2 * (1 + share)) / scale - (1 + share) * half;
        canvas.text(&text, EM, (x, baseline), TEXT);
    }
    canvas.text("weight", EM, ((x0 + length) / scale + 12, (y0 + height) / scale - 2), TEXT);
}

/// The size that one weight in a thousand exceeds; 1 if that is not a positive number.
fn limit(weights: &[f32]) -> f32 {
    let mut sizes: Vec<f32> = weights.iter().map(|w| w.abs()).filter(|w| w.is_finite()).collect();
    if sizes.is_empty() {
        return 1.0;
    }
    let at = sizes.len() - 1 - sizes.len() / 1000;
    let (_, &mut limit, _) = sizes.select_nth_unstable_by(at, f32::total_cmp);
    if limit >= f32::MIN_POSITIVE { limit } else { 1.0 }
}

/// Blue at −1, white at 0, red at 1, and grey for what is no number.
fn color(share: f32) -> [u8; 3] {
    if share.is_nan() {
        return [128; 3];
    }
    let end = if share < 0.0 { [22.0, 82.0, 160.0] } else { [178.0, 24.0, 32.0] };
    end.map(|to: f32| (255.0 + (to - 255.0) * share.abs().min(1.0)).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_by_hand() {
        assert_eq!(color(0.0), [255; 3]);
        assert_eq!(color(-1.0), [22, 82, 160]);
        assert_eq!(color(f32::INFINITY), [178, 24, 32]);
        assert_eq!(color(f32::NAN), [128; 3]);
    }

    #[test]
    fn the_last_row_is_full_where_it_can_be() {
        for (units, expected) in [(1, 1), (2, 2), (10, 5), (64, 8), (128, 16), (512, 32)] {
            assert_eq!(columns(units), expected, "{units}");
        }
        for units in 1..=UNITS_MAX {
            let columns = columns(units);
            assert!((1..=units).contains(&columns) && columns * columns >= units.min(4));
        }
    }

    #[test]
    fn the_limit_leaves_out_one_in_a_thousand() {
        let mut weights: Vec<f32> = (1..=1000).map(|k| -(k as f32)).collect();
        assert_eq!(limit(&weights), 999.0);
        weights.extend([f32::NAN, f32::NEG_INFINITY]);
        assert_eq!(limit(&weights), 999.0);
        assert_eq!(limit(&[0.0; 5]), 1.0);
        assert_eq!(limit(&[f32::NAN]), 1.0);
    }
}
