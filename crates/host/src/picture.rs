//! From a picture file to the 28×28 image that a model reads.
//!
//! The steps are those by which MNIST was made (LeCun, Bottou, Bengio and Haffner, 1998): cut to the
//! ink, scale to fit 20×20 with the proportions kept, centre by the centre of mass in 28×28.

use crate::failure::{Failure, fail};
use motenet_data::{Image, PIXELS, SIDE};
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::Path;

/// The widest and highest picture that is read.
const MOST: u32 = 4096;
/// Side of the square that the ink is fitted into.
const BOX: usize = 20;
/// Less difference than this between ink and paper, of 255, is no ink.
const CONTRAST: f32 = 32.0;
/// Ink fainter than this share of the darkest is paper.
const FAINT: f32 = 0.15;

/// Grey values and coverage, row by row.
struct Picture {
    width: usize,
    height: usize,
    /// Grey, 0 to 255, and alpha, 0 to 1.
    pixels: Vec<(f32, f32)>,
}

/// A digit as a model reads it, and what was done to get it.
#[derive(Debug)]
pub(crate) struct Digit {
    pub(crate) image: Image,
    /// The ink was darker than the paper.
    pub(crate) inverted: bool,
    /// Columns and rows of the picture.
    pub(crate) size: (usize, usize),
}

/// Reads a picture; with `raw` a 28×28 one is taken as it is.
pub(crate) fn read(path: &Path, raw: bool) -> Result<Digit, Failure> {
    let picture = decode(path)?;
    let size = (picture.width, picture.height);
    let name = path.display();
    if raw {
        if size != (SIDE, SIDE) {
            return fail!("{name}: {}×{} pixels, expected 28×28: leave --raw out", size.0, size.1);
        }
        let mut image = [0; PIXELS];
        for (to, (grey, alpha)) in image.iter_mut().zip(&picture.pixels) {
            *to = (grey * alpha).round() as u8;
        }
        return Ok(Digit { image, inverted: false, size });
    }
    // Where a picture is transparent, there is paper; or a board, if only chalk shows.
    let found = [255.0, 0.0].into_iter().find_map(|paper| ink(&picture, paper));
    let Some((ink, inverted)) = found else {
        return fail!(
            "{name}: found no ink, expected one digit that stands out from its background: draw it darker"
        );
    };
    Ok(Digit { image: normalise(&ink, size.0), inverted, size })
}

fn decode(path: &Path) -> Result<Picture, Failure> {
    let name = path.display();
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => {
            Failure::new(format!("{name}: there is no such file: check the name"))
        }
        _ => Failure::new(format!(
            "{name}: reading failed ({error}): check the file and its permissions"
        )),
    };
    // Asked before opening, because opening a pipe waits for its writer.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return fail!("{name}: is no regular file, expected a PNG picture");
    }
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    let broken = |error: png::DecodingError| match error {
        png::DecodingError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Failure::new(format!(
                "{name}: ends too early, expected a whole PNG picture: save it again"
            ))
        }
        error => Failure::new(format!(
            "{name}: is no PNG picture that can be read ({error}): save it as PNG"
        )),
    };
    let mut decoder = png::Decoder::new_with_limits(file, png::Limits { bytes: 96 << 20 });
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let header = decoder.read_header_info().map_err(broken)?;
    let (width, height) = (header.width, header.height);
    if width > MOST || height > MOST {
        return fail!(
            "{name}: {width}×{height} pixels, expected at most {MOST}×{MOST}: scale it down"
        );
    }
    let mut reader = decoder.read_info().map_err(broken)?;
    let info = reader.info();
    if info.color_type == png::ColorType::Indexed {
        // The decoder takes it for granted.
        let palette = info.palette.as_deref().unwrap_or_default().len();
        let alpha = info.trns.as_deref().unwrap_or_default().len();
        if palette % 3 != 0 || alpha > palette / 3 {
            return fail!(
                "{name}: a palette of {palette} bytes with {alpha} of alpha, expected three for each colour and one of alpha at most: save it again"
            );
        }
    }
    let length = reader.output_buffer_size().unwrap_or(0);
    let mut bytes = vec![0; length];
    let frame = reader.next_frame(&mut bytes).map_err(broken)?;
    let channels = frame.color_type.samples();
    let pixel = |pixel: &[u8]| match *pixel {
        [grey] => (f32::from(grey), 1.0),
        [grey, alpha] => (f32::from(grey), f32::from(alpha) / 255.0),
        [r, g, b] => (luma(r, g, b), 1.0),
        [r, g, b, alpha] => (luma(r, g, b), f32::from(alpha) / 255.0),
        _ => (0.0, 0.0),
    };
    let pixels: Vec<_> = bytes.chunks_exact(channels).map(pixel).collect();
    let (width, height) = (width as usize, height as usize);
    if pixels.len() != width * height || pixels.is_empty() {
        return fail!("{name}: holds {} pixels of {width}×{height}: save it again", pixels.len());
    }
    Ok(Picture { width, height, pixels })
}

/// Brightness as ITU-R BT.601 has it.
fn luma(r: u8, g: u8, b: u8) -> f32 {
    0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)
}

/// How much ink each pixel has, 0 to 1, and whether it is darker than the paper; `None` without ink.
fn ink(picture: &Picture, behind: f32) -> Option<(Vec<f32>, bool)> {
    let grey = |&(grey, alpha): &(f32, f32)| grey * alpha + behind * (1.0 - alpha);
    let mut grey: Vec<f32> = picture.pixels.iter().map(grey).collect();
    // The paper is what most of the border shows.
    let (width, height) = (picture.width, picture.height);
    let on_border = |k: usize| {
        let (x, y) = (k % width, k / width);
        x == 0 || y == 0 || x + 1 == width || y + 1 == height
    };
    let border = grey.iter().enumerate().filter(|(k, _)| on_border(*k));
    let mut border: Vec<f32> = border.map(|(_, &value)| value).collect();
    border.sort_by(f32::total_cmp);
    let paper = border[border.len() / 2];
    let darkest = grey.iter().copied().fold(paper, f32::min);
    let lightest = grey.iter().copied().fold(paper, f32::max);
    let inverted = paper - darkest > lightest - paper;
    let contrast = (paper - darkest).max(lightest - paper);
    if contrast < CONTRAST {
        return None;
    }
    let sign = if inverted { -1.0 } else { 1.0 };
    for value in &mut grey {
        let share = sign * (*value - paper) / contrast;
        *value = if share < FAINT { 0.0 } else { share };
    }
    Some((grey, inverted))
}

/// Cuts, scales and centres `ink`, whose rows have `width` pixels and which is not all zero.
fn normalise(ink: &[f32], width: usize) -> Image {
    let inked = || {
        ink.iter().enumerate().filter(|(_, ink)| **ink > 0.0).map(|(k, _)| (k % width, k / width))
    };
    let bounds =
        inked().fold((usize::MAX, usize::MAX, 0, 0), |(left, top, right, bottom), (x, y)| {
            (left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1))
        });
    let (left, top, right, bottom) = bounds;
    let (w, h) = (right.saturating_sub(left).max(1), bottom.saturating_sub(top).max(1));
    let longer = w.max(h);
    let fitted = |length: usize| ((length * BOX + longer / 2) / longer).max(1);
    let (to_w, to_h) = (fitted(w), fitted(h));

    // Columns first, then rows: the mean of the area under each new pixel.
    let mut narrow = vec![0.0; h * to_w];
    for y in 0..h {
        let row = &ink[(top + y) * width + left..][..w];
        for x in 0..to_w {
            narrow[y * to_w + x] = mean(w, to_w, x, |k| row[k]);
        }
    }
    let mut small = [[0_f32; BOX]; BOX];
    for (y, row) in small.iter_mut().enumerate().take(to_h) {
        for (x, value) in row.iter_mut().enumerate().take(to_w) {
            *value = mean(h, to_h, y, |k| narrow[k * to_w + x]);
        }
    }

    let (mut peak, mut mass, mut moment_x, mut moment_y) = (0_f32, 0.0, 0.0, 0.0);
    for (y, row) in small.iter().enumerate() {
        for (x, &value) in row.iter().enumerate() {
            peak = peak.max(value);
            mass += value;
            moment_x += value * (x as f32 + 0.5);
            moment_y += value * (y as f32 + 0.5);
        }
    }
    let place = |moment: f32, length: usize| {
        let middle = SIDE as f32 / 2.0 - moment / mass;
        (middle.round().max(0.0) as usize).min(SIDE - length)
    };
    let (x0, y0) = (place(moment_x, to_w), place(moment_y, to_h));
    let mut image = [0; PIXELS];
    for (y, row) in small.iter().enumerate().take(to_h) {
        for (x, value) in row.iter().enumerate().take(to_w) {
            // A thin pen scaled down is faint; MNIST's strokes are not.
            image[(y0 + y) * SIDE + x0 + x] = (value / peak * 255.0).round() as u8;
        }
    }
    image
}

/// The mean of `value` over the `k`-th of `to` equal parts of `[0, from)`.
fn mean(from: usize, to: usize, k: usize, value: impl Fn(usize) -> f32) -> f32 {
    let length = from as f32 / to as f32;
    let (start, end) = (k as f32 * length, (k + 1) as f32 * length);
    let mut sum = 0.0;
    for at in start as usize..(end.ceil() as usize).min(from) {
        let covered = (at as f32 + 1.0).min(end) - (at as f32).max(start);
        sum += covered.max(0.0) * value(at);
    }
    sum / length
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture with a filled rectangle of `ink` on `paper`.
    fn drawn(
        size: (usize, usize),
        rect: (usize, usize, usize, usize),
        ink: f32,
        paper: f32,
    ) -> Picture {
        let (width, height) = size;
        let inside = |x, y| x >= rect.0 && y >= rect.1 && x < rect.2 && y < rect.3;
        let pixels = (0..width * height)
            .map(|k| (if inside(k % width, k / width) { ink } else { paper }, 1.0))
            .collect();
        Picture { width, height, pixels }
    }

    #[test]
    fn palettes_that_are_none_are_refused() {
        let path = std::env::temp_dir().join(format!("motenet-palette-{}.png", std::process::id()));
        for (palette, alpha) in [(2, 0), (5, 0), (140, 1), (3, 2), (6, 2), (768, 0)] {
            let mut encoder = png::Encoder::new(File::create(&path).unwrap(), 28, 28);
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(vec![7_u8; palette]);
            encoder.set_trns(vec![255_u8; alpha]);
            encoder.write_header().unwrap().write_image_data(&[0; 28 * 28]).unwrap();
            let found = read(&path, true);
            if palette % 3 == 0 && alpha <= palette / 3 {
                assert!(found.is_ok(), "{palette} bytes, {alpha} of alpha");
            } else {
                assert!(found.is_err(), "{palette} bytes, {alpha} of alpha");
            }
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn ink_is_fitted_into_twenty_and_centred() {
        // 40 wide and 80 high becomes 10×20, in the middle: columns 9 to 18, rows 4 to 23.
        let picture = drawn((200, 150), (3, 60, 43, 140), 0.0, 250.0);
        let (ink, inverted) = ink(&picture, 255.0).unwrap();
        assert!(inverted);
        let image = normalise(&ink, 200);
        for y in 0..SIDE {
            for x in 0..SIDE {
                let expected = if (9..19).contains(&x) && (4..24).contains(&y) { 255 } else { 0 };
                assert_eq!(image[y * SIDE + x], expected, "{x} {y}");
            }
        }
    }

    #[test]
    fn chalk_and_ink_give_the_same_image() {
        let rect = (5, 5, 9, 22);
        let (chalk, light) = ink(&drawn((31, 29), rect, 255.0, 0.0), 255.0).unwrap();
        let (dark, inverted) = ink(&drawn((31, 29), rect, 0.0, 255.0), 255.0).unwrap();
        assert!(!light && inverted);
        assert_eq!(normalise(&chalk, 31), normalise(&dark, 31));
    }

    #[test]
    fn blank_paper_has_no_ink_and_a_dot_is_ink() {
        assert!(ink(&drawn((10, 10), (2, 2, 5, 5), 230.0, 250.0), 255.0).is_none());
        let (dot, _) = ink(&drawn((9, 9), (4, 4, 5, 5), 0.0, 255.0), 255.0).unwrap();
        assert!(normalise(&dot, 9).contains(&255));
        // A single pixel is all border, so all paper.
        assert!(ink(&drawn((1, 1), (0, 0, 1, 1), 0.0, 255.0), 255.0).is_none());
    }

    #[test]
    fn averages_keep_the_mass() {
        for (from, to) in [(7, 3), (3, 7), (20, 20), (1, 20), (4096, 1)] {
            let value = |k: usize| (k % 5) as f32;
            let sum: f32 = (0..from).map(value).sum();
            let means: f32 = (0..to).map(|k| mean(from, to, k, value)).sum();
            let expected = sum / from as f32 * to as f32;
            assert!((means - expected).abs() < 1e-3 * (1.0 + expected), "{from} {to}");
        }
    }
}
