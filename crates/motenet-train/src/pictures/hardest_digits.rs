//! The digits that a model found hardest, each with what it is and what it was read as.

use std::path::Path;

use motenet_data::{Image, SIDE};

use super::canvas::{Canvas, SCALE};
use super::{font, save_png};
use crate::Error;

const NAME: &str = "hardest_digits";
const COLUMNS: usize = 5;
/// Pixels of the picture for one of the digit, and between two digits.
const ZOOM: usize = 8;
const GAP: usize = 40;
/// Room for a caption, in pixels.
const CAPTION: usize = 60;
const EM: f32 = 15.0;
const TEXT: [u8; 3] = [40, 40, 40];

/// Draws digits with captions as `hardest_digits.png` into `folder`, five in a row, ink dark on white.
///
/// # Errors
/// [`Error::Picture`] if there are none or more than 100, [`Error::Io`] if writing fails.
pub fn hardest_digits(digits: &[(&Image, String)], folder: &Path) -> Result<(), Error> {
    if digits.is_empty() || digits.len() > 100 {
        let found = format!("{} digits", digits.len());
        return Err(Error::Picture { picture: NAME, found, expected: "1 to 100".into() });
    }
    let step = (ZOOM * SIDE + GAP, ZOOM * SIDE + CAPTION + GAP);
    let columns = digits.len().min(COLUMNS);
    let rows = digits.len().div_ceil(COLUMNS);
    let size = |count: usize, step: usize| ((count * step + GAP) as u32).div_ceil(SCALE);
    let mut canvas = Canvas::new((size(columns, step.0), size(rows, step.1)));
    for (k, (image, caption)) in digits.iter().enumerate() {
        let (x, y) = (GAP + k % COLUMNS * step.0, GAP + k / COLUMNS * step.1);
        for (pixel, ink) in image.iter().enumerate() {
            let left = (x + pixel % SIDE * ZOOM) as i32;
            let top = (y + pixel / SIDE * ZOOM) as i32;
            let square = (left + ZOOM as i32, top + ZOOM as i32);
            canvas.fill((left, top), square, [255 - ink; 3]);
        }
        let scale = SCALE as i32;
        let middle = (x + ZOOM * SIDE / 2) as i32 / scale;
        let left = middle - (font::width(caption) * EM / 2.0) as i32;
        let baseline = (y + ZOOM * SIDE) as i32 / scale + 20;
        canvas.text(caption, EM, (left, baseline), TEXT);
    }
    save_png(&canvas, NAME, folder)
}
