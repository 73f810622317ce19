//! Runs as they are typed end with the published weights, and say so.

use crate::{folder, host, succeeds, text};
use serde_json::Value;

fn matches(output: &std::process::Output) {
    let said = text(&output.stderr);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["matches_published"], true, "{said}");
    assert!(said.contains("the published hash of this run"), "{said}");
}

#[test]
fn made_up_digits() {
    let folder = folder();
    // However many threads there are; and a run that was complete already.
    matches(&succeeds(folder.path(), &["--dataset", "made-up", "--threads", "3", "--json"]));
    matches(&succeeds(folder.path(), &["--resume", "--json"]));
}

#[test]
fn real_digits_where_there_are_any() {
    let Some(digits) = std::env::var_os("MNIST_DIR") else {
        eprintln!("skipped: MNIST_DIR is not set");
        return;
    };
    let folder = folder();
    let mut command = host(folder.path());
    matches(&command.args(["--no-save", "--json", "--data-dir"]).arg(digits).output().unwrap());
}
