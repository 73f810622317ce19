//! What `probe-rs` (0.32) and `espflash` (4) say when they fail, and what that means for the person at the desk.

use super::usb;
use crate::boards::Board;

/// Words that are looked for in what a command said, and the sentence for them; the first that fits is taken.
type Known<'a> = (&'a [&'a str], String);

/// One sentence for a failure of `probe-rs`.
pub(super) fn probe_rs(said: &str, board: &Board) -> String {
    let chip = board.chip.as_deref().unwrap_or("the chip");
    let blocked = usb::probes().into_iter().find(|probe| !probe.writable);
    let no_probe = match &blocked {
        Some(probe) => usb::no_permission(probe),
        None => "found no debug probe: plug the board in, with a cable that carries data".into(),
    };
    let several = format!(
        "found several debug probes, expected one: name it with --probe VID:PID:SERIAL ({})",
        listed(said)
    );
    let known: [Known<'_>; 9] = [
        (&["check the permissions", "ermission denied", "nsufficient permissions"], match &blocked {
            Some(probe) => usb::no_permission(probe),
            None => format!("opening the debug probe is not permitted: {}", usb::RULES),
        }),
        (&["probes were found: ", "Available Probes", "probe index"], several),
        (
            &["No connected probes", "No debug probes", "Probe not found", "Probe was not found"],
            no_probe,
        ),
        (
            &["already in use", "esource busy", "evice busy"],
            "the debug probe is in use: end the other program (a debugger, another probe-rs)".into(),
        ),
        (
            &["probe is outdated"],
            "the probe's own firmware is too old for probe-rs: update it with its maker's tool (ST-Link: STSW-LINK007)"
                .into(),
        ),
        (
            &["found in the database", "chip with the specified name", "No chip with"],
            format!("probe-rs does not know {chip}: update it, `cargo install probe-rs-tools --locked --force`"),
        ),
        (
            &["No flash memory contains", "not contained in", "elf_chip does not match"],
            format!("the program does not fit the flash of {chip}: is it built for another board?"),
        ),
        (
            &[
                "Connecting to the chip was unsuccessful",
                "JtagGetIdcodeError",
                "did not respond",
                "Failed to find the target",
                "unexpected chip",
            ],
            format!(
                "{chip} does not answer: is this a {}? Check that it is powered, press its reset button, and try again",
                board.name
            ),
        ),
        (
            &["flashing procedure failed", "Failed to erase", "Verification failed"],
            format!(
                "writing to {chip} failed ({}): unplug the board, plug it in, and try again",
                last(said)
            ),
        ),
    ];
    sentence(said, &known).unwrap_or_else(|| format!("probe-rs failed: {}", last(said)))
}

/// One sentence for a failure of `espflash`.
pub(super) fn espflash(said: &str, board: &Board) -> String {
    let known: [Known<'_>; 4] = [
        (
            &["ermission denied"],
            "opening the serial port is not permitted: `sudo usermod -aG dialout $USER`, then log in again"
                .into(),
        ),
        (
            &["No serial ports", "no serial ports", "serial port not found", "Serial port not found"],
            "found no serial port: plug the board in, with a cable that carries data".into(),
        ),
        (
            &["multiple serial ports", "Multiple serial ports", "more than one serial port"],
            "found several serial ports, expected one: name it with --port".into(),
        ),
        (
            &["connecting to device", "Failed to open serial port", "Failed to connect", "chip type"],
            format!(
                "the chip does not answer: is this a {}? Hold its BOOT button, press reset, let BOOT go, and try again",
                board.name
            ),
        ),
    ];
    sentence(said, &known).unwrap_or_else(|| format!("espflash failed: {}", last(said)))
}

fn sentence(said: &str, known: &[Known<'_>]) -> Option<String> {
    let fits = |words: &[&str]| words.iter().any(|word| said.contains(word));
    known.iter().find(|(words, _)| fits(words)).map(|(_, sentence)| sentence.clone())
}

/// The probes that it lists, one line each: `1. NAME -- VID:PID:SERIAL (KIND)` or `0: …`.
fn listed(said: &str) -> String {
    let numbered = |line: &str| -> Option<String> {
        let (number, name) = line.trim().split_once([':', '.'])?;
        let is_number = !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit());
        is_number.then(|| name.trim().to_owned())
    };
    said.lines().filter_map(numbered).collect::<Vec<_>>().join("; ")
}

/// The innermost cause: what is nearest to what went wrong.
fn last(said: &str) -> String {
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.next_back().unwrap_or("it said nothing");
    line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':').trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_listed_as_they_are_to_be_named() {
        let said = "Error: 2 probes were found: \n    1. STLink V2-1 -- 0483:374b:066C (ST-LINK)\n    2. BBC micro:bit -- 0d28:0204:99 (CMSIS-DAP)\n";
        let expected =
            "STLink V2-1 -- 0483:374b:066C (ST-LINK); BBC micro:bit -- 0d28:0204:99 (CMSIS-DAP)";
        assert_eq!(listed(said), expected);
    }

    #[test]
    fn the_innermost_cause_is_the_last_line() {
        assert_eq!(last("Error: a\n\nCaused by:\n    0: b\n    1: c d\n\n"), "c d");
        assert_eq!(last(""), "it said nothing");
    }
}
