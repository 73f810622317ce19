//! Bytes as a file, for readers that take a path.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

thread_local! {
    static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
}

/// This thread's own folder, in memory where there is such a place.
pub(crate) fn folder() -> PathBuf {
    let make = || {
        let memory = Path::new("/dev/shm");
        let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        made.expect("a temporary folder")
    };
    FOLDER.with(|folder| folder.get_or_init(make).path().to_path_buf())
}

/// A file of these bytes, called `name`, in this thread's folder.
pub(crate) fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, bytes).expect("writing a temporary file");
    path
}
