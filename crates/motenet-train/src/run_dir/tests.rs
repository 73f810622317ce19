//! Numbers that are never given twice, and metrics that survive a kill.

use std::collections::BTreeSet;
use std::thread;

use super::*;

fn metrics(epoch: u32) -> EpochMetrics {
    let e = f64::from(epoch);
    EpochMetrics {
        epoch,
        seconds: 0.1 * e,
        samples_per_second: 1e5 / 3.0,
        learning_rate: f64::from(0.1_f32),
        train_loss: 1.0 / e,
        train_accuracy: 0.9,
        validation_loss: Some(2.0 / e),
        validation_accuracy: Some(0.8),
    }
}

fn name(run: &RunDir) -> String {
    run.path().file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn folders_are_numbered_and_never_reused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("deep").join("runs");
    let create = |model: &str| name(&RunDir::create(&out, model).unwrap());
    assert_eq!(create("mlp"), "0001-mlp");
    assert_eq!(create("mlp"), "0002-mlp");
    assert_eq!(create("napkin"), "0003-napkin");
    fs::remove_dir(out.join("0002-mlp")).unwrap();
    assert_eq!(create("mlp"), "0004-mlp");
    for other in
        ["0005", "7-mlp", "abcd-mlp", "+0009-mlp", "9999999999-mlp", "99999999999999999999"]
    {
        fs::create_dir(out.join(other)).unwrap();
    }
    fs::write(out.join("0006-file"), "").unwrap();
    assert_eq!(create("mlp"), "0007-mlp");
    fs::create_dir(out.join("9999-mlp")).unwrap();
    assert_eq!(create("mlp"), "10000-mlp");
    assert_eq!(create("mlp"), "10001-mlp");
}

#[test]
fn runs_that_start_together_get_numbers_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let names: BTreeSet<String> = thread::scope(|scope| {
        let start = |k: usize| {
            let out = folder.path();
            scope.spawn(move || {
                let model = ["a", "b", "c"][k % 3];
                (0..10).map(|_| name(&RunDir::create(out, model).unwrap())).collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..8).map(start).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let numbers: BTreeSet<&str> = names.iter().map(|name| &name[..4]).collect();
    assert_eq!((names.len(), numbers.len()), (80, 80));
    // Two that saw the same number in use may both step over it, so gaps are allowed; locks are not.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 80);
}

#[test]
fn a_number_taken_since_we_looked_is_stepped_over() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("0001-other")).unwrap();
    fs::create_dir(folder.path().join("0002")).unwrap();
    assert_eq!(name(&RunDir::claim(folder.path(), "mlp", 1).unwrap()), "0003-mlp");
    assert!(!folder.path().join("0001").exists());
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for bad in ["", "../x", "a/b", "a\\b", "a b", "é", "a\0", &"x".repeat(101)] {
        let error = RunDir::create(folder.path(), bad).unwrap_err();
        assert!(matches!(error, Error::ModelName { .. }), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(RunDir::create(&file, "mlp"), Err(Error::Io { .. })));
    assert!(matches!(RunDir::open(&file), Err(Error::Io { .. })));
    assert!(matches!(RunDir::open(&file.with_extension("no")), Err(Error::Missing { .. })));
}

#[test]
fn the_latest_run_is_the_last_with_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    assert_eq!(RunDir::latest(&out).unwrap(), None);
    let runs: Vec<RunDir> = (0..3).map(|_| RunDir::create(&out, "mlp").unwrap()).collect();
    assert_eq!(RunDir::latest(&out).unwrap(), None);
    for k in [0, 1] {
        fs::write(runs[k].checkpoint_path(), "").unwrap();
        assert_eq!(RunDir::latest(&out).unwrap().as_ref(), Some(&runs[k]));
    }
    // By number, not by letters.
    for path in ["9999-mlp", "10000-mlp"].map(|name| out.join(name)) {
        fs::create_dir(&path).unwrap();
        fs::write(path.join(CHECKPOINT), "").unwrap();
        assert_eq!(RunDir::latest(&out).unwrap(), Some(RunDir::open(&path).unwrap()));
    }
}

#[test]
fn metrics_are_read_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::create(folder.path(), "mlp").unwrap();
    assert_eq!(run.read_metrics().unwrap(), []);
    run.truncate_metrics(3).unwrap();
    assert!(!run.metrics_path().exists());

    let mut all: Vec<_> = (1..=4).map(metrics).collect();
    (all[1].validation_loss, all[1].validation_accuracy) = (None, None);
    all.iter().for_each(|metrics| run.append_metrics(metrics).unwrap());
    assert_eq!(run.read_metrics().unwrap(), all);
    let text = fs::read_to_string(run.metrics_path()).unwrap();
    assert_eq!(text.lines().count(), 4);
    assert!(text.starts_with("{\"epoch\":1,\"seconds\":0.1,"), "{text}");
    assert!(!text.lines().nth(1).unwrap().contains("validation"), "{text}");

    let diverged =
        EpochMetrics { train_loss: f64::NAN, validation_loss: Some(f64::INFINITY), ..metrics(5) };
    run.append_metrics(&diverged).unwrap();
    let last = run.read_metrics().unwrap()[4];
    assert!(last.train_loss.is_nan() && last.validation_loss.unwrap().is_nan());
}

#[test]
fn a_resumed_run_repeats_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::create(folder.path(), "mlp").unwrap();
    (1..=5).for_each(|epoch| run.append_metrics(&metrics(epoch)).unwrap());
    let path = run.metrics_path();
    let whole = fs::read(&path).unwrap();
    let start_of_5 = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    // Killed at any byte of the last line.
    for len in start_of_5..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        assert_eq!(run.read_metrics().unwrap().len(), 4, "{len}");
        run.truncate_metrics(4).unwrap();
        run.append_metrics(&metrics(5)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
    run.truncate_metrics(5).unwrap();
    assert_eq!(fs::read(&path).unwrap(), whole);
    run.truncate_metrics(2).unwrap();
    assert_eq!(run.read_metrics().unwrap(), [metrics(1), metrics(2)]);
    run.truncate_metrics(0).unwrap();
    assert_eq!(run.read_metrics().unwrap(), []);
}

#[test]
fn foreign_lines_are_named_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::create(folder.path(), "mlp").unwrap();
    run.append_metrics(&metrics(1)).unwrap();
    let good = fs::read_to_string(run.metrics_path()).unwrap();
    for foreign in ["\n", "{}\n", "\u{1b}[2J\n", &format!("{}\n", "[".repeat(100_000))] {
        let text = format!("{good}{foreign}{good}");
        fs::write(run.metrics_path(), &text).unwrap();
        let error = run.truncate_metrics(1).unwrap_err();
        assert!(matches!(error, Error::Metrics { line: 2, .. }), "{error}");
        assert!(!error.to_string().contains(char::is_control), "{error}");
        assert_eq!(fs::read_to_string(run.metrics_path()).unwrap(), text);
    }
    // A kill cuts off part of a line of ours, which is short.
    for (len, whole) in
        [(LINE_MAX as usize - 1, true), (LINE_MAX as usize, false), (100_000, false)]
    {
        fs::write(run.metrics_path(), good.clone() + &" ".repeat(len)).unwrap();
        match run.read_metrics() {
            Ok(all) => assert!(whole && all == [metrics(1)]),
            Err(error) => {
                assert!(!whole && matches!(error, Error::Metrics { line: 2, .. }), "{error}");
            }
        }
    }
}
