//! Downloading from servers that behave, and from servers that do not. All of them are local.

mod server;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use motenet_data::mnist::{Options, Progress, load};
use motenet_data::{Error, Splits};
use server::{NAMES, Reply, Server, nobody, options, packed_files, raw_files};

fn quietly(options: &Options) -> Result<Splits, Error> {
    load(options, &mut |_| ())
}

/// Names of the files in `folder`, sorted, without the lock.
fn listing(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name != "mnist.lock");
    names.sort();
    names
}

/// Only the four files, under their final names, with the right content.
fn is_complete(folder: &Path) {
    let mut expected = NAMES.map(|name| format!("{name}.gz"));
    expected.sort();
    assert_eq!(listing(folder), expected);
    let raw = raw_files();
    let splits = quietly(&options(folder, &[])).unwrap();
    let pixels =
        splits.train.images.as_flattened().iter().chain(splits.validation.images.as_flattened());
    assert!(pixels.eq(&raw[NAMES[0]][16..]));
    let labels = splits.train.labels.iter().chain(&splits.validation.labels);
    assert!(labels.eq(&raw[NAMES[1]][8..]));
    assert_eq!(splits.test.images.as_flattened(), &raw[NAMES[2]][16..]);
    assert_eq!(splits.test.labels, raw[NAMES[3]][8..]);
    assert_eq!(splits.validation.len(), 5);
}

fn reasons(result: Result<Splits, Error>) -> String {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Download { .. }), "{error}");
    let text = error.to_string();
    assert!(!text.contains('\n') && text.contains("MNIST_DIR"), "{text}");
    text
}

/// A mirror that answers the first request for the training images with `first`, and behaves
/// otherwise; a download from it alone must succeed. Returns the ranges asked for of that file.
fn recovers(part: Option<&[u8]>, first: Reply) -> Vec<Option<u64>> {
    let folder = tempfile::tempdir().unwrap();
    if let Some(part) = part {
        fs::write(folder.path().join(format!("{}.gz.part", NAMES[0])), part).unwrap();
    }
    let server = Server::start(move |name, before| {
        if name.starts_with(NAMES[0]) && before == 0 { first.clone() } else { Reply::File }
    });
    let mut settings = options(folder.path(), &[&server.url]);
    settings.stall_timeout = Duration::from_secs(2);
    let start = Instant::now();
    quietly(&settings).unwrap();
    // Far less than a stalled server of ours would wait.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    is_complete(folder.path());
    let asked = server.requests().into_iter();
    asked.filter(|(name, _)| name.starts_with(NAMES[0])).map(|(_, range)| range).collect()
}

/// A first mirror that answers everything with `reply`; the second must be reached.
fn falls_back(reply: Reply) {
    let folder = tempfile::tempdir().unwrap();
    let bad = Server::start(move |_, _| reply.clone());
    let good = Server::start(|_, _| Reply::File);
    let mut settings = options(folder.path(), &[&bad.url, &good.url]);
    settings.stall_timeout = Duration::from_secs(2);
    let start = Instant::now();
    quietly(&settings).unwrap();
    // Far less than a stalled server of ours would wait.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    is_complete(folder.path());
    // The mirror that works is asked first from then on.
    let asked = bad.requests();
    assert!(asked.iter().all(|(name, _)| name.starts_with(NAMES[0])), "{asked:?}");
    assert_eq!(good.requests().len(), 4);
}

fn training_images() -> Vec<u8> {
    packed_files()[&format!("{}.gz", NAMES[0])].clone()
}

#[test]
fn a_good_mirror_is_asked_once_for_each_file() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("made/on/demand");
    let server = Server::start(|_, _| Reply::File);
    let (mut verified, mut last) = (Vec::new(), (0, None));
    let splits = load(&options(&cache, &[&server.url]), &mut |progress| match progress {
        Progress::Verified { file } => verified.push(file.to_string()),
        Progress::Received { file, bytes, total } if file == NAMES[0] => last = (bytes, total),
        _ => {}
    });
    let splits = splits.unwrap();
    assert_eq!((splits.train.len(), splits.validation.len(), splits.test.len()), (35, 5, 10));
    assert_eq!((splits.name.as_str(), splits.origin.as_str()), ("mnist", cache.to_str().unwrap()));
    assert_eq!(verified, NAMES);
    let size = training_images().len() as u64;
    assert_eq!(last, (size, Some(size)));
    is_complete(&cache);
    // What is there is not fetched again, and what is missing is.
    fs::remove_file(cache.join(format!("{}.gz", NAMES[2]))).unwrap();
    assert_eq!(quietly(&options(&cache, &[&server.url])).unwrap(), splits);
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn the_next_mirror_is_asked() {
    falls_back(Reply::Status(404));
    falls_back(Reply::Status(500));
    falls_back(Reply::Status(204));
    falls_back(Reply::Cut(0));
    falls_back(Reply::Bytes(b"<html>Log in to this network</html>".to_vec()));
    falls_back(Reply::Bytes(Vec::new()));
    falls_back(Reply::NoLength(9_000));
    falls_back(Reply::Huge);
    falls_back(Reply::Endless);
}

#[test]
fn silent_and_stalled_mirrors_are_left() {
    falls_back(Reply::Silent);
    falls_back(Reply::Stall(0));
}

#[test]
fn mirrors_that_trickle_are_left() {
    // Fast enough for each read, too slow as a whole.
    falls_back(Reply::Slow(1, Duration::from_millis(100)));
}

#[test]
fn redirects_are_followed_and_loops_are_not() {
    let good = Server::start(|_, _| Reply::File);
    falls_back_to(&good.url);
    let folder = tempfile::tempdir().unwrap();
    let circle = Server::start(|_, _| Reply::Redirect(String::new()));
    assert!(reasons(quietly(&options(folder.path(), &[&circle.url]))).contains("redirect"));
}

fn falls_back_to(url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let to = url.to_string();
    let server = Server::start(move |_, _| Reply::Redirect(to.clone()));
    quietly(&options(folder.path(), &[&server.url])).unwrap();
    is_complete(folder.path());
}

#[test]
fn a_broken_transfer_is_continued() {
    assert_eq!(recovers(None, Reply::Cut(10_000)), [None, Some(10_000)]);
    assert_eq!(recovers(None, Reply::Stall(10_000)), [None, Some(10_000)]);
}

#[test]
fn a_part_left_behind_is_continued() {
    let whole = training_images();
    assert_eq!(recovers(Some(&whole[..7_000]), Reply::File), [Some(7_000)]);
    assert_eq!(recovers(Some(&whole[..7_000]), Reply::Cut(500)), [Some(7_000), Some(7_500)]);
    // Whole already: the server says that nothing follows.
    assert_eq!(recovers(Some(&whole), Reply::File), [Some(whole.len() as u64)]);
}

#[test]
fn a_part_that_cannot_be_continued_is_started_again() {
    let whole = training_images();
    assert_eq!(recovers(Some(&whole[..7_000]), Reply::IgnoreRange), [Some(7_000)]);
    assert_eq!(recovers(Some(&whole[..7_000]), Reply::WrongRange), [Some(7_000), None]);
    let rubbish = vec![7; 7_000];
    assert_eq!(recovers(Some(&rubbish), Reply::File), [Some(7_000), None]);
    let longer = vec![7; whole.len() + 9];
    assert_eq!(recovers(Some(&longer), Reply::File), [Some(longer.len() as u64), None]);
    // The answer to a range that does not exist, from a server that knows no ranges: the old part
    // must not show through behind the new bytes.
    assert_eq!(recovers(Some(&longer), Reply::IgnoreRange), [Some(longer.len() as u64)]);
}

#[test]
fn a_slow_mirror_is_waited_for() {
    assert_eq!(recovers(None, Reply::Slow(4_000, Duration::from_millis(20))), [None]);
}

#[test]
fn files_without_length_or_unpacked_on_the_way_are_taken() {
    assert_eq!(recovers(None, Reply::NoLength(usize::MAX)), [None]);
    assert_eq!(recovers(None, Reply::Encoded), [None]);
}

#[test]
fn wrong_content_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let other = packed_files()[&format!("{}.gz", NAMES[2])].clone();
    let one = Server::start(move |_, _| Reply::Bytes(other.clone()));
    let two = Server::start(|_, _| Reply::Status(403));
    let text = reasons(quietly(&options(folder.path(), &[&one.url, &two.url])));
    assert!(text.contains("SHA-256 of the content is"), "{text}");
    assert!(text.contains("HTTP status 403"), "{text}");
    assert!(text.contains(&one.url) && text.contains(&two.url), "{text}");
    assert_eq!(listing(folder.path()), [""; 0]);
}

#[test]
fn an_endless_answer_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::Endless);
    let mut most = 0;
    let settings = options(folder.path(), &[&server.url]);
    let text = reasons(load(&settings, &mut |progress| {
        if let Progress::Received { bytes, .. } = progress {
            most = most.max(bytes);
        }
    }));
    assert!(text.contains("more than the"), "{text}");
    assert_eq!(listing(folder.path()), [""; 0]);
    // 40 images of 784 bytes and one MiB.
    assert!(most <= 40 * 784 + (1 << 20), "{most}");
}

#[test]
fn without_a_network_the_end_comes_soon() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (nobody(), nobody());
    let start = Instant::now();
    let text = reasons(quietly(&options(folder.path(), &[&one, &two])));
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert!(text.contains(&one) && text.contains(&two), "{text}");
    assert!(reasons(quietly(&options(folder.path(), &[]))).contains("no mirror"));
}

#[test]
fn a_cache_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::File);
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let mut places = vec![file.clone(), file.join("below")];
    if cfg!(target_os = "linux") {
        places.push("/proc/motenet".into());
    }
    for place in places {
        let error = quietly(&options(&place, &[&server.url])).unwrap_err();
        assert!(matches!(error, Error::Write { .. }), "{error}");
        assert!(error.to_string().contains(place.to_str().unwrap()), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_stops_everything_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::File);
    let part = folder.path().join(format!("{}.gz.part", NAMES[0]));
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let error = quietly(&options(folder.path(), &[&server.url, &server.url])).unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error}");
    assert!(error.to_string().contains("No space left"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn several_at_once_do_not_disturb_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::Slow(4_000, Duration::from_millis(5)));
    let settings = options(folder.path(), &[&server.url]);
    let waited = std::thread::scope(|scope| {
        let run = || {
            let mut waited = 0;
            load(&settings, &mut |p| waited += u32::from(matches!(p, Progress::Waiting { .. })))
                .unwrap();
            waited
        };
        let threads = [(); 4].map(|()| scope.spawn(run));
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u32>()
    });
    is_complete(folder.path());
    assert!((1..=3).contains(&waited), "{waited}");
    assert_eq!(server.requests().len(), 4);
}
