//! Made-up digits: drawn by arithmetic, so that everything works without network and files.
//!
//! A digit is a few pen strokes (`glyphs.rs`), two to four ways to write each figure. Each image
//! takes one, moves its points, bends and slants the plane, scales, turns and shifts it, and draws
//! it with a round pen of random width on 28×28 pixels (`pen.rs`), white on black as in MNIST and
//! with as much empty border.
//!
//! Digit `k` of a seed is a pure function of (seed, `k`): sets can be made in pieces, in any order,
//! on any machine, and are the same to the last bit. Only integers and the IEEE operations
//! + − × ÷ √ on `f32` are used; there is no sine, for its bits differ between platforms.
//!
//! # Limits
//! They are easier than MNIST in some ways (the figures come from 28 templates) and harder in
//! others (more turn and slant). A model trained on them is not a model of real handwriting.

mod glyphs;
mod pen;

use crate::random::Random;
use crate::{Digits, Image, PIXELS, Splits};
use glyphs::GLYPHS;
use pen::{Map, Point, draw};

/// Keep the random numbers of images and of label orders apart.
const IMAGES: u64 = 0x696d_6167;
const LABELS: u64 = 0x6c61_6265;

/// Names the one set of made-up digits that everybody trains on, whatever the seed of the run.
pub const SEED: u64 = 1;

/// Default sizes of the splits: training, validation, test.
pub const SIZES: (usize, usize, usize) = (12_000, 2_000, 4_000);

/// Makes digits `first` to `first + count − 1` of the endless sequence that `seed` names.
///
/// Every ten digits whose numbers start at a multiple of ten show each figure once, in an order
/// drawn anew, so any such set is balanced. Numbers wrap around after 2⁶⁴ − 1.
///
/// # Accuracy
/// Bit-exact across targets and versions: a test pins the hash.
///
/// # Memory
/// 785 bytes a digit. Time: about 15 µs a digit.
///
/// ```
/// use motenet_data::made_up::digits;
/// let (all, tail) = (digits(1, 0, 20), digits(1, 15, 5));
/// assert_eq!(all.images[15..], tail.images[..]);
/// assert_eq!(all.labels.iter().map(|&l| u32::from(l)).sum::<u32>(), 2 * 45);
/// ```
pub fn digits(seed: u64, first: u64, count: usize) -> Digits {
    let mut images = Vec::with_capacity(count);
    let mut labels = Vec::with_capacity(count);
    for offset in 0..count as u64 {
        let k = first.wrapping_add(offset);
        let label = label(seed, k);
        labels.push(label);
        images.push(image(seed, k, label));
    }
    Digits { images, labels }
}

/// Makes the three sets of a run from consecutive digits: training first, then validation, test.
///
/// # Accuracy
/// Bit-exact across targets and versions.
pub fn splits(seed: u64, train: usize, validation: usize, test: usize) -> Splits {
    let (second, third) = (train as u64, (train as u64).wrapping_add(validation as u64));
    Splits::new(
        "made-up",
        format!("seed {seed}"),
        digits(seed, 0, train),
        digits(seed, second, validation),
        digits(seed, third, test),
    )
}

/// The figure of digit `k`: its place in a random order of 0 to 9, one order for every ten digits.
fn label(seed: u64, k: u64) -> u8 {
    let mut random = Random::new(seed, LABELS, k / 10);
    let mut order = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    // Fisher and Yates, in Durstenfeld's form.
    for last in (1..10).rev() {
        order.swap(last, random.below(last as u32 + 1) as usize);
    }
    order[(k % 10) as usize]
}

/// Draws digit `k`. The order of the draws is part of the format: the golden hash pins it.
fn image(seed: u64, k: u64, label: u8) -> Image {
    let mut random = Random::new(seed, IMAGES, k);
    let ways = GLYPHS[usize::from(label)];
    let glyph = ways[random.below(ways.len() as u32) as usize];

    // Points move together where they coincide, or strokes would come apart.
    let mut moved: Vec<(Point, Point)> = Vec::with_capacity(32);
    let mut shake = |point: Point| {
        if let Some(&(_, to)) = moved.iter().find(|(from, _)| *from == point) {
            return to;
        }
        let to = (point.0 + SHAKE * random.bell(), point.1 + SHAKE * random.bell());
        moved.push((point, to));
        to
    };
    let strokes: Vec<(bool, Vec<Point>)> = glyph
        .iter()
        .map(|stroke| (stroke.smooth, stroke.points.iter().map(|&p| shake(p)).collect()))
        .collect();

    let map = Map::random(&mut random);
    let lines: Vec<Vec<Point>> = strokes
        .iter()
        .map(|(smooth, points)| {
            let mut line = if *smooth { pen::curve(points) } else { points.clone() };
            line.iter_mut().for_each(|point| *point = map.apply(*point));
            line
        })
        .collect();
    let shift = (random.between(-SHIFT, SHIFT), random.between(-SHIFT, SHIFT));
    let lines = pen::centred(lines, shift);

    let radius = random.between(RADIUS.0, RADIUS.1);
    let ink = draw(&lines, radius);
    let brightness = random.between(BRIGHTNESS.0, BRIGHTNESS.1);
    let mut image = [0; PIXELS];
    for (pixel, &ink) in image.iter_mut().zip(&ink) {
        if ink > 0.0 {
            let grain = 1.0 + GRAIN * random.bell();
            // `as` rounds towards zero and saturates, by definition of the language.
            *pixel = (ink * brightness * grain + 0.5) as u8;
        }
    }
    image
}

/// Standard deviation of a control point's own movement; the figure is 1 high.
const SHAKE: f32 = 0.03;
/// Greatest shift of the figure's centre, in pixels.
const SHIFT: f32 = 1.25;
/// Least and greatest radius of the pen, in pixels.
const RADIUS: (f32, f32) = (0.7, 1.7);
/// Least and greatest value of full ink, before grain and saturation.
const BRIGHTNESS: (f32, f32) = (200.0, 290.0);
/// Standard deviation of the grain, as a part of the ink.
const GRAIN: f32 = 0.08;

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of the first thousand digits of seed 1. It changes only on purpose: whoever has
    /// trained on made-up digits has results that depend on it.
    const GOLDEN: &str = "1b6fc8f2348be0232e2e65ce19cbc08597cb168e833ec588485b8be16c957e75";

    #[test]
    fn bits_are_pinned() {
        assert_eq!(digits(1, 0, 1_000).sha256(), GOLDEN);
    }

    #[test]
    fn a_digit_depends_on_its_seed_and_number_alone() {
        let all = digits(9, 0, 37);
        for (first, count) in [(0, 1), (1, 7), (9, 8), (20, 17), (36, 1)] {
            let part = digits(9, first, count);
            let range = first as usize..first as usize + count;
            assert_eq!(part.images, all.images[range.clone()]);
            assert_eq!(part.labels, all.labels[range]);
        }
        assert_ne!(digits(10, 0, 37), all);
        assert_eq!(digits(1, u64::MAX, 2).images[1], digits(1, 0, 1).images[0]);
    }

    #[test]
    fn labels_are_balanced_and_shuffled() {
        let labels = digits(4, 0, 1_000).labels;
        let mut at_place = [[0_u32; 10]; 10];
        for ten in labels.chunks(10) {
            let mut seen = [false; 10];
            for (place, &label) in ten.iter().enumerate() {
                assert!(!std::mem::replace(&mut seen[usize::from(label)], true));
                at_place[place][usize::from(label)] += 1;
            }
        }
        // Each figure at each place 10 times in 100, standard deviation 3.
        assert!(at_place.as_flattened().iter().all(|n| (1..=25).contains(n)), "{at_place:?}");
    }

    #[test]
    fn images_are_as_empty_as_mnist_and_keep_off_the_edge() {
        let set = digits(2, 0, 2_000);
        let zeros = |image: &Image| image.iter().filter(|&&p| p == 0).count();
        let all = set.images.iter().map(zeros).sum::<usize>() as f64 / (2_000.0 * 784.0);
        assert!((0.75..0.85).contains(&all), "{all}");
        let mut edge = 0_u32;
        for image in &set.images {
            // No figure is lost, and none fills the image.
            assert!((400..760).contains(&zeros(image)), "{}", zeros(image));
            assert!(image.iter().any(|&p| p > 128));
            edge += (0..28)
                .flat_map(|i| [image[i], image[27 * 28 + i], image[28 * i], image[28 * i + 27]])
                .map(|p| u32::from(p > 0))
                .sum::<u32>();
        }
        assert!(f64::from(edge) < 0.01 * 2_000.0 * 112.0, "{edge}");
    }

    #[test]
    fn every_image_is_another() {
        let mut images = digits(3, 0, 2_000).images;
        images.sort_unstable();
        images.dedup();
        assert_eq!(images.len(), 2_000);
    }

    #[test]
    fn splits_are_consecutive_and_say_their_seed() {
        let made = splits(6, 30, 10, 20);
        assert_eq!((made.name.as_str(), made.origin.as_str()), ("made-up", "seed 6"));
        let all = digits(6, 0, 60);
        assert_eq!(made.train.images, all.images[..30]);
        assert_eq!(made.validation.images, all.images[30..40]);
        assert_eq!(made.test.images, all.images[40..]);
        assert_eq!(made, splits(6, 30, 10, 20));
        assert_ne!(made.sha256, splits(6, 20, 20, 20).sha256);
    }
}
