//! What every reader of motenet must hold for any bytes, as functions that take bytes and panic where it does not.
//!
//! | target | reader | behind its first byte |
//! |---|---|---|
//! | [`link`] | frames and messages of the serial line, both languages, both directions | a line, or a payload whose frame is made right |
//! | [`idx`] | IDX images and labels, raw and gzip | a file, or the content of one that is packed here |
//! | [`checkpoint`] | checkpoints, up to the network | a file, or parts whose lengths and SHA-256 are made right |
//! | [`metrics`] | the metrics of a run | a file |
//! | [`store`] | weights in flash | two areas, whose checksums may be made right |
//! | [`picture`] | the picture that `host predict` is shown | a file, or chunks whose checksums are made right |
//!
//! A checksum keeps random bytes from everything behind it, so each target can also put the right one there.
//!
//! `tests/mutations.rs` runs them over their seeds and a few thousand changed copies; the workspace `fuzz/` runs the same
//! functions under libFuzzer, which follows coverage.

mod allocations;
pub mod checkpoint;
// The host is a program; its reader of pictures is borrowed as a file, and this is what that file refers to.
#[path = "../../../crates/host/src/failure.rs"]
mod failure;
mod files;
pub mod idx;
pub mod link;
pub mod metrics;
pub mod picture;
pub mod store;

/// A reader under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, also that of the fuzz target.
    pub name: &'static str,
    /// Panics if the reader does something that it must not with these bytes.
    pub check: fn(&[u8]),
    /// Small inputs that reach far into the reader.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const ALL: [Target; 6] = [
    Target { name: "link", check: link::check, seeds: link::seeds },
    Target { name: "idx", check: idx::check, seeds: idx::seeds },
    Target { name: "checkpoint", check: checkpoint::check, seeds: checkpoint::seeds },
    Target { name: "metrics", check: metrics::check, seeds: metrics::seeds },
    Target { name: "store", check: store::check, seeds: store::seeds },
    Target { name: "picture", check: picture::check, seeds: picture::seeds },
];

/// Panics unless an error is one short line that a terminal shows as it is.
fn check_message(error: &dyn std::fmt::Display) {
    let text = error.to_string();
    let fits = !text.is_empty() && text.len() < 4_000 && !text.contains(char::is_control);
    assert!(fits, "an error of {} bytes: {text:?}", text.len());
}
