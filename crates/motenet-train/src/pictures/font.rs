//! A font of strokes, so that text in a PNG needs no font file and looks the same on every machine.
//!
//! A glyph is a few strokes on a grid: baseline 0, small letters 6 high, capitals and figures 9. A
//! point is two characters: its x, a figure, and its y, a figure or `a`, `b`, `c` for −1, −2, −3. A
//! stroke is its points one after the other: straight lines as they stand; after `~` a curve that
//! they pull at, from the first to the last; after `@` a closed one.

/// Grid units that make up the height of a line (the em).
const UNITS_PER_EM: f32 = 12.5;
/// The gap between two letters.
const GAP: f32 = 2.2;

/// Each glyph, how wide it is, and its strokes.
const GLYPHS: &[(char, f32, &str)] = &[
    (' ', 1.5, ""),
    ('.', 0.0, "0000"),
    (',', 1.0, "100b"),
    (':', 0.0, "0101 0505"),
    ('-', 3.5, "0333"),
    ('−', 5.0, "0454"),
    ('+', 5.0, "0454 2622"),
    ('±', 5.0, "0555 2722 0050"),
    ('=', 5.0, "0353 0656"),
    ('×', 5.0, "0145 4105"),
    ('/', 3.0, "0039"),
    ('(', 2.0, "~29070220"),
    (')', 2.0, "~09272200"),
    ('%', 7.0, "@06262909 @50707353 1069"),
    ('_', 4.0, "0b4b"),
    ('0', 5.0, "@00505909"),
    ('1', 5.0, "173930"),
    ('2', 5.0, "~070959555300 0050"),
    ('3', 5.0, "~0809595525 ~2555500001"),
    ('4', 5.0, "40490353"),
    ('5', 5.0, "590905 ~0556500001"),
    ('6', 5.0, "@00505505 ~03095958"),
    ('7', 5.0, "095920"),
    ('8', 5.0, "@00505505 @05555909"),
    ('9', 5.0, "@04545909 ~56500001"),
    ('A', 6.0, "003960 1353"),
    ('B', 5.0, "20000929 ~29595525 0525 ~25555020"),
    ('C', 5.0, "~585909005051"),
    ('D', 5.0, "20000929 ~29595020"),
    ('E', 5.0, "59090050 0545"),
    ('F', 5.0, "590900 0545"),
    ('G', 5.0, "~585909005054 5434"),
    ('H', 5.0, "0900 5950 0555"),
    ('I', 0.0, "0900"),
    ('J', 4.0, "4942 ~42400002"),
    ('K', 5.0, "0900 5903 2550"),
    ('L', 4.0, "090040"),
    ('M', 6.0, "0009346960"),
    ('N', 5.0, "00095059"),
    ('O', 6.0, "@00606909"),
    ('P', 5.0, "000929 ~29595424 2404"),
    ('Q', 6.0, "@00606909 4260"),
    ('R', 5.0, "000929 ~29595424 2404 2450"),
    ('S', 5.0, "~5859090555500001"),
    ('T', 6.0, "0969 3930"),
    ('U', 5.0, "0903 ~03005053 5359"),
    ('V', 6.0, "093069"),
    ('W', 8.0, "0920486089"),
    ('X', 5.0, "0950 0059"),
    ('Y', 6.0, "093569 3530"),
    ('Z', 5.0, "09590050"),
    ('a', 4.0, "@00404606 4640"),
    ('b', 4.0, "@00404606 0900"),
    ('c', 4.0, "~454606004041"),
    ('d', 4.0, "@00404606 4940"),
    ('e', 4.0, "0343 ~434606004041"),
    ('f', 3.0, "~39191715 1510 0636"),
    ('g', 4.0, "@00404606 464a ~4a4c0c0b"),
    ('h', 4.0, "0900 ~04064644 4440"),
    ('i', 0.0, "0600 0808"),
    ('j', 1.0, "161a ~1a1c0c 1818"),
    ('k', 4.0, "0900 4602 1340"),
    ('l', 0.0, "0900"),
    ('m', 6.0, "0600 ~04063634 3430 ~34366664 6460"),
    ('n', 4.0, "0600 ~04064644 4440"),
    ('o', 4.0, "@00404606"),
    ('p', 4.0, "@00404606 060c"),
    ('q', 4.0, "@00404606 464c"),
    ('r', 3.0, "0600 ~03061636"),
    ('s', 4.0, "~4546060343400001"),
    ('t', 3.0, "1912 ~121030 0636"),
    ('u', 4.0, "0602 ~02004042 4640"),
    ('v', 4.0, "062046"),
    ('w', 6.0, "0620354066"),
    ('x', 4.0, "0640 0046"),
    ('y', 4.0, "0620 461c"),
    ('z', 4.0, "06460040"),
];
/// What stands for a character that is not in the font: a box.
const UNKNOWN: (char, f32, &str) = ('\u{fffd}', 5.0, "0050590900");

/// A line of text as strokes: polylines whose points are in grid units, y upwards from the baseline.
pub(super) fn strokes(text: &str) -> Vec<Vec<(f32, f32)>> {
    let (mut strokes, mut x) = (Vec::new(), 0.0);
    for (_, width, source) in text.chars().map(glyph) {
        for stroke in source.split_ascii_whitespace() {
            strokes.push(outline(stroke).into_iter().map(|(px, py)| (px + x, py)).collect());
        }
        x += width + GAP;
    }
    strokes
}

/// How wide a line of text is, in ems.
pub(super) fn width(text: &str) -> f32 {
    let advances: f32 = text.chars().map(|c| glyph(c).1 + GAP).sum();
    (advances - GAP).max(0.0) / UNITS_PER_EM
}

/// The size of a grid unit for text whose em has this size.
pub(super) fn unit(em: f32) -> f32 {
    em / UNITS_PER_EM
}

fn glyph(c: char) -> &'static (char, f32, &'static str) {
    GLYPHS.iter().find(|glyph| glyph.0 == c).unwrap_or(&UNKNOWN)
}

/// The points of a stroke, its corners cut if it is a curve.
fn outline(stroke: &str) -> Vec<(f32, f32)> {
    let (curved, closed) = (stroke.starts_with(['~', '@']), stroke.starts_with('@'));
    let digits = &stroke.as_bytes()[usize::from(curved)..];
    let mut points: Vec<(f32, f32)> =
        digits.as_chunks().0.iter().map(|&[x, y]| (coordinate(x), coordinate(y))).collect();
    if closed {
        // Start and end in the middle of an edge, where a curve is not bent.
        let (first, last) = (points[0], points[points.len() - 1]);
        let middle = ((first.0 + last.0) / 2.0, (first.1 + last.1) / 2.0);
        points.insert(0, middle);
        points.push(middle);
    }
    // Chaikin (1974): four rounds of cutting come close to a quadratic B-spline.
    for _ in 0..if curved { 4 } else { 0 } {
        let at = |(ax, ay): (f32, f32), (bx, by): (f32, f32), t: f32| {
            (ax + (bx - ax) * t, ay + (by - ay) * t)
        };
        let mut cut = vec![points[0]];
        for (k, pair) in points.windows(2).enumerate() {
            let (first, last) = (k == 0, k + 2 == points.len());
            match (first, last) {
                (true, true) => {}
                (false, false) => cut.extend([0.25, 0.75].map(|t| at(pair[0], pair[1], t))),
                // The curve ends in the end points: their edges are cut in half.
                _ => cut.push(at(pair[0], pair[1], 0.5)),
            }
        }
        cut.push(points[points.len() - 1]);
        points = cut;
    }
    points
}

fn coordinate(digit: u8) -> f32 {
    match digit {
        b'a'..=b'c' => -f32::from(digit - b'a' + 1),
        _ => f32::from(digit - b'0'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_glyph_is_well_formed_and_within_its_box() {
        for (k, &(c, width, source)) in GLYPHS.iter().chain([&UNKNOWN]).enumerate() {
            assert!(GLYPHS[..k.min(GLYPHS.len())].iter().all(|other| other.0 != c), "{c} twice");
            for stroke in source.split_ascii_whitespace() {
                let digits = stroke.trim_start_matches(['~', '@']);
                assert!(digits.len().is_multiple_of(2) && digits.len() >= 4, "{c}: {stroke}");
                assert!(digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'c')), "{c}");
                for (x, y) in outline(stroke) {
                    assert!(
                        (0.0..=width).contains(&x) && (-3.0..=9.0).contains(&y),
                        "{c}: {x} {y}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_closed_curve_ends_where_it_began() {
        let o = outline("@00404606");
        assert_eq!(o.first(), o.last());
        // By hand: it touches the left, (0, 3), and does not reach the corner (0, 0).
        assert!(o.contains(&(0.0, 3.0)));
        assert!(o.iter().all(|(x, y)| x + y > 1.0));
    }

    #[test]
    fn widths_add_up() {
        assert_eq!(width(""), 0.0);
        assert_eq!(width("0"), 5.0 / UNITS_PER_EM);
        assert_eq!(width("00"), (5.0 + GAP + 5.0) / UNITS_PER_EM);
        assert_eq!(strokes("i\u{1f600}").len(), 3);
    }
}
