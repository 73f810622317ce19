//! The same files through the `mnist` crate and through ours.

use std::fs;
use std::path::Path;

use mnist::MnistBuilder;
use motenet_data::{Digits, idx};

const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Compares both readers on the raw files in `folder`, which must have the counts of MNIST.
fn compare(folder: &Path) {
    let [train_images, train_labels, test_images, test_labels] = NAMES.map(|n| folder.join(n));
    let theirs = MnistBuilder::new()
        .base_path(folder.to_str().unwrap())
        .label_format_digit()
        .training_set_length(60_000)
        .validation_set_length(0)
        .test_set_length(10_000)
        .finalize();
    let same = |ours: &Digits, images: &[u8], labels: &[u8]| {
        assert!(ours.images.as_flattened() == images, "images differ");
        assert!(ours.labels == labels, "labels differ");
    };
    let train = idx::digits(&train_images, &train_labels, 60_000).unwrap();
    same(&train, &theirs.trn_img, &theirs.trn_lbl);
    let test = idx::digits(&test_images, &test_labels, 10_000).unwrap();
    same(&test, &theirs.tst_img, &theirs.tst_lbl);
}

fn write_idx(path: &Path, dimensions: &[u32], items: impl Iterator<Item = u8>) {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|d| d.to_be_bytes()));
    bytes.extend(items);
    fs::write(path, bytes).unwrap();
}

#[test]
fn generated_files_agree() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = 1_u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    for (name, count) in NAMES.into_iter().zip([60_000_u32, 60_000, 10_000, 10_000]) {
        let path = folder.path().join(name);
        if name.contains("images") {
            let items = (0..count * 784).map(|_| noise());
            write_idx(&path, &[count, 28, 28], items);
        } else {
            write_idx(&path, &[count], (0..count).map(|_| noise() % 10));
        }
    }
    compare(folder.path());
}

#[test]
fn real_files_agree() {
    let Some(source) = std::env::var_os("MNIST_DIR") else {
        println!("skipped: MNIST_DIR not set");
        return;
    };
    let options = motenet_data::mnist::Options {
        mnist_dir: Some(source.clone().into()),
        ..Default::default()
    };
    let splits = motenet_data::mnist::load(&options, &mut |_| ()).unwrap();
    assert_eq!(
        (splits.train.len(), splits.validation.len(), splits.test.len()),
        (55_000, 5_000, 10_000)
    );
    assert_eq!(splits.test.labels[..5], [7, 2, 1, 0, 4]);
    assert_eq!(splits.train.labels[..5], [5, 0, 4, 1, 9]);

    // The other crate reads raw files only.
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let raw = Path::new(&source).join(name);
        let packed = Path::new(&source).join(format!("{name}.gz"));
        let bytes = fs::read(&raw).unwrap_or_else(|_| {
            let mut bytes = Vec::new();
            let file = fs::File::open(packed).unwrap();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(file), &mut bytes)
                .unwrap();
            bytes
        });
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    compare(folder.path());
    let raw =
        motenet_data::mnist::Options { data_dir: Some(folder.path().into()), ..Default::default() };
    let again = motenet_data::mnist::load(&raw, &mut |_| ()).unwrap();
    assert_eq!(again.sha256, splits.sha256);
}
