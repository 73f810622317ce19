//! Labelled digit images and their three splits.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::Error;

/// Rows, and columns, of a digit image.
pub const SIDE: usize = 28;

/// Pixels of a digit image.
pub const PIXELS: usize = SIDE * SIDE;

/// One grey image: row by row from the top left, 0 is background, 255 is full ink.
pub type Image = [u8; PIXELS];

/// Digit images with their labels: `labels[k]` is the digit that `images[k]` shows.
///
/// The fields are public so that a trainer can borrow them apart; [`Digits::new`] is the checked
/// way to make one from parts.
///
/// # Memory
/// 785 bytes a digit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digits {
    /// The images.
    pub images: Vec<Image>,
    /// The digit that each image shows, 0 to 9.
    pub labels: Vec<u8>,
}

impl Digits {
    /// Joins images and labels after checking that they belong together.
    ///
    /// # Errors
    /// [`Error::Lengths`] where the two counts differ, [`Error::NotADigit`] for a label over 9.
    ///
    /// ```
    /// use motenet_data::{Digits, PIXELS};
    /// let digits = Digits::new(vec![[0; PIXELS]; 2], vec![3, 9]).unwrap();
    /// assert_eq!(digits.len(), 2);
    /// assert!(Digits::new(vec![[0; PIXELS]; 2], vec![3]).is_err());
    /// assert!(Digits::new(vec![[0; PIXELS]; 2], vec![3, 10]).is_err());
    /// ```
    pub fn new(images: Vec<Image>, labels: Vec<u8>) -> Result<Self, Error> {
        if images.len() != labels.len() {
            return Err(Error::Lengths { images: images.len(), labels: labels.len() });
        }
        if let Some(index) = labels.iter().position(|&label| label > 9) {
            return Err(Error::NotADigit { index, found: labels[index] });
        }
        Ok(Self { images, labels })
    }

    /// How many digits there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// SHA-256 of all image bytes in order, then all labels, as 64 lower-case hex digits.
    ///
    /// # Accuracy
    /// Bit-exact across targets.
    pub fn sha256(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.images.as_flattened());
        hasher.update(&self.labels);
        hex(&hasher.finalize())
    }

    /// Takes the last `count` digits away and returns them (all of them where there are fewer).
    pub(crate) fn split_off_last(&mut self, count: usize) -> Self {
        let at = self.len().saturating_sub(count);
        let rest = Self { images: self.images.split_off(at), labels: self.labels.split_off(at) };
        // `split_off` leaves the whole old capacity behind.
        self.images.shrink_to_fit();
        self.labels.shrink_to_fit();
        rest
    }
}

/// A dataset as a training run wants it: fit on `train`, choose by `validation`, report `test`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splits {
    /// Which dataset: `"mnist"` or `"made-up"`.
    pub name: String,
    /// Where it came from, for people: a folder, or a seed.
    pub origin: String,
    /// What the model is fitted on.
    pub train: Digits,
    /// What choices (epochs, learning rate) are made by. Never a part of `train` or `test`.
    pub validation: Digits,
    /// What is reported at the end, and looked at for nothing else.
    pub test: Digits,
    /// SHA-256, in hex, of the three sets in the order train, validation, test, each as its count
    /// (u64, little-endian), its images, its labels. Moving a digit from one set to another
    /// changes it; `name` and `origin` do not.
    pub sha256: String,
}

impl Splits {
    /// Joins three sets and computes their hash.
    pub fn new(
        name: impl Into<String>,
        origin: impl Into<String>,
        train: Digits,
        validation: Digits,
        test: Digits,
    ) -> Self {
        let mut hasher = Sha256::new();
        for digits in [&train, &validation, &test] {
            hasher.update((digits.len() as u64).to_le_bytes());
            hasher.update(digits.images.as_flattened());
            hasher.update(&digits.labels);
        }
        Self {
            name: name.into(),
            origin: origin.into(),
            sha256: hex(&hasher.finalize()),
            train,
            validation,
            test,
        }
    }

    /// The same splits with only the first `count` training digits (all of them where there are fewer).
    ///
    /// The hash names what is trained on, so it changes with the training set.
    #[must_use]
    pub fn keep_train(self, count: usize) -> Self {
        let Self { name, origin, mut train, validation, test, .. } = self;
        train.images.truncate(count);
        train.labels.truncate(count);
        Self::new(name, origin, train, validation, test)
    }
}

/// Lower-case hex digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Digits {
        let images = vec![[0; PIXELS], [1; PIXELS], [2; PIXELS]];
        Digits::new(images, vec![7, 8, 9]).unwrap()
    }

    #[test]
    fn hash_of_nothing_is_the_published_one_of_the_empty_string() {
        assert_eq!(
            Digits::default().sha256(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn hash_is_images_then_labels() {
        // sha256sum of 784 bytes 0, 784 bytes 1, 784 bytes 2, then 7 8 9.
        assert_eq!(
            three().sha256(),
            "881a15cd139441f16a943b16ffe8fa27e57745643c00d7296c7ceeb05845b335"
        );
    }

    #[test]
    fn splitting_keeps_order_and_changes_the_hash_of_the_splits() {
        let mut train = three();
        let last = train.split_off_last(1);
        assert_eq!((train.labels.as_slice(), last.labels.as_slice()), (&[7, 8][..], &[9][..]));
        assert_eq!(last.images, [[2; PIXELS]]);
        let one = Splits::new("a", "b", train, last, Digits::default());
        let other = Splits::new("a", "b", three(), Digits::default(), Digits::default());
        assert_ne!(one.sha256, other.sha256);
        assert_eq!(three().split_off_last(9), three());
    }

    #[test]
    fn constructor_names_what_is_wrong() {
        let short = Digits::new(vec![[0; PIXELS]; 2], vec![1]).unwrap_err();
        assert!(matches!(short, Error::Lengths { images: 2, labels: 1 }), "{short}");
        let label = Digits::new(vec![[0; PIXELS]; 2], vec![1, 10]).unwrap_err();
        assert!(matches!(label, Error::NotADigit { index: 1, found: 10 }), "{label}");
    }
}
