//! Each picture is drawn, read back and looked at, pixel by pixel where a hand can tell what is there.

use std::fs;

use super::*;
use crate::EpochMetrics;

fn epochs(count: u32) -> Vec<EpochMetrics> {
    (1..=count)
        .map(|epoch| {
            let e = f64::from(epoch);
            EpochMetrics {
                epoch,
                seconds: 1.0,
                samples_per_second: 55e3,
                learning_rate: 0.1,
                train_loss: 0.02 + 0.4 / e,
                train_accuracy: 0.995 - 0.1 / e,
                validation_loss: Some(0.075 + 0.12 / e),
                validation_accuracy: Some(0.978 - 0.04 / e),
            }
        })
        .collect()
}

fn counts() -> [[u64; 10]; 10] {
    std::array::from_fn(|label| {
        std::array::from_fn(|answer| match label == answer {
            true => 960 + 11 * label as u64,
            false => (label * 7 + answer * 5) as u64 % 11 / 2,
        })
    })
}

fn weights(units: usize) -> Vec<f32> {
    let at = |pixel: usize, unit: usize| {
        let (x, y) = ((pixel % 28) as f32 - 13.5, (pixel / 28) as f32 - 13.5);
        let (angle, wave) = (unit as f32 * 0.7, 0.25 + 0.05 * (unit % 7) as f32);
        let along = x * angle.cos() + y * angle.sin();
        0.2 * (along * wave + unit as f32).sin() * (-(x * x + y * y) / 90.0).exp()
    };
    (0..784 * units).map(|k| at(k / units, k % units)).collect()
}

/// The pixels of a PNG file, its columns and rows.
fn decode(path: &Path) -> (Vec<[u8; 3]>, usize, usize) {
    let file = std::io::BufReader::new(fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
    let pixels = bytes.as_chunks().0.to_vec();
    (pixels, info.width as usize, info.height as usize)
}

fn is_near(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) < 8)
}

#[test]
fn curves_run_where_the_numbers_say() {
    let folder = tempfile::tempdir().unwrap();
    curves(&epochs(15), folder.path()).unwrap();
    let svg = fs::read_to_string(folder.path().join("curves.svg")).unwrap();
    for text in ["training", "validation", "mean loss", "accuracy in %", "epoch", "98.0", "0.40"] {
        assert!(svg.contains(&format!("\n{text}\n")), "{text}");
    }
    let (pixels, width, height) = decode(&folder.path().join("curves.png"));
    assert_eq!((width, height), (2000, 800));
    // Loss falls: the first blue pixel from above lies further left than the last one from below.
    let blue: Vec<usize> = (0..pixels.len())
        .filter(|k| k % width < 900 && k / width > 260 && is_near(pixels[*k], [31, 98, 173]))
        .collect();
    assert!(blue.len() > 1000, "{}", blue.len());
    let quarter = blue.len() / 4;
    let mean = |part: &[usize]| part.iter().map(|k| k % width).sum::<usize>() / part.len();
    assert!(mean(&blue[..quarter]) + 200 < mean(&blue[blue.len() - quarter..]));
    // Text is drawn: there is ink where the left panel's title stands.
    let ink = (30..80).flat_map(|y| &pixels[y * width + 400..][..200]);
    assert!(ink.filter(|rgb| is_near(**rgb, [40; 3])).count() > 100);
}

#[test]
fn any_metrics_can_be_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let change = |count: u32, change: &dyn Fn(&mut EpochMetrics)| {
        let mut all = epochs(count);
        all.iter_mut().for_each(change);
        all
    };
    let values =
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 0.0, -1.0, 1e-300];
    for value in values {
        let all = |epoch: &mut EpochMetrics| {
            (epoch.train_loss, epoch.train_accuracy) = (value, value);
            (epoch.validation_loss, epoch.validation_accuracy) = (None, Some(value));
        };
        curves(&change(2, &all), folder.path()).unwrap();
        let one = |epoch: &mut EpochMetrics| {
            if epoch.epoch == 2 {
                all(epoch);
            }
        };
        curves(&change(3, &one), folder.path()).unwrap();
    }
    let none = |epoch: &mut EpochMetrics| {
        (epoch.validation_loss, epoch.validation_accuracy) = (None, None);
    };
    curves(&change(1, &none), folder.path()).unwrap();
    let svg = fs::read_to_string(folder.path().join("curves.svg")).unwrap();
    assert!(svg.contains("\ntraining\n") && !svg.contains("\nvalidation\n"));
    curves(&change(1, &|epoch| epoch.epoch = u32::MAX), folder.path()).unwrap();
    curves(&change(1, &|epoch| epoch.epoch = 0), folder.path()).unwrap();
    curves(&epochs(1000), folder.path()).unwrap();
    assert!(matches!(curves(&[], folder.path()), Err(Error::Picture { .. })));
}

#[test]
fn cells_have_the_colour_of_their_share() {
    let folder = tempfile::tempdir().unwrap();
    let mut counts = [[0; 10]; 10];
    (0..10).for_each(|k| counts[k][k] = 100);
    counts[3][5] = 100;
    confusion(&counts, folder.path()).unwrap();
    let (pixels, width, height) = decode(&folder.path().join("confusion.png"));
    assert_eq!((width, height), (1480, 1380));
    let cell = |label: usize, answer: usize| {
        pixels[(2 * (80 + 54 * label) + 10) * width + 2 * (80 + 54 * answer) + 10]
    };
    assert_eq!(cell(0, 0), [24, 84, 155]);
    // Half of the threes: half way to white; the worst mistake: three quarters of the way to red.
    assert_eq!(cell(3, 3), [140, 170, 205]);
    assert_eq!(cell(3, 5), [214, 94, 86]);
    assert_eq!(cell(5, 3), [255; 3]);
    let svg = fs::read_to_string(folder.path().join("confusion.svg")).unwrap();
    for text in
        ["1000 of 1100 right (90.91 %)", "50.0 %", "true digit", "predicted digit", "recall"]
    {
        assert!(svg.contains(&format!("\n{text}\n")), "{text}");
    }
    for any in [[[0; 10]; 10], [[u64::MAX; 10]; 10], self::counts()] {
        confusion(&any, folder.path()).unwrap();
    }
}

#[test]
fn a_tile_shows_the_weights_of_its_unit() {
    let folder = tempfile::tempdir().unwrap();
    let units = 10;
    let mut weights = vec![0.0; 784 * units];
    // Unit 6, the second of the second row of five: one row of pixels positive, one negative.
    for x in 0..28 {
        weights[(3 * 28 + x) * units + 6] = 0.5;
        weights[(20 * 28 + x) * units + 6] = -0.5;
    }
    weights[units + 9] = f32::NAN;
    first_layer(&weights, units, folder.path()).unwrap();
    let (pixels, width, height) = decode(&folder.path().join("first_layer.png"));
    let (zoom, step) = (6, 6 * 28 + 6);
    assert_eq!((width, height), (5 * step + 80, 2 * step + 150));
    let at = |tile: (usize, usize), x: usize, y: usize| {
        let (x, y) = (40 + tile.0 * step + x * zoom + 2, 40 + tile.1 * step + y * zoom + 2);
        pixels[y * width + x]
    };
    for x in [0, 27] {
        assert_eq!(at((1, 1), x, 3), [178, 24, 32]);
        assert_eq!(at((1, 1), x, 20), [22, 82, 160]);
        assert_eq!(at((1, 1), x, 4), [255; 3]);
        assert_eq!(at((2, 1), x, 3), [255; 3]);
    }
    assert_eq!(at((4, 1), 1, 0), [128; 3]);
    for units in [1, 2, 3, 64, 97, 512] {
        first_layer(&self::weights(units), units, folder.path()).unwrap();
    }
    for (len, units) in [(0, 0), (783, 1), (784, 2), (784 * 4097, 4097), (784, usize::MAX / 2)] {
        let error = first_layer(&vec![0.0; len], units, folder.path()).unwrap_err();
        assert!(matches!(error, Error::Picture { .. }), "{error}");
    }
}

#[test]
fn hardest_digits_show_their_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let mut image = [0; 784];
    image[3 * 28 + 5] = 255; // row 3, column 5
    image[27 * 28 + 27] = 100;
    let digits: Vec<_> = (0..7).map(|k| (&image, format!("{k} read as 9"))).collect();
    hardest_digits(&digits, folder.path()).unwrap();
    let (pixels, width, height) = decode(&folder.path().join("hardest_digits.png"));
    let (step_x, step_y) = (28 * 8 + 40, 28 * 8 + 60 + 40);
    assert_eq!((width, height), (5 * step_x + 40, 2 * step_y + 40));
    let at = |tile: (usize, usize), x: usize, y: usize| {
        pixels[(40 + tile.1 * step_y + y * 8 + 3) * width + 40 + tile.0 * step_x + x * 8 + 3]
    };
    for tile in [(0, 0), (4, 0), (1, 1)] {
        assert_eq!(at(tile, 5, 3), [0; 3]);
        assert_eq!(at(tile, 27, 27), [155; 3]);
        assert_eq!(at(tile, 3, 5), [255; 3]);
    }
    assert_eq!(at((2, 1), 5, 3), [255; 3]);
    for count in [0, 101] {
        let digits = vec![(&image, String::new()); count];
        let error = hardest_digits(&digits, folder.path()).unwrap_err();
        assert!(matches!(error, Error::Picture { .. }), "{error}");
    }
}

#[test]
fn a_picture_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    for result in [
        curves(&epochs(2), &nowhere),
        confusion(&counts(), &nowhere),
        first_layer(&weights(2), 2, &nowhere),
        hardest_digits(&[(&[0; 784], "9 read as 3".into())], &nowhere),
    ] {
        assert!(matches!(result, Err(Error::Io { .. })), "{result:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
