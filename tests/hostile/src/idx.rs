//! IDX files, held against a reader that believes the length of the slice and nothing else.

use crate::allocations::bounded;
use crate::check_message;
use flate2::Compression;
use flate2::write::GzEncoder;
use motenet_data::{Error, idx};
use std::io::Write;
use std::path::Path;

/// What buffers and the decompressor may take.
const CONSTANT: usize = 400 * 1024;

/// Deflate cannot expand a byte to more.
const DEFLATE_MOST: usize = 1032;

#[derive(Clone, Copy)]
enum Kind {
    Images,
    Labels,
}

/// The first byte. Bit 0: labels, else images. Bit 1: what follows is packed here, else it is the file. Bits 2 and 3: how
/// many items are allowed. Above: how the packed file is damaged.
pub fn check(data: &[u8]) {
    let Some((&mode, content)) = data.split_first() else { return };
    let kind = if mode & 1 == 0 { Kind::Images } else { Kind::Labels };
    let most = [0, 3, idx::MOST, usize::MAX][usize::from(mode >> 2 & 3)];
    let expected = naive(kind, content, most);
    if mode & 2 == 0 {
        let found = read(kind, content, most);
        if !content.starts_with(&[0x1f, 0x8b]) {
            assert_eq!(found.as_deref(), expected);
        }
        return;
    }
    let (packed, damage) = (pack(content), usize::from(mode >> 4));
    match damage {
        0 => assert_eq!(read(kind, &packed, most).as_deref(), expected),
        // Two members, one behind the other, are one file.
        15 => {
            let (a, b) = content.split_at(content.len() / 2);
            assert_eq!(read(kind, &[pack(a), pack(b)].concat(), most).as_deref(), expected);
        }
        // Something behind the end.
        14 => assert_eq!(read(kind, &[&packed, &[7][..]].concat(), most), None),
        _ => assert_eq!(read(kind, &packed[..packed.len() - damage], most), None),
    }
}

/// Images and labels, none, one and two of them, raw and packed.
pub fn seeds() -> Vec<Vec<u8>> {
    let image =
        |ink: u8| -> Vec<u8> { (0..784).map(|k| if k % 7 == 0 { ink } else { 0 }).collect() };
    let images = |count: u8, of: &[Vec<u8>]| {
        [&[0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28][..], &of.concat()].concat()
    };
    let labels = |of: &[u8]| [&[0, 0, 8, 1, 0, 0, 0, of.len() as u8][..], of].concat();
    let files = [
        (0, images(0, &[])),
        (0, images(1, &[image(255)])),
        (0, images(2, &[image(9), image(1)])),
        (0, images(4, &[])),
        (1, labels(&[])),
        (1, labels(&[7, 2, 1])),
        (1, labels(&[7, 2, 1, 10])),
    ];
    let mut seeds = Vec::new();
    for (kind, file) in files {
        for mode in [0x08, 0x04, 0x0a, 0xfe, 0xea, 0x1a] {
            seeds.push([&[mode | kind], file.as_slice()].concat());
        }
        seeds.push([&[0x08 | kind], pack(&file).as_slice()].concat());
    }
    seeds
}

/// The items that the reader finds, one behind the other.
fn read(kind: Kind, file: &[u8], most: usize) -> Option<Vec<u8>> {
    let name = Path::new("file");
    let expand = if file.starts_with(&[0x1f, 0x8b]) { DEFLATE_MOST } else { 1 };
    let read = || -> Result<Vec<u8>, Error> {
        match kind {
            Kind::Images => Ok(idx::images_from(file, name, most)?.into_flattened()),
            Kind::Labels => idx::labels_from(file, name, most),
        }
    };
    match bounded(file.len() * expand + CONSTANT, read) {
        Ok(items) => Some(items),
        Err(error) => {
            check_message(&error);
            None
        }
    }
}

/// The items of a file that is right in every respect.
fn naive(kind: Kind, content: &[u8], most: usize) -> Option<&[u8]> {
    let number = |at: usize| {
        content
            .get(at..at + 4)
            .map(|bytes| bytes.iter().fold(0, |n, &byte| n << 8 | u64::from(byte)))
    };
    let (header, size, magic) = match kind {
        Kind::Images => (16, 784, 0x803),
        Kind::Labels => (8, 1, 0x801),
    };
    let square = || number(8) == Some(28) && number(12) == Some(28);
    let count = number(4)?;
    let items = content.get(header..)?;
    let right = number(0) == Some(magic)
        && (header == 8 || square())
        && count <= most as u64
        && items.len() as u64 == count * size
        && (size > 1 || items.iter().all(|&label| label < 10));
    right.then_some(items)
}

fn pack(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).and_then(|()| encoder.finish()).expect("a vector takes everything")
}
