//! What the programs say: lines `hash: HASH RUN LEVEL FMA`, then `done`.

use crate::sim::qemu::Qemu;
use anyhow::{Context, Result, bail};
use std::ops::ControlFlow;
use std::process::ChildStdout;
use std::time::Duration;

/// The slowest, a simulated core without an FPU, takes a minute or two.
const TIMEOUT: Duration = Duration::from_secs(1_200);

/// One hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) hash: String,
    pub(super) run: String,
    pub(super) level: String,
    pub(super) fma: String,
}

impl Line {
    /// `None` if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.strip_prefix("hash: ")?.split(' ').map(str::to_owned);
        let (hash, run) = (words.next()?, words.next()?);
        let (level, fma) = (words.next()?, words.next()?);
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_hash && words.next().is_none()).then_some(Line { hash, run, level, fma })
    }
}

/// Reads until `done`, then ends the program.
///
/// # Errors
/// It ends before, hangs, or says something else.
pub(super) fn listen(name: &str, program: Qemu, stdout: ChildStdout) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    program.read_lines(name, stdout, TIMEOUT, |text| {
        if text == "done" {
            return Ok(ControlFlow::Break(()));
        }
        let line = Line::parse(text);
        lines.push(line.with_context(|| format!("{name} said `{text}`, expected a hash"))?);
        Ok(ControlFlow::Continue(()))
    })?;
    if lines.is_empty() {
        bail!("{name} said no hash");
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_are_hashes() {
        let hash = "0123456789abcdef".repeat(4);
        let text = format!("hash: {hash} job avx2 vfmadd");
        let line = Line::parse(&text).unwrap();
        assert_eq!(
            (line.hash, &*line.run, &*line.level, &*line.fma),
            (hash, "job", "avx2", "vfmadd")
        );
        for wrong in [
            &text[1..],
            &text[..text.len() - 7],
            &text.replace('f', "g"),
            &text.replace("01", "0"),
            &format!("{text} more"),
            "",
            "panic",
        ] {
            assert_eq!(Line::parse(wrong), None, "{wrong}");
        }
    }
}
