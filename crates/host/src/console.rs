//! Where text goes: standard output, or standard error where `--json` keeps the former for itself.
//!
//! Nothing here fails or panics: a reader that has gone (`host models | head -1`) is no reason to lose
//! a training run.

use indicatif::ProgressBar;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

/// The user's side of a command.
pub(crate) struct Console {
    json: bool,
    colour: bool,
    bar: Option<ProgressBar>,
}

impl Console {
    /// With `json`, text for people goes to standard error.
    pub(crate) fn new(json: bool) -> Self {
        let terminal = if json { io::stderr().is_terminal() } else { io::stdout().is_terminal() };
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Console { json, colour: terminal && !dumb && !set("NO_COLOR"), bar: None }
    }

    /// Writes one line (or several) for people.
    pub(crate) fn line(&self, text: impl Display) {
        let write = || {
            // A failed write is no reason to stop.
            let _ = if self.json {
                writeln!(io::stderr().lock(), "{text}")
            } else {
                let mut out = io::stdout().lock();
                writeln!(out, "{text}").and_then(|()| out.flush())
            };
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Writes the one line of a program's answer to standard output.
    pub(crate) fn answer(&self, json: impl Display) {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{json}").and_then(|()| out.flush());
    }

    /// Whether the one line of JSON is wanted.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Whether text may be coloured.
    pub(crate) fn colour(&self) -> bool {
        self.colour
    }

    /// Shows `bar` below the text until [`Console::end_bar`]; it draws itself on standard error.
    pub(crate) fn begin_bar(&mut self, bar: ProgressBar) -> ProgressBar {
        self.bar.insert(bar).clone()
    }

    /// Removes the bar.
    pub(crate) fn end_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// `text` in bold, where there is colour.
    pub(crate) fn bold(&self, text: impl Display) -> String {
        self.styled("1", text)
    }

    /// `text` in grey.
    pub(crate) fn dim(&self, text: impl Display) -> String {
        self.styled("2", text)
    }

    /// `text` in green.
    pub(crate) fn good(&self, text: impl Display) -> String {
        self.styled("32", text)
    }

    fn styled(&self, code: &str, text: impl Display) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}
