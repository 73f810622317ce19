//! Digits as text: two pixels a character, one above the other.

use motenet_data::{Image, SIDE};

/// A pixel of this grey or lighter is drawn.
const INK: u8 = 90;

/// Columns and rows of pixels that [`small`] shows: what a centred digit fills.
pub(crate) const SMALL: (usize, usize) = (18, 20);

/// The whole image: 14 lines of 28 characters.
pub(crate) fn whole(image: &Image) -> Vec<String> {
    window(image, (0, 0), (SIDE, SIDE))
}

/// The part of the image around its ink: 10 lines of 18 characters.
pub(crate) fn small(image: &Image) -> Vec<String> {
    let inked = |x: usize, y: usize| image[y * SIDE + x] >= INK;
    let columns = (0..SIDE).filter(|&x| (0..SIDE).any(|y| inked(x, y)));
    let rows = (0..SIDE).filter(|&y| (0..SIDE).any(|x| inked(x, y)));
    let corner = (start(columns, SMALL.0), start(rows, SMALL.1));
    window(image, corner, SMALL)
}

/// Where a window of `size` begins that has the span of `inked` in its middle.
fn start(mut inked: impl Iterator<Item = usize>, size: usize) -> usize {
    let first = inked.next().unwrap_or(0);
    let last = inked.last().unwrap_or(first);
    // Twice the middle, so that halves are kept.
    ((first + last + 1).saturating_sub(size) / 2).min(SIDE - size)
}

fn window(image: &Image, corner: (usize, usize), size: (usize, usize)) -> Vec<String> {
    let inked = |x: usize, y: usize| image[(corner.1 + y) * SIDE + corner.0 + x] >= INK;
    let character = |x: usize, y: usize| match (inked(x, y), inked(x, y + 1)) {
        (false, false) => ' ',
        (true, false) => '▀',
        (false, true) => '▄',
        (true, true) => '█',
    };
    let line = |y: usize| (0..size.0).map(|x| character(x, y)).collect();
    (0..size.1).step_by(2).map(line).collect()
}

/// Small digits side by side, four to a row (78 columns), each with lines of text below.
pub(crate) fn gallery<'a>(digits: impl Iterator<Item = (&'a Image, Vec<String>)>) -> String {
    let digits: Vec<_> = digits.collect();
    let mut rows = Vec::new();
    for row in digits.chunks(4) {
        let cells: Vec<Vec<String>> = row
            .iter()
            .map(|(image, text)| small(image).into_iter().chain(text.iter().cloned()).collect())
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        let mut lines = Vec::new();
        for y in 0..height {
            let cell = |cell: &Vec<String>| {
                format!("{:<width$}", cell.get(y).map_or("", String::as_str), width = SMALL.0)
            };
            let line = cells.iter().map(cell).collect::<Vec<_>>().join("  ");
            lines.push(line.trim_end().to_string());
        }
        rows.push(lines.join("\n"));
    }
    rows.join("\n\n")
}

/// A bar of `share` (0 to 1) of `width` characters, in eighths.
pub(crate) fn bar(share: f32, width: usize) -> String {
    let eighths = (share.clamp(0.0, 1.0) * (width * 8) as f32).round() as usize;
    let mut text = "█".repeat(eighths / 8);
    if let Some(part) = (eighths % 8).checked_sub(1) {
        text.push(['▏', '▎', '▍', '▌', '▋', '▊', '▉'][part]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use motenet_data::PIXELS;

    fn image(inked: &[(usize, usize)]) -> Image {
        let mut image = [0; PIXELS];
        inked.iter().for_each(|(x, y)| image[y * SIDE + x] = 255);
        image
    }

    #[test]
    fn characters_hold_two_pixels() {
        let art = whole(&image(&[(0, 0), (1, 1), (2, 0), (2, 1), (27, 27)]));
        assert_eq!(art.len(), 14);
        assert!(art[0].starts_with("▀▄█ "));
        assert!(art[13].ends_with('▄') && art.iter().all(|line| line.chars().count() == 28));
    }

    #[test]
    fn the_window_follows_the_ink() {
        for corner in [(0, 0), (26, 26), (0, 26), (13, 13)] {
            let art = small(&image(&[corner, (corner.0 + 1, corner.1 + 1)])).join("");
            assert_eq!(art.chars().filter(|c| *c != ' ').count(), 2, "{corner:?}");
        }
        assert_eq!(small(&[0; PIXELS]).len(), 10);
        // 18 columns of ink are all shown.
        let line: Vec<_> = (5..23).map(|x| (x, 4)).collect();
        assert_eq!(small(&image(&line))[2].trim().chars().count(), 18);
    }

    #[test]
    fn galleries_fit_eighty_columns() {
        let full = [255; PIXELS];
        let text = gallery((0..5).map(|k| (&full, vec![format!("number {k}")])));
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert_eq!(widest, Some(78));
        assert!(text.contains("\n\n") && text.ends_with("number 4"));
    }

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(
            (bar(0.0, 4), bar(1.0, 2), bar(9.0, 2)),
            (String::new(), "██".into(), "██".into())
        );
        assert_eq!((bar(0.5, 3), bar(1.0 / 16.0, 2)), ("█▌".into(), "▏".into()));
        assert_eq!(bar(f32::NAN, 3), "");
    }
}
