//! Where MNIST is looked for, and how it is fetched.

use std::path::PathBuf;
use std::time::Duration;

use super::pinned::{self, Pinned};

/// Public https servers that carry the four original files, gzipped; tried in this order.
pub const MIRRORS: [&str; 2] = [
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
];

/// What [`load`](super::load) may use. [`Options::from_env`] is what a user's program wants;
/// [`Options::default`] knows no folder and reads no environment.
#[derive(Clone, Debug)]
pub struct Options {
    /// A folder named by hand. Must hold all four files.
    pub data_dir: Option<PathBuf>,
    /// The value of `MNIST_DIR`. Must hold all four files; looked at where `data_dir` is `None`.
    pub mnist_dir: Option<PathBuf>,
    /// The folder that downloads are kept in; made if it does not exist.
    pub cache_dir: Option<PathBuf>,
    /// Whether missing files may be downloaded into `cache_dir`.
    pub download: bool,
    /// Addresses of folders that hold the four files with `.gz`, without a slash at the end.
    pub mirrors: Vec<String>,
    /// How many of the last training digits become the validation set: fewer than 60,000.
    pub validation: usize,
    /// The longest time to look up a name, and again to connect.
    pub connect_timeout: Duration,
    /// The longest time in which a server sends less than 1 KiB.
    pub stall_timeout: Duration,
    /// Whether `HTTPS_PROXY` and its like are followed.
    pub proxy_from_env: bool,
    /// What the files must hold. Other than the original only in tests.
    #[doc(hidden)]
    pub pinned: [Pinned; 4],
}

impl Default for Options {
    /// No folder, [`MIRRORS`], download allowed, 5,000 validation digits, 5 s to connect, 10 s of
    /// stall, no proxy.
    fn default() -> Self {
        Self {
            data_dir: None,
            mnist_dir: None,
            cache_dir: None,
            download: true,
            mirrors: MIRRORS.map(String::from).to_vec(),
            validation: 5_000,
            connect_timeout: Duration::from_secs(5),
            stall_timeout: Duration::from_secs(10),
            proxy_from_env: false,
            pinned: pinned::original(),
        }
    }
}

impl Options {
    /// The user's own: `MNIST_DIR` (empty counts as unset), `motenet/mnist` in the user's cache
    /// folder, and the proxy of the environment.
    pub fn from_env() -> Self {
        let value = std::env::var_os("MNIST_DIR").filter(|value| !value.is_empty());
        Self {
            mnist_dir: value.map(PathBuf::from),
            cache_dir: dirs::cache_dir().map(|folder| folder.join("motenet").join("mnist")),
            proxy_from_env: true,
            ..Self::default()
        }
    }
}
