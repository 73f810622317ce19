//! What flows between layers: a number, or an array of tensors.

use crate::Zero;

/// A value of fixed shape whose elements lie one after the other: `f32`, `[f32; 784]`, `[[u8; 28]; 28]`.
pub trait Tensor: Zero + Copy + Send + Sync + 'static {
    /// The scalar at the bottom.
    type Elem: Copy + 'static;
    /// Elements in one tensor: the product of its lengths.
    const LEN: usize;

    /// The elements of a run of tensors, row-major. Never panics.
    fn flatten(rows: &[Self]) -> &[Self::Elem];

    /// [`flatten`](Tensor::flatten), to write through.
    fn flatten_mut(rows: &mut [Self]) -> &mut [Self::Elem];
}

macro_rules! scalar {
    ($($scalar:ty)*) => {$(
        impl Tensor for $scalar {
            type Elem = $scalar;
            const LEN: usize = 1;

            #[inline(always)]
            fn flatten(rows: &[Self]) -> &[Self] {
                rows
            }

            #[inline(always)]
            fn flatten_mut(rows: &mut [Self]) -> &mut [Self] {
                rows
            }
        }
    )*};
}
scalar!(f32 u8 i8 i16 i32);

impl<T: Tensor, const N: usize> Tensor for [T; N] {
    type Elem = T::Elem;
    const LEN: usize = N * T::LEN;

    #[inline(always)]
    fn flatten(rows: &[Self]) -> &[T::Elem] {
        T::flatten(rows.as_flattened())
    }

    #[inline(always)]
    fn flatten_mut(rows: &mut [Self]) -> &mut [T::Elem] {
        T::flatten_mut(rows.as_flattened_mut())
    }
}

/// The index of the largest element: the class that a row of logits names.
///
/// The first one if several are equal; NaN is never the largest; 0 for an empty row. Never panics.
///
/// ```
/// assert_eq!(motenet::argmax(&[0.1, 2.0, -1.0, 2.0]), 1);
/// ```
pub fn argmax(row: &[f32]) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (k, &value) in row.iter().enumerate() {
        if value > best.1 {
            best = (k, value);
        }
    }
    best.0
}

/// The first `n` of `rows`, or all if there are fewer. Never panics.
#[inline(always)]
pub(crate) fn first<T>(rows: &[T], n: usize) -> &[T] {
    rows.get(..n).unwrap_or(rows)
}

/// [`first`], to write through.
#[inline(always)]
pub(crate) fn first_mut<T>(rows: &mut [T], n: usize) -> &mut [T] {
    split_mut(rows, n).0
}

/// The first `n` of `rows` and the others; all and none if there are fewer. Never panics.
#[inline(always)]
pub(crate) fn split_mut<T>(rows: &mut [T], n: usize) -> (&mut [T], &mut [T]) {
    let n = n.min(rows.len());
    rows.split_at_mut_checked(n).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flattens_row_major() {
        let rows = [[[1u8, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, 12]]];
        assert_eq!(<[[u8; 2]; 3]>::flatten(&rows), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        assert_eq!(<[[u8; 2]; 3] as Tensor>::LEN, 6);
    }

    #[test]
    fn first_stays_inside() {
        let mut rows = [1, 2, 3];
        assert_eq!(first(&rows, 2), [1, 2]);
        assert_eq!(first(&rows, 9), [1, 2, 3]);
        assert_eq!(first_mut(&mut rows, 2), [1, 2]);
        assert_eq!(first_mut(&mut rows, 9), [1, 2, 3]);
    }
}
