//! The four files of MNIST: their names, counts and hashes.

use std::path::{Path, PathBuf};

/// One of the four files. The number is its place in [`File::ALL`] and in `Options::pinned`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum File {
    TrainImages = 0,
    TrainLabels = 1,
    TestImages = 2,
    TestLabels = 3,
}

impl File {
    pub(super) const ALL: [Self; 4] =
        [Self::TrainImages, Self::TrainLabels, Self::TestImages, Self::TestLabels];

    /// The name under which the database was published, without `.gz`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TrainImages => "train-images-idx3-ubyte",
            Self::TrainLabels => "train-labels-idx1-ubyte",
            Self::TestImages => "t10k-images-idx3-ubyte",
            Self::TestLabels => "t10k-labels-idx1-ubyte",
        }
    }

    pub(super) fn is_images(self) -> bool {
        matches!(self, Self::TrainImages | Self::TestImages)
    }

    /// The file in `folder` under any of its usual names. Raw comes first: it loads faster.
    pub(super) fn find(self, folder: &Path) -> Option<PathBuf> {
        let dashed = self.name();
        let dotted = dashed.replacen("-idx", ".idx", 1);
        ["", ".gz"]
            .into_iter()
            .flat_map(|end| [format!("{dashed}{end}"), format!("{dotted}{end}")])
            .map(|name| folder.join(name))
            // A folder of that name (some tools unpack into one) is not the file.
            .find(|path| path.exists() && !path.is_dir())
    }
}

/// What a file must hold. Public for the tests, which pin small files of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// The greatest count of items that is read.
    pub count: usize,
    /// SHA-256 of the decompressed content, in lower-case hex.
    pub sha256: String,
}

/// The original files.
pub(super) fn original() -> [Pinned; 4] {
    [
        (60_000, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        (60_000, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        (10_000, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        (10_000, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ]
    .map(|(count, sha256)| Pinned { count, sha256: sha256.into() })
}
