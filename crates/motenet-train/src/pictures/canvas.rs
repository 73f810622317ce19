//! A drawing surface of pixels, for plotters and for us: smooth lines, and text without font files.

use std::convert::Infallible;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontStyle, FontTransform,
};

use super::font;

/// Pixels for each unit of the drawing: the picture is sharp on a fine screen and in print.
pub(super) const SCALE: u32 = 2;
/// Fonts as plotters counts them are this much larger than their em.
const SIZE_PER_EM: f32 = 1.24;

/// A white picture to draw on.
pub(super) struct Canvas {
    width: u32,
    height: u32,
    rgb: Vec<[u8; 3]>,
    /// How much of each pixel the stroke that is being drawn covers; zero between strokes.
    cover: Vec<f32>,
}

/// A point in pixels.
type Point = (f32, f32);

impl Canvas {
    /// A canvas of `width·height` drawing units, of `SCALE·SCALE` pixels each.
    pub(super) fn new((width, height): (u32, u32)) -> Canvas {
        let (width, height) = (width * SCALE, height * SCALE);
        let len = width as usize * height as usize;
        Canvas { width, height, rgb: vec![[255; 3]; len], cover: vec![0.0; len] }
    }

    /// The pixels row by row, and how many columns and rows there are.
    pub(super) fn pixels(&self) -> (&[u8], u32, u32) {
        (self.rgb.as_flattened(), self.width, self.height)
    }

    /// Fills a rectangle given in pixels; what lies outside the canvas is left out.
    pub(super) fn fill(&mut self, (x0, y0): (i32, i32), (x1, y1): (i32, i32), rgb: [u8; 3]) {
        self.blend((x0, y0), (x1, y1), BackendColor { alpha: 1.0, rgb: rgb.into() }, |_| 1.0);
    }

    /// Draws text in the given size of the em, in drawing units, from the left end of its baseline.
    pub(super) fn text(&mut self, text: &str, em: f32, (x, y): (i32, i32), rgb: [u8; 3]) {
        let origin = (x as f32, y as f32);
        self.write(text, em, |(dx, dy)| (origin.0 + dx, origin.1 + dy), 1.0, rgb, 1.0);
    }

    /// Draws text along whatever line `place` maps its baseline to, all in drawing units.
    fn write(
        &mut self,
        text: &str,
        em: f32,
        place: impl Fn(Point) -> Point,
        weight: f32,
        rgb: [u8; 3],
        alpha: f64,
    ) {
        let unit = font::unit(em);
        let scale = SCALE as f32;
        for stroke in font::strokes(text) {
            let points = stroke.into_iter().map(|(x, y)| {
                let (x, y) = place((x * unit, -y * unit));
                (x * scale, y * scale)
            });
            self.stroke(points, unit * weight * scale, BackendColor { alpha, rgb: rgb.into() });
        }
    }

    /// Draws a line with round ends and corners through points given in pixels.
    ///
    /// A pixel is covered by how far it is from the line; where parts of the line meet, the nearest
    /// decides, so that joints are not darker than the rest.
    fn stroke(&mut self, points: impl Iterator<Item = Point>, width: f32, color: BackendColor) {
        let radius = width.max(1.0) / 2.0;
        let (mut low, mut high) = ((i32::MAX, i32::MAX), (i32::MIN, i32::MIN));
        let mut before = None;
        for to in points {
            let from = before.replace(to).unwrap_or(to);
            let reach = radius + 1.0;
            let (x0, x1) = (from.0.min(to.0) - reach, from.0.max(to.0) + reach);
            let (y0, y1) = (from.1.min(to.1) - reach, from.1.max(to.1) + reach);
            let ((x0, y0), (x1, y1)) =
                self.clip((x0 as i32, y0 as i32), (x1.ceil() as i32, y1.ceil() as i32));
            for y in y0..y1 {
                for x in x0..x1 {
                    let middle = (x as f32 + 0.5, y as f32 + 0.5);
                    let covered = (radius + 0.5 - distance(middle, from, to)).clamp(0.0, 1.0);
                    let cover = &mut self.cover[y as usize * self.width as usize + x as usize];
                    *cover = cover.max(covered);
                }
            }
            (low, high) = ((low.0.min(x0), low.1.min(y0)), (high.0.max(x1), high.1.max(y1)));
        }
        self.blend(low, high, color, std::mem::take);
    }

    /// Mixes a colour into the pixels of a rectangle; `cover` says how much, from the pixel's field.
    fn blend(
        &mut self,
        from: (i32, i32),
        to: (i32, i32),
        color: BackendColor,
        cover: impl Fn(&mut f32) -> f32,
    ) {
        let ((x0, y0), (x1, y1)) = self.clip(from, to);
        for y in y0..y1 {
            for x in x0..x1 {
                let k = y as usize * self.width as usize + x as usize;
                let share = cover(&mut self.cover[k]) * color.alpha as f32;
                let (r, g, b) = color.rgb;
                for (old, new) in self.rgb[k].iter_mut().zip([r, g, b]) {
                    let (before, after) = (f32::from(*old), f32::from(new));
                    *old = (before + (after - before) * share).round() as u8;
                }
            }
        }
    }

    /// The part of a rectangle that lies on the canvas.
    fn clip(&self, from: (i32, i32), to: (i32, i32)) -> ((i32, i32), (i32, i32)) {
        let (width, height) = (self.width as i32, self.height as i32);
        let inside = |(x, y): (i32, i32)| (x.clamp(0, width), y.clamp(0, height));
        (inside(from), inside(to))
    }
}

/// How far `p` is from the segment between `a` and `b`.
fn distance(p: Point, a: Point, b: Point) -> f32 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let along = (p.0 - a.0) * dx + (p.1 - a.1) * dy;
    let length2 = dx * dx + dy * dy;
    let t = if length2 > 0.0 { (along / length2).clamp(0.0, 1.0) } else { 0.0 };
    (p.0 - a.0 - t * dx).hypot(p.1 - a.1 - t * dy)
}

/// A drawing unit's corner in pixels.
fn pixel((x, y): BackendCoord) -> (i32, i32) {
    (x * SCALE as i32, y * SCALE as i32)
}

/// The middle of a line that plotters draws at a coordinate.
fn middle(at: BackendCoord) -> Point {
    let (x, y) = pixel(at);
    (x as f32, y as f32)
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for &mut Canvas {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.width / SCALE, self.height / SCALE)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, at: BackendCoord, color: BackendColor) -> Drawn {
        self.blend(pixel(at), pixel((at.0 + 1, at.1 + 1)), color, |_| 1.0);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let width = (style.stroke_width() * SCALE) as f32;
        self.stroke(path.into_iter().map(middle), width, style.color());
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        if fill {
            self.blend(pixel(from), pixel(to), style.color(), |_| 1.0);
            return Ok(());
        }
        let corners = [from, (to.0, from.1), to, (from.0, to.1), from];
        self.draw_path(corners, style)
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        _fill: bool,
    ) -> Drawn {
        // A dot is a line without length; nothing here draws a ring.
        let width = (2 * radius * SCALE) as f32;
        self.stroke([middle(center)].into_iter(), width, style.color());
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        let em = style.size() as f32 / SIZE_PER_EM;
        let left = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => -font::width(text) * em / 2.0,
            HPos::Right => -font::width(text) * em,
        };
        let down = match style.anchor().v_pos {
            VPos::Top => 0.76 * em,
            VPos::Center => 0.34 * em,
            VPos::Bottom => -0.26 * em,
        };
        let origin = (at.0 as f32, at.1 as f32);
        let place = |(x, y): Point| {
            let (x, y) = (x + left, y + down);
            let (x, y) = match style.transform() {
                FontTransform::None => (x, y),
                FontTransform::Rotate90 => (-y, x),
                FontTransform::Rotate180 => (-x, -y),
                FontTransform::Rotate270 => (y, -x),
            };
            (origin.0 + x, origin.1 + y)
        };
        let weight = if matches!(style.style(), FontStyle::Bold) { 1.6 } else { 1.1 };
        let BackendColor { rgb: (r, g, b), alpha } = style.color();
        self.write(text, em, place, weight, [r, g, b], alpha);
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let em = style.size() as f32 / SIZE_PER_EM;
        Ok(((font::width(text) * em).ceil() as u32, em.ceil() as u32))
    }
}
