//! The IDX reader on good files, on every kind of bad file, and on noise.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use motenet_data::idx::{MOST, digits, images, images_from, labels, labels_from};
use motenet_data::{Error, Image, PIXELS};
use proptest::collection::vec;
use proptest::prelude::*;

fn image_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    for dimension in [count as u32, 28, 28] {
        bytes.extend(dimension.to_be_bytes());
    }
    bytes.extend((0..count * PIXELS).map(|k| (k * 7 + k / PIXELS) as u8));
    bytes
}

fn label_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 1];
    bytes.extend((count as u32).to_be_bytes());
    bytes.extend((0..count).map(|k| (k % 10) as u8));
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn name() -> &'static Path {
    Path::new("some/file")
}

fn read_images(bytes: &[u8]) -> Result<Vec<Image>, Error> {
    images_from(bytes, name(), MOST)
}

fn read_labels(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    labels_from(bytes, name(), MOST)
}

/// A message is one line and says which file.
fn message(error: &Error) -> String {
    let text = error.to_string();
    assert!(!text.contains('\n') && text.len() < 300, "{text}");
    assert!(text.contains("some/file"), "{text}");
    text
}

macro_rules! expect {
    ($result:expr, $pattern:pat) => {{
        let error = $result.expect_err("the bytes are bad");
        message(&error);
        assert!(matches!(error, $pattern), "{error:?}");
    }};
}

#[test]
fn good_bytes_are_read_raw_and_compressed() {
    for count in [0, 1, 7, 83, 84, 200] {
        let raw = image_bytes(count);
        let expected = raw[16..].as_chunks::<PIXELS>().0;
        assert_eq!(read_images(&raw).unwrap(), expected);
        assert_eq!(read_images(&gzip(&raw)).unwrap(), expected);
        let raw = label_bytes(count);
        assert_eq!(read_labels(&raw).unwrap(), raw[8..]);
        assert_eq!(read_labels(&gzip(&raw)).unwrap(), raw[8..]);
    }
    // More labels than one chunk.
    let raw = label_bytes(200_000);
    assert_eq!(read_labels(&gzip(&raw)).unwrap(), raw[8..]);
}

#[test]
fn gzip_members_may_be_concatenated() {
    let raw = image_bytes(3);
    let (a, b) = raw.split_at(1_000);
    let joined = [gzip(a), gzip(b)].concat();
    assert_eq!(read_images(&joined).unwrap(), read_images(&raw).unwrap());
}

#[test]
fn every_cut_is_named() {
    let (raw, packed) = (image_bytes(2), gzip(&image_bytes(2)));
    expect!(read_images(&[]), Error::Empty { .. });
    for cut in 1..16 {
        expect!(read_images(&raw[..cut]), Error::Header { expected: 16, .. });
    }
    for cut in [16, 17, 800, raw.len() - 1] {
        expect!(read_images(&raw[..cut]), Error::Truncated { expected: 1568, .. });
    }
    expect!(read_images(&packed[..1]), Error::Magic { .. });
    for cut in 2..packed.len() {
        expect!(read_images(&packed[..cut]), Error::GzipTruncated { .. });
    }
    // Whole gzip around too little.
    expect!(read_images(&gzip(&[])), Error::Header { found: 0, .. });
    expect!(read_images(&gzip(&raw[..9])), Error::Header { found: 9, .. });
    let cut = gzip(&raw[..800]);
    expect!(read_images(&cut), Error::Truncated { found: 784, expected: 1568, .. });
    expect!(read_labels(&label_bytes(5)[..7]), Error::Header { found: 7, expected: 8, .. });
    expect!(read_labels(&label_bytes(5)[..11]), Error::Truncated { found: 3, expected: 5, .. });
}

#[test]
fn every_wrong_header_is_named() {
    let with = |at: usize, byte: u8| {
        let mut bytes = image_bytes(2);
        bytes[at] = byte;
        bytes
    };
    for bytes in [with(0, 1), with(1, 1), with(2, 7), with(2, 0x0f), with(3, 0)] {
        expect!(read_images(&bytes), Error::Magic { expected: 0x0803, .. });
        expect!(read_images(&gzip(&bytes)), Error::Magic { expected: 0x0803, .. });
    }
    expect!(read_images(b"<html>"), Error::Magic { found: 0x3c68_746d, .. });
    expect!(read_images(&with(2, 0x0d)), Error::ElementType { found: 0x0d, .. });
    expect!(read_images(&with(3, 1)), Error::Dimensions { found: 1, expected: 3, .. });
    expect!(read_labels(&image_bytes(1)), Error::Dimensions { found: 3, expected: 1, .. });
    expect!(read_images(&with(11, 32)), Error::Shape { rows: 32, columns: 28, .. });
    expect!(read_images(&with(15, 0)), Error::Shape { rows: 28, columns: 0, .. });
    expect!(read_images(&with(4, 255)), Error::TooMany { found: 0xff00_0002, .. });
    let three = image_bytes(3);
    assert!(images_from(&three, name(), 3).is_ok());
    expect!(images_from(&three, name(), 2), Error::TooMany { found: 3, most: 2, .. });
}

#[test]
fn what_follows_is_named() {
    let longer = [image_bytes(2), vec![0]].concat();
    expect!(read_images(&longer), Error::Trailing { expected: 1568, .. });
    expect!(read_images(&gzip(&longer)), Error::Trailing { expected: 1568, .. });
    // Rubbish behind the compressed data.
    let longer = [gzip(&image_bytes(2)), b"rubbish, longer than a gzip header".to_vec()].concat();
    expect!(read_images(&longer), Error::GzipCorrupt { .. });
}

#[test]
fn damage_inside_gzip_is_named() {
    let packed = gzip(&image_bytes(5));
    let mut bytes = packed.clone();
    let end = bytes.len();
    bytes[end - 6] ^= 1; // the CRC
    expect!(read_images(&bytes), Error::GzipCorrupt { .. });
    let mut bytes = packed.clone();
    bytes[2] = 9; // a compression method that does not exist
    expect!(read_images(&bytes), Error::GzipCorrupt { .. });
    let mut bytes = packed;
    bytes[10] = 0xff; // a block type that does not exist
    expect!(read_images(&bytes), Error::GzipCorrupt { .. });
}

#[test]
fn labels_over_nine_are_named() {
    let mut bytes = label_bytes(20);
    bytes[8 + 13] = 10;
    expect!(read_labels(&bytes), Error::Label { index: 13, found: 10, .. });
    expect!(read_labels(&gzip(&bytes)), Error::Label { index: 13, found: 10, .. });
}

#[test]
fn paths_that_are_no_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some/file");
    expect!(images(&path, MOST), Error::Missing { .. });
    fs::create_dir_all(&path).unwrap();
    expect!(labels(&path, MOST), Error::Folder { .. });
    #[cfg(unix)]
    {
        let device = images(Path::new("/dev/zero"), MOST).unwrap_err();
        assert!(matches!(device, Error::NotAFile { .. }), "{device}");
    }
}

#[test]
#[cfg(unix)]
fn a_file_that_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some_file");
    fs::write(&path, image_bytes(1)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&path).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    assert!(matches!(images(&path, MOST).unwrap_err(), Error::Denied { .. }));
}

#[test]
fn names_do_not_matter_and_counts_do() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let some = write("raw.gz", &image_bytes(4));
    let four = write("packed", &gzip(&label_bytes(4)));
    let five = write("five", &label_bytes(5));
    assert_eq!(digits(&some, &four, 4).unwrap().labels, [0, 1, 2, 3]);
    let error = digits(&some, &five, 5).unwrap_err();
    assert!(matches!(error, Error::Counts { images: 4, labels: 5, .. }), "{error}");
    let swapped = digits(&four, &some, 4).unwrap_err();
    assert!(matches!(swapped, Error::Dimensions { .. }), "{swapped}");
}

/// Whatever the bytes are, the result is digits of the right size or a message.
fn survives(bytes: &[u8]) {
    match read_images(bytes) {
        Ok(images) => assert!(images.len() <= 1032 * bytes.len() / PIXELS),
        Err(error) => drop(message(&error)),
    }
    match read_labels(bytes) {
        Ok(labels) => assert!(labels.iter().all(|&label| label <= 9)),
        Err(error) => drop(message(&error)),
    }
}

proptest! {
    #[test]
    fn noise_never_panics(bytes in vec(any::<u8>(), 0..300)) {
        survives(&bytes);
    }

    #[test]
    fn noise_behind_a_good_start_never_panics(
        start in 0..5_usize,
        bytes in vec(any::<u8>(), 0..2_000),
    ) {
        let starts: [&[u8]; 5] = [
            &[0, 0, 8, 3],
            &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28],
            &[0, 0, 8, 1],
            &[0x1f, 0x8b],
            &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3],
        ];
        survives(&[starts[start], &bytes].concat());
    }

    #[test]
    fn mutated_files_never_panic(
        packed in any::<bool>(),
        is_images in any::<bool>(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        tail in vec(any::<u8>(), 0..20),
        whole in any::<bool>(),
    ) {
        let raw = if is_images { image_bytes(3) } else { label_bytes(30) };
        let mut bytes = if packed { gzip(&raw) } else { raw };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes.extend(tail);
        survives(&bytes);
    }

    #[test]
    fn what_is_written_is_read(count in 0..40_usize, packed in any::<bool>()) {
        let raw = image_bytes(count);
        let bytes = if packed { gzip(&raw) } else { raw.clone() };
        let images = read_images(&bytes).unwrap();
        prop_assert_eq!(images.as_flattened(), &raw[16..]);
    }
}
