//! Geometry and ink: curves through points, a random bend of the plane, a round pen.

use crate::random::Random;
use crate::{PIXELS, SIDE};

/// (x, y): x to the right, y down. A figure spans about −0.5 to 0.5 in y; pixels span 0 to 28.
pub(super) type Point = (f32, f32);

/// Straight pieces that one span of a curve is drawn with: chords err by under 0.1 pixel.
const PIECES: usize = 6;

/// Half the width of the grey rim of a stroke, in pixels.
const RIM: f32 = 0.6;

/// A smooth line through `points`: the uniform Catmull–Rom spline (Catmull, Rom, 1974), as points
/// close enough together to join by straight pieces.
///
/// Between b and c, with neighbours a and d:
/// `p(t) = b + ((c − a)t + (2a − 5b + 4c − d)t² + (3b − a − 3c + d)t³)/2`.
pub(super) fn curve(points: &[Point]) -> Vec<Point> {
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    let mut line = Vec::with_capacity(points.len() * PIECES);
    line.push(first);
    for k in 1..points.len() {
        let (b, c) = (points[k - 1], points[k]);
        // At the ends the missing neighbour is the mirror image of the other one.
        let a = if k >= 2 { points[k - 2] } else { mirrored(c, b) };
        let d = if k + 1 < points.len() { points[k + 1] } else { mirrored(b, last) };
        for piece in 1..=PIECES {
            let t = piece as f32 / PIECES as f32;
            line.push((spline(a.0, b.0, c.0, d.0, t), spline(a.1, b.1, c.1, d.1, t)));
        }
    }
    line
}

fn spline(a: f32, b: f32, c: f32, d: f32, t: f32) -> f32 {
    let linear = c - a;
    let square = 2.0 * a - 5.0 * b + 4.0 * c - d;
    let cube = 3.0 * b - a - 3.0 * c + d;
    b + t * (linear + t * (square + t * cube)) / 2.0
}

/// `point` mirrored at `centre`.
fn mirrored(point: Point, centre: Point) -> Point {
    (2.0 * centre.0 - point.0, 2.0 * centre.1 - point.1)
}

/// A random map from figure coordinates to pixels: bend, slant, scale, turn.
pub(super) struct Map {
    bend: [f32; 6],
    slant: f32,
    scale: Point,
    cosine: f32,
    sine: f32,
}

impl Map {
    pub(super) fn random(random: &mut Random) -> Self {
        let bend = [(); 6].map(|()| BEND * random.bell());
        let slant = random.between(SLANT.0, SLANT.1);
        let height = random.between(HEIGHT.0, HEIGHT.1);
        let width = height * random.between(WIDTH.0, WIDTH.1);
        // A turn by the angle whose half has tangent t, without a sine.
        let t = TURN * random.bell();
        let square = t * t;
        Self {
            bend,
            slant,
            scale: (width, height),
            cosine: (1.0 - square) / (1.0 + square),
            sine: 2.0 * t / (1.0 + square),
        }
    }

    /// x, y ← x + b₀x² + b₁xy + b₂y², y + b₃x² + b₄xy + b₅y²; then slant, scale, turn.
    pub(super) fn apply(&self, (x, y): Point) -> Point {
        let b = &self.bend;
        let (xx, xy, yy) = (x * x, x * y, y * y);
        let bent_x = x + (b[0] * xx + b[1] * xy + b[2] * yy);
        let bent_y = y + (b[3] * xx + b[4] * xy + b[5] * yy);
        let x = (bent_x - self.slant * bent_y) * self.scale.0;
        let y = bent_y * self.scale.1;
        (self.cosine * x - self.sine * y, self.sine * x + self.cosine * y)
    }
}

/// Standard deviation of the six coefficients of the bend.
const BEND: f32 = 0.15;
/// Least and greatest slant: the part of the height by which the top leans right.
const SLANT: (f32, f32) = (-0.12, 0.42);
/// Least and greatest height of a figure, in pixels.
const HEIGHT: (f32, f32) = (16.0, 20.0);
/// Least and greatest width, as a part of the height (figures are drawn 0.6 wide).
const WIDTH: (f32, f32) = (0.75, 1.15);
/// Standard deviation of the tangent of half the angle of the turn: 0.06 is 7 degrees.
const TURN: f32 = 0.06;

/// Moves `lines` so that the middle of their bounding box is the image's centre plus `shift`.
pub(super) fn centred(mut lines: Vec<Vec<Point>>, shift: Point) -> Vec<Vec<Point>> {
    let mut low = (f32::MAX, f32::MAX);
    let mut high = (f32::MIN, f32::MIN);
    for &(x, y) in lines.iter().flatten() {
        low = (low.0.min(x), low.1.min(y));
        high = (high.0.max(x), high.1.max(y));
    }
    let centre = SIDE as f32 / 2.0;
    let by = (centre + shift.0 - (low.0 + high.0) / 2.0, centre + shift.1 - (low.1 + high.1) / 2.0);
    for point in lines.iter_mut().flatten() {
        *point = (point.0 + by.0, point.1 + by.1);
    }
    lines
}

/// Draws `lines` with a round pen: 1 within `radius`, 0 outside, a linear rim between.
///
/// Each pixel takes the most ink that any piece leaves on its centre: strokes that cross do not add
/// up, as with a real pen.
pub(super) fn draw(lines: &[Vec<Point>], radius: f32) -> [f32; PIXELS] {
    let mut ink = [0.0_f32; PIXELS];
    for line in lines {
        for ends in line.windows(2) {
            draw_piece(ends[0], ends[1], radius, &mut ink);
        }
    }
    ink
}

/// Distance to the piece from a to b: |p − a − t(b − a)| with t = (p − a)·(b − a)/|b − a|² in 0..1.
fn draw_piece(a: Point, b: Point, radius: f32, ink: &mut [f32; PIXELS]) {
    let reach = radius + RIM;
    let along = (b.0 - a.0, b.1 - a.1);
    let square = along.0 * along.0 + along.1 * along.1;
    let (left, right) = pixels(a.0, b.0, reach);
    let (top, bottom) = pixels(a.1, b.1, reach);
    for row in top..bottom {
        for column in left..right {
            let from_a = (column as f32 + 0.5 - a.0, row as f32 + 0.5 - a.1);
            let t = if square > 0.0 {
                ((from_a.0 * along.0 + from_a.1 * along.1) / square).clamp(0.0, 1.0)
            } else {
                0.0
            };
            let off = (from_a.0 - t * along.0, from_a.1 - t * along.1);
            let distance = (off.0 * off.0 + off.1 * off.1).sqrt();
            let coverage = ((reach - distance) / (2.0 * RIM)).clamp(0.0, 1.0);
            let pixel = &mut ink[row * SIDE + column];
            if coverage > *pixel {
                *pixel = coverage;
            }
        }
    }
}

/// The pixels, first and one past the last, whose centres may lie within `reach` of a..b.
fn pixels(a: f32, b: f32, reach: f32) -> (usize, usize) {
    // `as` saturates: what lies left of the image becomes 0.
    let first = (a.min(b) - reach) as usize;
    let last = (a.max(b) + reach) as usize;
    (first.min(SIDE), (last + 1).min(SIDE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_passes_through_its_points_and_keeps_straight_lines() {
        let points = [(0.0, 0.0), (1.0, 2.0), (3.0, 1.0), (4.0, 4.0)];
        let line = curve(&points);
        for (k, point) in points.iter().enumerate() {
            assert_eq!(line[k * PIECES], *point);
        }
        for (x, y) in curve(&[(0.0, 0.0), (1.0, 2.0), (2.0, 4.0)]) {
            assert!((y - 2.0 * x).abs() < 1e-6);
        }
        assert!(curve(&[]).is_empty());
        assert_eq!(curve(&[(1.0, 2.0)]), [(1.0, 2.0)]);
    }

    #[test]
    fn the_turn_keeps_lengths() {
        let mut random = Random::new(1, 2, 3);
        for _ in 0..100 {
            let map = Map::random(&mut random);
            let length = map.cosine * map.cosine + map.sine * map.sine;
            assert!((length - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn ink_of_a_stroke_is_its_area() {
        // A line of length 10 with radius 2: 10·4 + π·2², and the linear rim evens out.
        let lines = [vec![(9.0, 14.3), (19.0, 14.3)]];
        let area: f32 = draw(&lines, 2.0).iter().sum();
        assert!((area - (40.0 + 4.0 * std::f32::consts::PI)).abs() < 1.0, "{area}");
        // A point is a disc.
        let area: f32 = draw(&[vec![(14.0, 14.0), (14.0, 14.0)]], 3.0).iter().sum();
        assert!((area - 9.0 * std::f32::consts::PI).abs() < 1.0, "{area}");
    }

    #[test]
    fn what_leaves_the_image_is_cut_off() {
        for far in [-1e9, -30.0, 60.0, 1e9] {
            let ink = draw(&[vec![(far, far), (far + 1.0, far)]], 1.5);
            assert!(ink.iter().all(|&v| v == 0.0));
        }
        let ink = draw(&[vec![(-10.0, 0.5), (40.0, 0.5)]], 0.1);
        assert!(ink[..SIDE].iter().all(|&v| v > 0.5));
        assert!(ink[2 * SIDE..].iter().all(|&v| v == 0.0));
    }
}
