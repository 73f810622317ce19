//! The tile: the inner loop of all three products of a dense layer.
//!
//! Each product is a matrix of chains, `c[r][·] = fma(a(r, k), b[k][·], c[r][·])` for `k` ascending. A tile keeps
//! `R` rows of `C` columns in registers while `k` runs; `C` is several vectors wide, so a wide tile does
//! enough independent work to hide the latency of the multiply-add. Nothing splits a chain, so tile
//! sizes change no bit.
//!
//! [`plain`](super::plain) leaves out the terms in which `a` is zero, as the arithmetic contract says; the tiles compute
//! them, and it is for the callers to see that this makes no difference. Both end a chain that is
//! zero in +0.

use super::isa::Isa;
use super::plain;

/// The left factor of a product: `a(r, k)`.
pub(super) trait Left: Copy {
    /// `[a(row, k), …, a(row + R − 1, k)]` for the `k` of `depth` that exist, ascending; nothing if the rows do not all exist.
    fn terms<const R: usize>(
        self,
        row: usize,
        depth: core::ops::Range<usize>,
    ) -> impl Iterator<Item = [f32; R]>;
}

/// `a(r, k) = rows[r][k]`.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, const K: usize>(pub(super) &'a [[f32; K]]);

impl<const K: usize> Left for Rows<'_, K> {
    #[inline(always)]
    fn terms<const R: usize>(
        self,
        row: usize,
        depth: core::ops::Range<usize>,
    ) -> impl Iterator<Item = [f32; R]> {
        let rows: Option<&[[f32; K]; R]> = self.0.get(row..).and_then(|rows| rows.first_chunk());
        rows.into_iter().flat_map(move |rows| {
            (depth.start..depth.end.min(K)).map(move |k| core::array::from_fn(|r| rows[r][k]))
        })
    }
}

/// `a(r, k) = columns[k][first + r]`.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a, const M: usize> {
    pub(super) columns: &'a [[f32; M]],
    pub(super) first: usize,
}

impl<const M: usize> Left for Columns<'_, M> {
    #[inline(always)]
    fn terms<const R: usize>(
        self,
        row: usize,
        depth: core::ops::Range<usize>,
    ) -> impl Iterator<Item = [f32; R]> {
        let at = self.first + row;
        let columns = crate::tensor::first(self.columns, depth.end);
        columns.get(depth.start..).unwrap_or_default().iter().map_while(move |column| {
            column.get(at..).and_then(|column| column.first_chunk()).copied()
        })
    }
}

/// `acc[r][c] = fma(a[r], b[c], acc[r][c])` for each pair `(a, b)` in turn.
#[inline(always)]
pub(super) fn chains<'a, I: Isa, const R: usize, const C: usize>(
    mut acc: [[f32; C]; R],
    a: impl Iterator<Item = [f32; R]>,
    b: impl Iterator<Item = &'a [f32; C]>,
) -> [[f32; C]; R] {
    for (a, b) in a.zip(b) {
        for r in 0..R {
            for c in 0..C {
                acc[r][c] = I::fma(a[r], b[c], acc[r][c]);
            }
        }
    }
    acc
}

/// `c[r][o] += Σ_k a(r, k)·b[k][o]` as chains that go on from the values in `c`.
#[inline(always)]
pub(super) fn accumulate<I: Isa, L: Left, const N: usize>(
    c: &mut [[f32; N]],
    a: L,
    b: &[[f32; N]],
) {
    match I::LANES {
        1 => plain::rows::<I, L, N>(c, a, b),
        16 => {
            panels::<I, L, N, 64>(c, a, b, 0, N / 64 * 64);
            accumulate_rest::<I, L, N>(c, a, b);
        }
        _ => {
            panels::<I, L, N, 16>(c, a, b, 0, N / 64 * 64);
            accumulate_rest::<I, L, N>(c, a, b);
        }
    }
}

/// [`accumulate`] for the last `N % 64` columns.
#[inline(always)]
pub(super) fn accumulate_rest<I: Isa, L: Left, const N: usize>(
    c: &mut [[f32; N]],
    a: L,
    b: &[[f32; N]],
) {
    panels::<I, L, N, 16>(c, a, b, N / 64 * 64, N / 16 * 16);
    packed::<I, L, N>(c, a, b);
}

/// `x + 0`: +0 for a zero of either sign, else `x`; on the bits, because a chip without an FPU has no
/// quick addition.
#[inline(always)]
pub(super) fn unsigned_zero(x: f32) -> f32 {
    if x.to_bits() << 1 == 0 { 0.0 } else { x }
}

/// `rows[r][column + c] = acc[r][c] + 0`: a zero is stored as +0.
#[inline(always)]
pub(super) fn store<const N: usize, const C: usize, const R: usize>(
    acc: &[[f32; C]; R],
    rows: &mut [[f32; N]; R],
    column: usize,
) {
    for (acc, row) in acc.iter().zip(rows) {
        if let Some(row) = row.get_mut(column..).and_then(|row| row.first_chunk_mut::<C>()) {
            for (c, acc) in row.iter_mut().zip(acc) {
                *c = *acc + 0.0;
            }
        }
    }
}

/// The columns `from..to` in panels of `C`: the panel of `b` stays in cache while all rows pass it.
#[inline(always)]
fn panels<I: Isa, L: Left, const N: usize, const C: usize>(
    c: &mut [[f32; N]],
    a: L,
    b: &[[f32; N]],
    from: usize,
    to: usize,
) {
    for column in (from..to).step_by(C) {
        // Six rows of four 16-lane vectors (or of two 8-lane ones) are the largest tile that stays in
        // registers. Sixteen rows of one vector should do as well, but LLVM then vectorises across
        // rows and gathers: 100 times slower.
        let mut row = tiles::<I, L, N, C, 6>(c, a, b, 0, column);
        row = tiles::<I, L, N, C, 4>(c, a, b, row, column);
        row = tiles::<I, L, N, C, 2>(c, a, b, row, column);
        tiles::<I, L, N, C, 1>(c, a, b, row, column);
    }
}

/// Tiles of `R` rows from `row` on, as long as they fit; returns the first row not done.
#[inline(always)]
fn tiles<I: Isa, L: Left, const N: usize, const C: usize, const R: usize>(
    c: &mut [[f32; N]],
    a: L,
    b: &[[f32; N]],
    mut row: usize,
    column: usize,
) -> usize {
    while let Some(rows) = c.get_mut(row..).and_then(|rows| rows.first_chunk_mut::<R>()) {
        let mut acc = [[0.0; C]; R];
        for (acc, row) in acc.iter_mut().zip(rows.iter()) {
            *acc = *block(row, column);
        }
        let b = b.iter().map(|row| block(row, column));
        acc = chains::<I, R, C>(acc, a.terms::<R>(row, 0..usize::MAX), b);
        store(&acc, rows, column);
        row += R;
    }
    row
}

/// `row[column..column + C]`, which the callers keep inside the row.
#[inline(always)]
pub(super) fn block<const C: usize>(row: &[f32], column: usize) -> &[f32; C] {
    row.get(column..).and_then(|row| row.first_chunk()).unwrap_or(&[0.0; C])
}

/// The last `N % 16` columns: `b` is copied, padded to 16 columns, a stretch of `k` at a time.
#[inline(always)]
fn packed<I: Isa, L: Left, const N: usize>(c: &mut [[f32; N]], a: L, b: &[[f32; N]]) {
    const DEPTH: usize = 64;
    let column = N / 16 * 16;
    if column == N {
        return;
    }
    for (stretch, b) in b.chunks(DEPTH).enumerate() {
        let mut pack = [[0.0; 16]; DEPTH];
        for (pack, b) in pack.iter_mut().zip(b) {
            for (pack, b) in pack.iter_mut().zip(b.iter().skip(column)) {
                *pack = *b;
            }
        }
        let pack = crate::tensor::first(&pack, b.len());
        let mut row = packed_tiles::<I, L, N, 6>(c, a, pack, stretch * DEPTH, 0);
        row = packed_tiles::<I, L, N, 2>(c, a, pack, stretch * DEPTH, row);
        packed_tiles::<I, L, N, 1>(c, a, pack, stretch * DEPTH, row);
    }
}

/// As [`tiles`], for the last `N % 16` columns.
#[inline(always)]
fn packed_tiles<I: Isa, L: Left, const N: usize, const R: usize>(
    c: &mut [[f32; N]],
    a: L,
    pack: &[[f32; 16]],
    depth: usize,
    mut row: usize,
) -> usize {
    let column = N / 16 * 16;
    while let Some(rows) = c.get_mut(row..).and_then(|rows| rows.first_chunk_mut::<R>()) {
        let mut acc = [[0.0; 16]; R];
        // Lane by lane against the length of the row, which is a constant: the tests vanish when the
        // loop is unrolled, and the tile stays in registers.
        for (acc, row) in acc.iter_mut().zip(rows.iter()) {
            for (lane, acc) in acc.iter_mut().enumerate() {
                *acc = row.get(column + lane).copied().unwrap_or_default();
            }
        }
        let terms = a.terms::<R>(row, depth..depth + pack.len());
        acc = chains::<I, R, 16>(acc, terms, pack.iter());
        for (acc, row) in acc.iter().zip(rows) {
            for (lane, acc) in acc.iter().enumerate() {
                if let Some(c) = row.get_mut(column + lane) {
                    *c = *acc + 0.0;
                }
            }
        }
        row += R;
    }
    row
}
