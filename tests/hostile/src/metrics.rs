//! The metrics of a run: every whole line is an epoch or an error, and what is read can be cut and written again.

use crate::allocations::bounded;
use crate::check_message;
use crate::files::{file, folder};
use motenet_train::{EpochMetrics, RunDir};
use std::fs;

/// What buffers may take.
const CONSTANT: usize = 32 * 1024;

/// The first byte: how many epochs a resumed run keeps. Then the file.
pub fn check(data: &[u8]) {
    let Some((&keep, bytes)) = data.split_first() else { return };
    let path = file("metrics.jsonl", bytes);
    let run = RunDir::open(&folder()).expect("the folder is there");
    let most = 3 * bytes.len() + CONSTANT;
    let all = match bounded(most, || run.read_metrics()) {
        Ok(all) => all,
        Err(error) => return check_message(&error),
    };
    // What stands behind the last line feed was cut off by a kill.
    assert_eq!(all.len(), bytes.iter().filter(|&&byte| byte == b'\n').count());

    run.truncate_metrics(keep.into()).expect("what was read can be cut");
    let kept: Vec<_> = all.iter().filter(|metrics| metrics.epoch <= keep.into()).collect();
    // As text, because NaN is not equal to itself.
    let text = |all: &[&EpochMetrics]| format!("{all:?}");
    let again = run.read_metrics().expect("what was written can be read");
    assert_eq!(text(&again.iter().collect::<Vec<_>>()), text(&kept));
    if let Some(last) = all.last() {
        run.append_metrics(last).expect("a line can be added");
        let again = run.read_metrics().expect("what was written can be read");
        assert_eq!(text(&again.iter().collect::<Vec<_>>()), text(&[&kept[..], &[last]].concat()));
    }
    let written = fs::read(path).expect("the file is there");
    assert!(written.is_empty() || written.ends_with(b"\n"));
}

/// Lines with and without validation, with a loss that is no number, with half a line.
pub fn seeds() -> Vec<Vec<u8>> {
    let metrics = EpochMetrics {
        epoch: 1,
        seconds: 0.25,
        samples_per_second: 220_000.0,
        learning_rate: 0.1,
        train_loss: 2.1,
        train_accuracy: 0.9,
        validation_loss: Some(1e-300),
        validation_accuracy: Some(1.0),
    };
    let plain =
        EpochMetrics { epoch: 2, validation_loss: None, validation_accuracy: None, ..metrics };
    let lost = EpochMetrics {
        epoch: 300,
        train_loss: f64::NAN,
        validation_loss: Some(f64::NAN),
        ..metrics
    };
    let line = |metrics: &EpochMetrics| {
        serde_json::to_string(metrics).expect("metrics have a JSON form") + "\n"
    };
    let texts = [
        String::new(),
        line(&metrics),
        line(&plain),
        line(&lost),
        [&metrics, &plain, &lost].map(line).concat(),
        line(&plain) + &line(&metrics)[..40],
        line(&plain).replace('}', ",\"more\":[1,{}]}"),
    ];
    texts.iter().map(|text| [&[2], text.as_bytes()].concat()).collect()
}
