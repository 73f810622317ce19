//! The drive that an RP2040 pretends to be while it waits for a program.

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where it is mounted, if it is.
pub(super) fn find() -> Option<PathBuf> {
    mount_points().into_iter().find(|folder| is_boot_drive(folder))
}

/// Copies `file` onto the drive, which vanishes when the last byte has arrived.
pub(super) fn copy(file: &Path, drive: &Path) -> Result<()> {
    if !is_boot_drive(drive) {
        bail!(
            "{} is not the drive RPI-RP2: hold BOOTSEL while plugging the board in",
            drive.display()
        );
    }
    let name = file.file_name().context("the file has no name")?;
    let bytes = fs::read(file).with_context(|| format!("reading {} failed", file.display()))?;
    let target = drive.join(name);
    let mut copy = File::create(&target)
        .with_context(|| format!("writing {} failed: is it read-only?", target.display()))?;
    copy.write_all(&bytes).with_context(|| format!("writing {} failed", target.display()))?;
    // The board restarts as soon as it has everything, and then the drive is gone: no error.
    let _ = copy.sync_all();
    Ok(())
}

/// The boot loader puts a file there that says what it is (UF2 specification, "Embedded metadata").
fn is_boot_drive(folder: &Path) -> bool {
    let info = fs::read(folder.join("INFO_UF2.TXT")).unwrap_or_default();
    String::from_utf8_lossy(&info).lines().any(|line| line.trim() == "Board-ID: RPI-RP2")
}

fn mount_points() -> Vec<PathBuf> {
    match std::env::consts::OS {
        "linux" => {
            let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
            let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
            // Spaces are written in octal.
            points.map(|point| point.replace("\\040", " ").into()).collect()
        }
        "windows" => ('D'..='Z').map(|letter| format!("{letter}:\\").into()).collect(),
        _ => {
            let volumes = fs::read_dir("/Volumes").into_iter().flatten().flatten();
            volumes.map(|entry| entry.path()).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_boot_drive_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pico.uf2");
        fs::write(&file, [7; 1024]).unwrap();
        let drive = folder.path().join("drive");
        fs::create_dir(&drive).unwrap();
        let error = copy(&file, &drive).unwrap_err().to_string();
        assert!(error.contains("hold BOOTSEL"), "{error}");
        assert_eq!(fs::read_dir(&drive).unwrap().count(), 0);
        let info = "UF2 Bootloader v2.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n";
        fs::write(drive.join("INFO_UF2.TXT"), info).unwrap();
        copy(&file, &drive).unwrap();
        assert_eq!(fs::read(drive.join("pico.uf2")).unwrap(), [7; 1024]);
    }
}
