//! Pictures of a run: learning curves, a confusion matrix, the weights of the first layer, the hardest
//! digits.
//!
//! Each is drawn from plain numbers into a folder, as PNG and, where it is lines and text, as SVG too.
//! No font or other file of the machine is needed: text in a PNG is drawn with a font of our own.

mod canvas;
mod confusion;
mod curves;
mod first_layer;
mod font;
mod hardest_digits;

pub use confusion::confusion;
pub use curves::curves;
pub use first_layer::first_layer;
pub use hardest_digits::hardest_digits;

use std::io::Write;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingBackend, IntoDrawingArea, SVGBackend};

use crate::Error;
use crate::atomic::replace;
use canvas::Canvas;

/// A picture that plotters draws on any backend.
trait Picture {
    /// What it is called: the name of its files without the ending.
    const NAME: &'static str;
    /// Its size in drawing units.
    const SIZE: (u32, u32);

    /// Draws it.
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Result<(), Failure>;
}

/// Whatever a backend says went wrong.
type Failure = Box<dyn std::error::Error>;

/// What plotters says went wrong, free of the backend's lifetimes.
fn failure(error: impl std::error::Error) -> Failure {
    error.to_string().into()
}

/// Draws `picture` as SVG and PNG into `folder`.
fn save<P: Picture>(picture: &P, folder: &Path) -> Result<(), Error> {
    let drawing = |reason: Failure| Error::Drawing { picture: P::NAME, reason: reason.to_string() };

    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, P::SIZE).into_drawing_area();
    picture.draw(&area).and_then(|()| area.present().map_err(failure)).map_err(drawing)?;
    drop(area);
    replace(&folder.join(P::NAME).with_extension("svg"), |file| file.write_all(svg.as_bytes()))?;

    let mut canvas = Canvas::new(P::SIZE);
    picture.draw(&(&mut canvas).into_drawing_area()).map_err(drawing)?;
    save_png(&canvas, P::NAME, folder)
}

/// Writes `canvas` to `name.png` in `folder`.
fn save_png(canvas: &Canvas, name: &'static str, folder: &Path) -> Result<(), Error> {
    let encode = || {
        let (pixels, width, height) = canvas.pixels();
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(pixels)?;
        writer.finish()?;
        Ok::<_, png::EncodingError>(bytes)
    };
    let bytes =
        encode().map_err(|error| Error::Drawing { picture: name, reason: error.to_string() })?;
    replace(&folder.join(name).with_extension("png"), |file| file.write_all(&bytes))
}

#[cfg(test)]
mod tests;
