//! Replacing a file so that, whatever happens, either the old one is there or the new one, whole.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::{fs, io};

use tempfile::Builder;

use crate::Error;

/// The name of a temporary file begins and ends so.
const PREFIX: &str = ".motenet-";
const SUFFIX: &str = ".part";

/// Removes the temporary files of a process that was killed while it wrote into `folder`.
///
/// One that cannot be removed stays; it is in nobody's way.
pub(crate) fn remove_unfinished(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes what `fill` writes to a temporary file beside `path`, and renames it to `path` once it is
/// safe on the disk.
///
/// # Errors
/// [`Error::Io`] whatever fails; the old file is then untouched and the temporary one is gone.
pub(crate) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        // As any other file: temporary files are private by default. The umask still applies.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(Error::io(path, "writing"))?;
    fill(file.as_file_mut())
        .and_then(|()| file.as_file_mut().flush())
        .and_then(|()| file.as_file().sync_all())
        .map_err(Error::io(path, "writing"))?;
    file.persist(path).map_err(|error| Error::io(path, "replacing")(error.error))?;
    sync_folder(folder).map_err(Error::io(folder, "flushing the folder"))
}

/// Makes the new name itself survive a power cut.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some file systems cannot, and some folders may be written but not read.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Elsewhere a folder cannot be opened as a file, and renaming is journalled.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The size of the regular file at `path`.
///
/// # Errors
/// [`Error::Missing`], [`Error::NotAFile`] (opening a pipe would wait for ever), [`Error::Io`].
pub(crate) fn size_of_file(path: &Path, expected: &'static str) -> Result<u64, Error> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(metadata.len()),
        Ok(_) => Err(Error::NotAFile { path: path.to_path_buf(), expected }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Error::Missing { path: path.to_path_buf(), expected })
        }
        Err(source) => Err(Error::io(path, "reading")(source)),
    }
}
