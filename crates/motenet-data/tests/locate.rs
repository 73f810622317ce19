//! Where MNIST is looked for, and what is said when it is not there. Nothing is downloaded here.

#[allow(dead_code)] // shared with the tests of the download
mod server;

use std::fs;
use std::path::Path;

use motenet_data::mnist::{MIRRORS, Options, load};
use motenet_data::{Error, Splits};
use server::{NAMES, Reply, Server, options, packed_files, raw_files};

fn quietly(options: &Options) -> Result<Splits, Error> {
    load(options, &mut |_| ())
}

/// Writes the small files, raw (`""`) or packed (`".gz"`), dashed or dotted.
fn fill(folder: &Path, end: &str, dotted: bool) {
    fs::create_dir_all(folder).unwrap();
    let (raw, packed) = (raw_files(), packed_files());
    for name in NAMES {
        let as_named = if dotted { name.replace("-idx", ".idx") } else { name.into() };
        let bytes = if end.is_empty() { &raw[name] } else { &packed[&format!("{name}.gz")] };
        fs::write(folder.join(format!("{as_named}{end}")), bytes).unwrap();
    }
}

#[test]
fn every_usual_name_is_found() {
    let mut hashes = Vec::new();
    for (end, dotted) in [("", false), ("", true), (".gz", false), (".gz", true)] {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), end, dotted);
        hashes.push(quietly(&options(folder.path(), &[])).unwrap().sha256);
    }
    assert!(hashes.iter().all(|hash| *hash == hashes[0]));
}

#[test]
fn a_folder_named_by_hand_comes_first_and_must_be_complete() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    fill(&place("cache"), ".gz", false);
    fill(&place("env"), "", false);
    fill(&place("hand"), "", true);
    let server = Server::start(|_, _| Reply::File);
    let mut settings = options(&place("cache"), &[&server.url]);
    let origin = |settings: &Options| quietly(settings).unwrap().origin;
    assert!(origin(&settings).ends_with("cache"));
    settings.mnist_dir = Some(place("env"));
    assert!(origin(&settings).ends_with("env"));
    settings.data_dir = Some(place("hand"));
    assert!(origin(&settings).ends_with("hand"));

    // What is named and lacks a file is an error, though others have it.
    let missing = |settings: &Options, by: &str| {
        let error = quietly(settings).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Incomplete { named_by, .. } if named_by == by), "{text}");
        assert!(!text.contains('\n'), "{text}");
        text
    };
    fs::remove_file(place("hand").join("t10k-labels.idx1-ubyte")).unwrap();
    let text = missing(&settings, "data_dir");
    assert!(text.contains("hand") && text.contains("found no t10k-labels-idx1-ubyte,"), "{text}");
    settings.data_dir = None;
    settings.mnist_dir = Some(place("nowhere"));
    let text = missing(&settings, "MNIST_DIR");
    assert!(NAMES.iter().all(|name| text.contains(name)), "{text}");
    assert!(server.requests().is_empty());
}

#[test]
fn without_leave_nothing_is_downloaded() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::File);
    let mut settings = options(folder.path(), &[&server.url]);
    settings.download = false;
    let error = quietly(&settings).unwrap_err();
    assert!(matches!(error, Error::NotDownloaded { .. }), "{error}");
    settings.cache_dir = None;
    settings.download = true;
    assert!(matches!(quietly(&settings).unwrap_err(), Error::NoCacheFolder));
    assert!(server.requests().is_empty());
}

#[test]
fn every_load_compares_the_hash() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        fill(folder.path(), "", false);
        let path = folder.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, bytes).unwrap();
        let error = quietly(&options(folder.path(), &[])).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Checksum { .. }), "{text}");
        assert!(text.contains(name) && text.contains("delete it"), "{text}");
    }
}

#[test]
fn damaged_files_in_the_cache_are_named_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::File);
    fill(folder.path(), ".gz", false);
    let path = folder.path().join(format!("{}.gz", NAMES[2]));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..1_000]).unwrap();
    let error = quietly(&options(folder.path(), &[&server.url])).unwrap_err();
    assert!(matches!(error, Error::GzipTruncated { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap().len(), 1_000);
    assert!(server.requests().is_empty());
}

#[test]
fn validation_is_the_last_of_the_training_set() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), "", false);
    let mut settings = options(folder.path(), &[]);
    let labels = raw_files()[NAMES[1]][8..].to_vec();
    for validation in [0, 1, 39] {
        settings.validation = validation;
        let splits = quietly(&settings).unwrap();
        assert_eq!(splits.train.labels, labels[..40 - validation]);
        assert_eq!(splits.validation.labels, labels[40 - validation..]);
        assert_eq!(splits.test.len(), 10);
    }
    for validation in [40, usize::MAX] {
        settings.validation = validation;
        let error = quietly(&settings).unwrap_err();
        assert!(matches!(error, Error::Validation { available: 40, .. }), "{error}");
    }
}

#[test]
fn the_defaults_are_safe() {
    let options = Options::default();
    assert!(
        options.data_dir.is_none() && options.mnist_dir.is_none() && options.cache_dir.is_none()
    );
    assert!(
        options.mirrors.len() >= 2 && options.mirrors.iter().all(|m| m.starts_with("https://"))
    );
    assert_eq!(options.mirrors, MIRRORS);
    assert_eq!(
        (options.validation, options.pinned[0].count, options.pinned[3].count),
        (5_000, 60_000, 10_000)
    );
}

/// The environment belongs to the whole process, so this test runs itself again as another one.
#[test]
fn the_users_settings_come_from_the_environment() {
    const CHILD: &str = "MOTENET_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let options = Options::from_env();
        println!(
            "dir {:?} cache {:?} proxy {}",
            options.mnist_dir, options.cache_dir, options.proxy_from_env
        );
        return;
    }
    let child = |mnist_dir: Option<&str>| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "the_users_settings_come_from_the_environment", "--nocapture"]);
        command.env(CHILD, "1").env_remove("MNIST_DIR").env("XDG_CACHE_HOME", "/some/cache");
        if let Some(value) = mnist_dir {
            command.env("MNIST_DIR", value);
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let set = child(Some("/some/where"));
    assert!(set.contains(r#"dir Some("/some/where")"#) && set.contains("proxy true"), "{set}");
    for unset in [child(None), child(Some(""))] {
        assert!(unset.contains("dir None"), "{unset}");
        if cfg!(target_os = "linux") {
            assert!(unset.contains(r#"cache Some("/some/cache/motenet/mnist")"#), "{unset}");
        }
    }
}
