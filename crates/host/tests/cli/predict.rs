//! Pictures as users have them.

use crate::{SHORT, fails, folder, succeeds, trained};
use motenet_data::{SIDE, made_up};
use png::{BitDepth, ColorType, Encoder};
use std::fs::File;
use std::path::Path;

/// Writes a picture whose pixels `pixel` gives, channel by channel.
fn picture(path: &Path, (width, height): (u32, u32), kind: (ColorType, BitDepth), bytes: &[u8]) {
    let mut encoder = Encoder::new(File::create(path).unwrap(), width, height);
    encoder.set_color(kind.0);
    encoder.set_depth(kind.1);
    if kind.0 == ColorType::Indexed {
        encoder.set_palette(vec![255, 255, 255, 20, 20, 60]);
    }
    encoder.write_header().unwrap().write_image_data(bytes).unwrap();
}

fn answer(folder: &Path, args: &[&str]) -> serde_json::Value {
    let output = succeeds(folder, &[&["predict"], args, &["--json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Digits enough to know a made-up seven from a two.
fn train(folder: &Path) {
    trained(folder, &["--dataset", "made-up"]);
}

#[test]
fn any_size_and_any_kind_of_pixels() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    train(folder.path());
    // Each figure once, from far beyond the sets that a run uses.
    let digits = made_up::digits(1, 1_000_000, 10);
    for (image, &label) in digits.images.iter().zip(&digits.labels) {
        picture(&at("raw.png"), (28, 28), (ColorType::Grayscale, BitDepth::Eight), image);
        let raw = answer(folder.path(), &["raw.png", "--raw"]);
        let cut = answer(folder.path(), &["raw.png"]);
        assert_eq!((&raw["digit"], &cut["digit"]), (&label.into(), &label.into()), "{raw} {cut}");

        // Six times as large, off centre, ink on paper.
        let large = |x: usize, y: usize| match (x.checked_sub(50), y.checked_sub(7)) {
            (Some(x), Some(y)) if x / 6 < SIDE && y / 6 < SIDE => 255 - image[y / 6 * SIDE + x / 6],
            _ => 255,
        };
        let places = || (0..200).flat_map(|y| (0..260).map(move |x| (x, y)));
        let grey: Vec<u8> = places().map(|(x, y)| large(x, y)).collect();
        let rgba16: Vec<u8> = grey.iter().flat_map(|&g| [g, 0, g, 0, g, 0, 255, 255]).collect();
        let alpha: Vec<u8> = grey.iter().flat_map(|&g| [0, 255 - g]).collect();
        let chalk: Vec<u8> = grey.iter().flat_map(|&g| [255, 255, 255, 255 - g]).collect();
        let rgb: Vec<u8> = grey.iter().flat_map(|&g| [g, g, g]).collect();
        let bits: Vec<u8> = (0..200)
            .flat_map(|y| (0..33).map(move |byte| (byte, y)))
            .map(|(byte, y)| {
                (0..8).fold(0, |bits, k| bits << 1 | u8::from(large(8 * byte + k, y) < 128))
            })
            .collect();
        let all = [
            ("grey.png", ColorType::Grayscale, BitDepth::Eight, &grey, true),
            ("rgb.png", ColorType::Rgb, BitDepth::Eight, &rgb, true),
            ("rgba16.png", ColorType::Rgba, BitDepth::Sixteen, &rgba16, true),
            ("alpha.png", ColorType::GrayscaleAlpha, BitDepth::Eight, &alpha, true),
            ("chalk.png", ColorType::Rgba, BitDepth::Eight, &chalk, false),
            ("palette.png", ColorType::Indexed, BitDepth::One, &bits, true),
        ];
        for (name, color, depth, bytes, inverted) in all {
            picture(&at(name), (260, 200), (color, depth), bytes);
            let answer = answer(folder.path(), &[name]);
            assert_eq!(
                (&answer["digit"], &answer["inverted"]),
                (&label.into(), &inverted.into()),
                "{name}"
            );
            let sum: f64 = answer["probabilities"]
                .as_array()
                .unwrap()
                .iter()
                .map(|p| p.as_f64().unwrap())
                .sum();
            assert!((sum - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn what_is_no_picture_of_a_digit() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    trained(folder.path(), &SHORT);
    let grey = (ColorType::Grayscale, BitDepth::Eight);
    let digit = made_up::digits(1, 0, 1).images[0];
    picture(&at("good.png"), (28, 28), grey, &digit);
    let good = std::fs::read(at("good.png")).unwrap();

    let predict = |name: &str| fails(folder.path(), &["predict", name]);
    assert!(predict("nosuch.png").contains("no such file"));
    assert!(predict(".").contains("no regular file"));
    std::fs::write(at("empty.png"), []).unwrap();
    assert!(predict("empty.png").contains("too early"));
    std::fs::write(at("text.png"), "a text that is called a picture").unwrap();
    assert!(predict("text.png").contains("is no PNG"));
    for length in [7, 8, 20, 40, good.len() / 2, good.len() - 13] {
        std::fs::write(at("cut.png"), &good[..length]).unwrap();
        predict("cut.png");
    }
    for place in (8..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[place] ^= 0x55;
        std::fs::write(at("bad.png"), bad).unwrap();
        // Damage that no checksum covers may go unnoticed; a crash may not.
        let output = crate::host(folder.path()).args(["predict", "bad.png"]).output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "byte {place}: {output:?}");
    }
    picture(&at("blank.png"), (40, 30), grey, &[250; 1200]);
    assert!(predict("blank.png").contains("no ink"));
    picture(&at("dot.png"), (1, 1), grey, &[0]);
    assert!(predict("dot.png").contains("no ink"));
    picture(&at("wide.png"), (5000, 1), grey, &[0; 5000]);
    assert!(predict("wide.png").contains("4096"));
    let raw = fails(folder.path(), &["predict", "blank.png", "--raw"]);
    assert!(raw.contains("40×30") && raw.contains("28×28"), "{raw}");

    // A model that reads no digits.
    trained(folder.path(), &["--model", "napkin", "--epochs", "1"]);
    assert!(predict("good.png").contains("napkin"));
    assert_eq!(answer(folder.path(), &["good.png", "--run", "runs/0001-mlp"])["model"], "mlp");
}
