//! A layer's outputs, so many at a time.

/// Calls `add` with the weights and the sums of `N` outputs after the other; returns what is left over.
///
/// # Shapes
/// `weights`: `inputs` bytes for each element of `y`.
#[inline(always)]
pub(super) fn each<'a, const N: usize>(
    mut weights: &'a [u8],
    inputs: usize,
    y: &'a mut [i32],
    mut add: impl FnMut(&'a [u8], &mut [i32; N]),
) -> (&'a [u8], &'a mut [i32]) {
    let (blocks, rest) = y.as_chunks_mut();
    for sums in blocks {
        let Some((block, after)) = weights.split_at_checked(N * inputs) else { break };
        add(block, sums);
        weights = after;
    }
    (weights, rest)
}

/// `y[k] += s[k]`, modulo 2³².
#[inline(always)]
pub(super) fn add(y: &mut [i32], s: &[u32]) {
    for (y, s) in y.iter_mut().zip(s) {
        *y = y.wrapping_add(*s as i32);
    }
}
