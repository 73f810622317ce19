//! A run of a model's parameters: what one thread owns while all threads add up a gradient.

use crate::Params;

/// `flat[k]` is parameter `start + k` of a model (or of its gradient).
///
/// Chains are never split, so the gradient of one parameter is always summed by one thread; shards
/// say which thread that is. [`Shard::whole`] is the only one needed without threads.
#[derive(Debug)]
pub struct Shard<'a> {
    start: usize,
    flat: &'a mut [f32],
}

impl<'a> Shard<'a> {
    /// All parameters of `model`. Never panics.
    #[inline(always)]
    pub fn whole<M: Params>(model: &'a mut M) -> Self {
        Shard { start: 0, flat: model.flat_mut() }
    }

    /// The run of parameters that begins with number `start`. Never panics.
    #[inline(always)]
    pub fn new(start: usize, flat: &'a mut [f32]) -> Self {
        Shard { start, flat }
    }

    /// What lies before parameter `at` and what lies from there on, the latter counted from `at`.
    /// Either may be empty. Never panics.
    #[inline(always)]
    pub fn split(self, at: usize) -> (Self, Self) {
        let cut = at.saturating_sub(self.start).min(self.flat.len());
        let (head, tail) = self.flat.split_at_mut_checked(cut).unwrap_or_default();
        let rest = self.start.saturating_sub(at);
        (Shard { start: self.start, flat: head }, Shard { start: rest, flat: tail })
    }

    /// The number of the first parameter.
    #[inline(always)]
    pub fn start(&self) -> usize {
        self.start
    }

    /// The parameters.
    #[inline(always)]
    pub fn into_flat(self) -> &'a mut [f32] {
        self.flat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_a_slice_of_the_whole_does() {
        for start in 0..6usize {
            for len in 0..6 {
                for at in 0..14 {
                    let whole: [f32; 12] = core::array::from_fn(|k| k as f32);
                    let mut run = [0.0; 6];
                    run[..len].copy_from_slice(&whole[start..start + len]);
                    let (a, b) = Shard::new(start, &mut run[..len]).split(at);
                    let before = at.clamp(start, start + len);
                    assert_eq!(a.start(), start);
                    assert_eq!(*a.into_flat(), whole[start..before]);
                    let (first, tail) = (b.start(), b.into_flat());
                    assert_eq!(*tail, whole[before..start + len]);
                    assert!(tail.is_empty() || first + at == before);
                }
            }
        }
    }
}
