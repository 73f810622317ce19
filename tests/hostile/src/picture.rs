//! The picture of a digit: any PNG file is refused in a line, or becomes a digit as MNIST has them.

#[path = "../../../crates/host/src/picture.rs"]
mod host;

use crate::allocations::bounded;
use crate::check_message;
use crate::files::file;
use crate::link::crc32;
use png::{BitDepth, ColorType, Encoder};

/// What the largest picture that is read may take.
const CONSTANT: usize = 320 << 20;

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// The first byte. Bit 0: taken as it is, else made like a digit of MNIST. Bit 1: the checksums of the chunks that follow
/// are made right, else they are a file as they stand.
pub fn check(data: &[u8]) {
    let Some((&mode, bytes)) = data.split_first() else { return };
    let (raw, mut bytes) = (mode & 1 == 1, bytes.to_vec());
    if mode & 2 == 2 {
        mend(&mut bytes);
    }
    let path = file("digit.png", &bytes);
    let digit = match bounded(bytes.len() + CONSTANT, || host::read(&path, raw)) {
        Ok(digit) => digit,
        Err(error) => return check_message(&error),
    };
    let host::Digit { image, inverted, size: (width, height) } = digit;
    assert!((1..=4096).contains(&width) && (1..=4096).contains(&height));
    if raw {
        assert_eq!((width, height, inverted), (28, 28, false));
        return;
    }
    // The darkest is full ink, and all of it fits a square of 20.
    assert!(image.contains(&255));
    let extent = |place: fn(usize) -> usize| {
        let inked = image.iter().enumerate().filter(|(_, ink)| **ink > 0).map(|(k, _)| place(k));
        inked.clone().max().unwrap_or(0) - inked.min().unwrap_or(0)
    };
    assert!(extent(|k| k % 28) < 20 && extent(|k| k / 28) < 20);
}

/// A stroke in every colour type, small and of the size that is taken as it is.
pub fn seeds() -> Vec<Vec<u8>> {
    let kinds = [
        (ColorType::Grayscale, BitDepth::One),
        (ColorType::Grayscale, BitDepth::Eight),
        (ColorType::Grayscale, BitDepth::Sixteen),
        (ColorType::GrayscaleAlpha, BitDepth::Eight),
        (ColorType::Rgb, BitDepth::Eight),
        (ColorType::Rgba, BitDepth::Eight),
        (ColorType::Indexed, BitDepth::Two),
    ];
    let mut seeds = Vec::new();
    for (color, depth) in kinds {
        for (width, height) in [(28, 28), (9, 5), (1, 1)] {
            let mut file = Vec::new();
            let mut encoder = Encoder::new(&mut file, width, height);
            encoder.set_color(color);
            encoder.set_depth(depth);
            if color == ColorType::Indexed {
                encoder.set_palette(vec![0, 0, 0, 255, 255, 255, 9, 9, 200, 255, 0, 0]);
                encoder.set_trns(vec![255, 0, 128]);
            }
            let row = (width as usize * color.samples() * depth as usize).div_ceil(8);
            let pixels: Vec<u8> = (0..row * height as usize)
                .map(|k| if (k / row) % 4 == 1 && k % row > 0 { 0xff } else { 0 })
                .collect();
            let mut writer = encoder.write_header().expect("a header that is right");
            writer.write_image_data(&pixels).expect("as many bytes as pixels");
            writer.finish().expect("a vector takes everything");
            seeds.push([&[u8::from(width == 28) | 2], file.as_slice()].concat());
        }
    }
    seeds
}

/// Puts the signature where it belongs, and the right checksum behind every chunk that is whole.
fn mend(bytes: &mut [u8]) {
    for (byte, right) in bytes.iter_mut().zip(SIGNATURE) {
        *byte = right;
    }
    let mut rest = bytes.get_mut(SIGNATURE.len()..).unwrap_or_default();
    while let Some((len, chunk)) = rest.split_first_chunk_mut() {
        let len = (u32::from_be_bytes(*len) as usize).saturating_add(4);
        let Some((content, after)) = chunk.split_at_mut_checked(len) else { return };
        let Some((checksum, after)) = after.split_first_chunk_mut() else { return };
        *checksum = crc32(content).to_be_bytes();
        rest = after;
    }
}
