//! `cargo xtask flash` with commands that only pretend to write, and a drive that is a folder.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A linked program of `pieces`, as little of an ELF file as there can be.
fn elf(pieces: &[(u32, &[u8])]) -> Vec<u8> {
    let headers = 52 + 32 * pieces.len() as u32;
    let mut file = b"\x7fELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    for half in [2u16, 40] {
        file.extend(half.to_le_bytes());
    }
    for word in [1u32, pieces[0].0, 52, 0, 0] {
        file.extend(word.to_le_bytes());
    }
    for half in [52u16, 32, pieces.len() as u16, 40, 0, 0] {
        file.extend(half.to_le_bytes());
    }
    let mut offset = headers;
    for (address, bytes) in pieces {
        let size = bytes.len() as u32;
        for word in [1, offset, *address, *address, size, size, 5, 4] {
            file.extend(word.to_le_bytes());
        }
        offset += size;
    }
    assert_eq!(file.len() as u32, headers);
    pieces.iter().for_each(|(_, bytes)| file.extend(*bytes));
    file
}

/// A desk: commands that pretend, and a program to flash.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        fs::write(folder.path().join("firmware.elf"), elf(&[(0x1000_0000, &[7; 300])])).unwrap();
        Desk { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command that notes how it was called, says `said` and exits with `code`.
    fn pretend(&self, name: &str, said: &str, code: i32) -> &Self {
        fs::write(self.path("said"), said).unwrap();
        let script = format!(
            "#!/bin/sh\necho \"${{0##*/}} $*\" >> '{0}/calls'\ncat '{0}/said' >&2\nexit {code}\n",
            self.folder.path().display()
        );
        let path = self.path("bin").join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn flash(&self, board: &str, more: &[&str]) -> Output {
        let bin = self.path("bin");
        Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(["flash", "--board", board, "--elf"])
            .arg(self.path("firmware.elf"))
            .args(more)
            .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .output()
            .unwrap()
    }

    /// The one line of an error.
    fn refused(&self, board: &str, more: &[&str]) -> String {
        let output = self.flash(board, more);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        said.trim().strip_prefix("error: ").unwrap_or_else(|| panic!("{said}")).to_owned()
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls
            .lines()
            .map(|call| call.replace(&self.folder.path().display().to_string(), "~"))
            .collect()
    }
}

#[test]
fn a_probe_writes_and_starts_it() {
    let desk = Desk::new();
    desk.pretend("probe-rs", "      Finished in 1.2s", 0);
    let output = desk.flash("nucleo-f446re", &["--probe", "0483:374b:066C"]);
    assert!(output.status.success());
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("cargo xtask sim --board nucleo-f446re --port"), "{stdout}");
    assert_eq!(
        desk.calls(),
        [
            "probe-rs download --chip STM32F446RETx --probe 0483:374b:066C ~/firmware.elf",
            "probe-rs reset --chip STM32F446RETx --probe 0483:374b:066C",
        ]
    );
}

/// What `probe-rs` 0.32 says, and words of the sentence that it becomes.
const COMPLAINTS: [(&str, &[&str]); 9] = [
    (
        " WARN probe_rs::util::setup_hints: If your probe is plugged in but not listed\nError: No connected probes were found.\n",
        &["found no debug probe", "plug the board in"],
    ),
    (
        "Error: Failed to open probe: Failed to open the debug probe.\n\nCaused by:\n    0: Probe could not be created\n    1: USB device could not be opened. Please check the permissions.\n",
        &["not permitted", "udev rules"],
    ),
    (
        "Available Probes:\n0: STLink V2-1 -- 0483:374b:066C (ST-LINK)\n1: BBC micro:bit -- 0d28:0204:99 (CMSIS-DAP)\nSelection: Error: Failed to parse probe index\n",
        &["several", "--probe VID:PID:SERIAL", "0483:374b:066C", "0d28:0204:99"],
    ),
    (
        "Error: 2 probes were found: \n    1. A -- 1:2:3 (X)\n    2. B -- 1:2:4 (X)\n",
        &["several", "A -- 1:2:3 (X); B -- 1:2:4 (X)"],
    ),
    (
        "Error: Connecting to the chip was unsuccessful.\n\nCaused by:\n    0: An ARM specific error occurred.\n    1: Target device did not respond to request.\n",
        &["STM32F446RETx does not answer", "is this a nucleo-f446re?", "reset"],
    ),
    (
        "Error: The chip 'STM32F446RETx' was not found in the database.\n",
        &["does not know STM32F446RETx", "cargo install probe-rs-tools"],
    ),
    ("Error: Probe is already in use\n", &["in use", "end the other program"]),
    (
        "Error: Failed to open the debug probe.\n\nCaused by:\n    The firmware on the probe is outdated, and not supported by probe-rs.\n",
        &["too old", "update"],
    ),
    (
        "Error: something new\n\nCaused by:\n    0: one\n    1: another\n",
        &["probe-rs failed: another"],
    ),
];

#[test]
fn each_failure_of_a_probe_is_one_sentence() {
    let desk = Desk::new();
    for (said, words) in COMPLAINTS {
        desk.pretend("probe-rs", said, 1);
        let sentence = desk.refused("nucleo-f446re", &[]);
        for word in words {
            assert!(sentence.contains(word), "{word:?} is not in {sentence:?}");
        }
    }
    // A failed download is not followed by a reset.
    assert_eq!(desk.calls().len(), COMPLAINTS.len());
}

#[test]
fn a_missing_command_comes_with_the_line_that_installs_it() {
    let desk = Desk::new();
    let sentence = desk.refused("nucleo-f446re", &[]);
    assert!(sentence.contains("found no `probe-rs`"), "{sentence}");
    assert!(sentence.contains("cargo install probe-rs-tools --locked"), "{sentence}");
    let sentence = desk.refused("esp32-c3", &[]);
    assert!(sentence.contains("cargo install espflash --locked"), "{sentence}");
}

#[test]
fn espflash_is_called_likewise() {
    let desk = Desk::new();
    desk.pretend("espflash", "", 0);
    assert!(desk.flash("esp32-c3", &["--port", "/dev/ttyACM7"]).status.success());
    let expected =
        "espflash flash --non-interactive --chip esp32c3 --port /dev/ttyACM7 ~/firmware.elf";
    assert_eq!(desk.calls(), [expected]);
    for (said, word) in [
        (
            "Error:   × Failed to open serial port /dev/ttyACM0\n  ╰─▶ Error while connecting to device\n",
            "BOOT",
        ),
        (
            "Error:   × Failed to open serial port /dev/ttyACM0\n  ╰─▶ Permission denied\n",
            "dialout",
        ),
        (
            "Error: espflash::no_serial\n\n  × No serial ports could be detected\n",
            "plug the board in",
        ),
    ] {
        desk.pretend("espflash", said, 1);
        let sentence = desk.refused("esp32-c3", &[]);
        assert!(sentence.contains(word), "{sentence}");
    }
}

#[test]
fn a_boot_drive_gets_a_file() {
    let desk = Desk::new();
    let sentence = desk.refused("pico", &[]);
    assert!(sentence.contains("hold BOOTSEL"), "{sentence}");
    let file = desk.path("pico.uf2");
    assert!(sentence.contains(&file.display().to_string()), "{sentence}");
    let written = fs::read(&file).unwrap();
    assert_eq!((written.len(), &written[..4]), (16 * 512, &b"UF2\n"[..]));
    assert_eq!(written[32..288], [7; 256]);
    assert_eq!(written[512 + 32..512 + 32 + 45], [[7; 44].as_slice(), &[0]].concat());

    let drive = desk.path("RPI-RP2");
    fs::create_dir(&drive).unwrap();
    let drive_option = ["--drive", drive.to_str().unwrap()];
    assert!(desk.refused("pico", &drive_option).contains("is not the drive"));
    fs::write(drive.join("INFO_UF2.TXT"), "Board-ID: nRF52840-revD\r\n").unwrap();
    assert!(desk.refused("pico", &drive_option).contains("is not the drive"));
    fs::write(drive.join("INFO_UF2.TXT"), "Board-ID: RPI-RP2\r\n").unwrap();
    assert!(desk.flash("pico", &drive_option).status.success());
    assert_eq!(fs::read(drive.join("pico.uf2")).unwrap(), written);
}

#[test]
fn what_is_no_program_for_the_board_is_refused() {
    let desk = Desk::new();
    let program = desk.path("firmware.elf");
    fs::write(&program, elf(&[(0x0800_0000, &[7; 300])])).unwrap();
    assert!(desk.refused("pico", &[]).contains("outside the flash of pico"));
    let whole = elf(&[(0x1000_0000, &[7; 300])]);
    for length in [0, 3, 51, 83, 200] {
        fs::write(&program, &whole[..length]).unwrap();
        let sentence = desk.refused("pico", &[]);
        assert!(sentence.contains("is not a firmware"), "{length}: {sentence}");
    }
    fs::remove_file(&program).unwrap();
    assert!(desk.refused("pico", &[]).contains("reading"));
    assert!(!Path::new(&desk.path("pico.uf2")).exists());
    assert!(desk.refused("mps2-an386", &[]).contains("cargo xtask sim --board mps2-an386"));
    assert!(desk.refused("nobody", &[]).contains("expected one of esp32-c3, microbit,"));
}
