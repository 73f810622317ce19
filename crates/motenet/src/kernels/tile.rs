//! The tile: the inner loop of all three products of a dense layer.
//!
//! Each product is a matrix of chains, `c[r][·] = fma(a(r, k), b[k][·], c[r][·])` for `k` ascending. A tile keeps
//! `R` rows of `V` vectors in registers while `k` runs, enough independent work to hide the latency of the
//! multiply-add: eight chains or more on the cores of today. Nothing splits a chain, so tile sizes change no bit.
//!
//! [`plain`](super::plain) leaves out the terms in which `a` is zero, as the arithmetic contract says; the tiles compute
//! them, and it is for the callers to see that this makes no difference. Both end a chain that is
//! zero in +0.
//!
//! The tile speaks of vectors, not of arrays that LLVM makes vectors of: at sixteen rows of one vector it
//! then vectorised across rows and gathered, 100 times slower.

use super::bytes::prefetch;
use super::inputs::Inputs;
use super::isa::Isa;
use core::marker::PhantomData;
use core::ops::Range;

/// The left factor of a product: `a(r, k)`.
pub(super) trait Left: Copy {
    /// For the `k` of `depth` that exist, ascending, `r ↦ a(row + r, k)` with `r < R`; nothing if the rows do not all
    /// exist.
    ///
    /// Functions, not arrays: those LLVM would gather from rows, and take apart again.
    fn terms<const R: usize>(
        self,
        row: usize,
        depth: Range<usize>,
    ) -> impl Iterator<Item = impl Fn(usize) -> f32>;

    /// Asks for what comes after the rows `row..row + len`, where that is worth it.
    #[inline(always)]
    fn ahead(self, row: usize, len: usize) {
        let _ = (row, len);
    }

    /// `a(row, k)` for the `k < depth` that exist, ascending.
    fn row(self, row: usize, depth: usize) -> impl Iterator<Item = f32>;
}

/// `a(r, k) = x[r][k]`.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, X, const K: usize>(pub(super) X, PhantomData<&'a [f32; K]>);

impl<'a, X: Inputs<'a, K>, const K: usize> Rows<'a, X, K> {
    #[inline(always)]
    pub(super) fn of(x: X) -> Self {
        Rows(x, PhantomData)
    }
}

impl<'a, X: Inputs<'a, K>, const K: usize> Left for Rows<'a, X, K> {
    #[inline(always)]
    fn terms<const R: usize>(
        self,
        row: usize,
        depth: Range<usize>,
    ) -> impl Iterator<Item = impl Fn(usize) -> f32> {
        let x = self.0;
        let rows: Option<&[[X::Item; K]; R]> = x.items().get(row..).and_then(|x| x.first_chunk());
        rows.into_iter().flat_map(move |rows| {
            (depth.start..depth.end.min(K)).map(move |k| move |r: usize| x.number(rows[r][k]))
        })
    }

    #[inline(always)]
    fn row(self, row: usize, depth: usize) -> impl Iterator<Item = f32> {
        let x = self.0;
        let row = x.items().get(row);
        row.into_iter().flat_map(move |row| (0..depth.min(K)).map(move |k| x.number(row[k])))
    }
}

/// Numbers of one cache line.
const LINE: usize = 16;

/// Rows so long that a batch of them does not stay in the first-level cache are longer than this.
const NEAR: usize = 128;

/// `a(r, k) = x[k][first + r]`.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a, X, const M: usize> {
    x: X,
    first: usize,
    items: PhantomData<&'a [f32; M]>,
}

impl<'a, X: Inputs<'a, M>, const M: usize> Columns<'a, X, M> {
    #[inline(always)]
    pub(super) fn of(x: X, first: usize) -> Self {
        Columns { x, first, items: PhantomData }
    }
}

impl<'a, X: Inputs<'a, M>, const M: usize> Left for Columns<'a, X, M> {
    #[inline(always)]
    fn terms<const R: usize>(
        self,
        row: usize,
        depth: Range<usize>,
    ) -> impl Iterator<Item = impl Fn(usize) -> f32> {
        let (x, at) = (self.x, self.first + row);
        let columns = crate::tensor::first(x.items(), depth.end);
        columns.get(depth.start..).unwrap_or_default().iter().map_while(move |column| {
            let rows: &[X::Item; R] = column.get(at..).and_then(|column| column.first_chunk())?;
            Some(move |r: usize| x.number(rows[r]))
        })
    }

    /// Neighbouring rows are on one line of a column, and the next on the next: no processor sees that coming, as all
    /// other columns lie between.
    #[inline(always)]
    fn ahead(self, row: usize, len: usize) {
        let from = (self.first + row).next_multiple_of(LINE);
        if M > NEAR && from < self.first + row + len {
            for column in self.x.items() {
                prefetch(crate::tensor::first(column.get(from + LINE..).unwrap_or_default(), 1));
            }
        }
    }

    #[inline(always)]
    fn row(self, row: usize, depth: usize) -> impl Iterator<Item = f32> {
        let (x, at) = (self.x, self.first + row);
        let columns = crate::tensor::first(x.items(), depth);
        columns.iter().map_while(move |column| column.get(at).map(|&item| x.number(item)))
    }
}

/// The columns that [`Product::panel`] does.
pub(super) const PANEL: usize = 64;

/// What the chains of a tile begin with, and how they end.
#[derive(Clone, Copy)]
pub(super) enum Chains<'a> {
    /// With the same row everywhere; a zero is stored as +0.
    From(&'a [f32]),
    /// With what is there; a zero is stored as +0.
    Accumulate,
    /// With +0.
    Begin,
    /// With what is there.
    GoOn,
}

/// Chains for some of the columns of `c`: `c[r][o] = … + Σ_k a(r, depth.start + k)·b[k][o − shift]`.
#[derive(Clone)]
pub(super) struct Product<'a, L, const M: usize> {
    pub(super) a: L,
    pub(super) depth: Range<usize>,
    pub(super) b: &'a [[f32; M]],
    /// The column of `c` that column 0 of `b` belongs to.
    pub(super) shift: usize,
    pub(super) chains: Chains<'a>,
}

/// `c[r][o] = start[o] + Σ_k a(r, k)·b[k][o]` as chains that begin with `start`.
#[inline(always)]
pub(super) fn chains_from<I: Isa, L: Left, const N: usize>(
    start: &[f32; N],
    c: &mut [[f32; N]],
    a: L,
    b: &[[f32; N]],
) {
    product::<I, L, N>(c, a, b, Chains::From(start));
}

/// `c[r][o] += Σ_k a(r, k)·b[k][o]` as chains that go on from the values in `c`.
#[inline(always)]
pub(super) fn accumulate<I: Isa, L: Left, const N: usize>(
    c: &mut [[f32; N]],
    a: L,
    b: &[[f32; N]],
) {
    product::<I, L, N>(c, a, b, Chains::Accumulate);
}

#[inline(always)]
fn product<I: Isa, L: Left, const N: usize>(
    c: &mut [[f32; N]],
    a: L,
    b: &[[f32; N]],
    chains: Chains<'_>,
) {
    let product = Product { a, depth: 0..usize::MAX, b, shift: 0, chains };
    for column in (0..N / PANEL * PANEL).step_by(PANEL) {
        product.panel::<I, N>(c, column);
    }
    product.rest::<I, N>(c);
}

/// [`accumulate`] for the last `N % 64` columns.
#[inline(always)]
pub(super) fn accumulate_rest<I: Isa, L: Left, const N: usize>(
    c: &mut [[f32; N]],
    a: L,
    b: &[[f32; N]],
) {
    let chains = Chains::Accumulate;
    Product { a, depth: 0..usize::MAX, b, shift: 0, chains }.rest::<I, N>(c);
}

/// The columns of the widest tile.
///
/// All tiles are the largest that stay in registers, of which there are 32, and 16 for AVX2. The columns of `b` that one
/// takes stay in cache while all rows pass.
const fn wide<I: Isa>() -> usize {
    if I::LANES == 8 { 2 * I::LANES } else { 4 * I::LANES }
}

impl<L: Left, const M: usize> Product<'_, L, M> {
    /// For 64 columns from `column` on.
    #[inline(always)]
    pub(super) fn panel<I: Isa, const N: usize>(&self, c: &mut [[f32; N]], column: usize) {
        self.wide::<I, N>(c, column, column + PANEL);
    }

    /// For the last `N % 64` columns: at their end as few vectors as hold them, and more rows for it.
    #[inline(always)]
    pub(super) fn rest<I: Isa, const N: usize>(&self, c: &mut [[f32; N]]) {
        let column = N - N % wide::<I>();
        self.wide::<I, N>(c, N - N % PANEL, column);
        let width = N - column;
        match (I::LANES, width.div_ceil(I::LANES)) {
            (_, 0) => {}
            (8, 1) => self.columns::<I, N, 1, 12>(c, column, width),
            (8, _) => self.columns::<I, N, 2, 6>(c, column, width),
            (_, 1) => self.columns::<I, N, 1, 16>(c, column, width),
            (_, 2) => self.columns::<I, N, 2, 12>(c, column, width),
            (_, 3) => self.columns::<I, N, 3, 8>(c, column, width),
            (_, _) => self.columns::<I, N, 4, 6>(c, column, width),
        }
    }

    /// For the columns `from..to`, in the widest tiles.
    #[inline(always)]
    fn wide<I: Isa, const N: usize>(&self, c: &mut [[f32; N]], from: usize, to: usize) {
        let width = wide::<I>();
        for column in (from..to).step_by(width) {
            match I::LANES {
                8 => self.columns::<I, N, 2, 6>(c, column, width),
                _ => self.columns::<I, N, 4, 6>(c, column, width),
            }
        }
    }

    /// For the columns `column..column + width`, which fill `V` vectors or end in the last of them.
    // Becomes part of the function that enables the CPU feature. Where nothing is optimised that would add up the stack
    // of all tiles, and the intrinsics are calls all the same.
    #[cfg_attr(not(motenet_unoptimized), inline(always))]
    #[cfg_attr(motenet_unoptimized, inline(never))]
    fn columns<I: Isa, const N: usize, const V: usize, const R: usize>(
        &self,
        c: &mut [[f32; N]],
        column: usize,
        width: usize,
    ) {
        let row = self.tiles::<I, N, V, R>(c, 0, column, width);
        let row = self.tiles::<I, N, V, 4>(c, row, column, width);
        let row = self.tiles::<I, N, V, 2>(c, row, column, width);
        self.tiles::<I, N, V, 1>(c, row, column, width);
    }

    /// Tiles of `R` rows from `row` on, as long as they fit; returns the first row not done.
    #[inline(always)]
    fn tiles<I: Isa, const N: usize, const V: usize, const R: usize>(
        &self,
        c: &mut [[f32; N]],
        mut row: usize,
        column: usize,
        width: usize,
    ) -> usize {
        let zero = I::splat(0.0);
        while let Some(rows) = c.get_mut(row..).and_then(|rows| rows.first_chunk_mut::<R>()) {
            let mut acc = [[zero; V]; R];
            match self.chains {
                Chains::Begin => {}
                Chains::From(start) => acc = [load::<I, V>(start, column, width); R],
                Chains::Accumulate | Chains::GoOn => {
                    for (acc, row) in acc.iter_mut().zip(rows.iter()) {
                        *acc = load::<I, V>(row, column, width);
                    }
                }
            }
            self.a.ahead(row, R);
            let terms = self.a.terms::<R>(row, self.depth.clone());
            for (a, b) in terms.zip(self.b) {
                let b = load::<I, V>(b, column - self.shift, width);
                for (r, acc) in acc.iter_mut().enumerate() {
                    let a = I::splat(a(r));
                    for (acc, &b) in acc.iter_mut().zip(&b) {
                        *acc = I::fma_lanes(a, b, *acc);
                    }
                }
            }
            for (acc, row) in acc.iter_mut().zip(rows) {
                for (v, acc) in acc.iter().enumerate() {
                    // The term 0·0 makes +0 of −0, and changes nothing else.
                    let acc = match self.chains {
                        Chains::From(_) | Chains::Accumulate => I::fma_lanes(zero, zero, *acc),
                        Chains::Begin | Chains::GoOn => *acc,
                    };
                    let row = row.get_mut(column..).and_then(|row| row.get_mut(..width));
                    let row = row.unwrap_or_default().get_mut(v * I::LANES..).unwrap_or_default();
                    I::store(acc, crate::tensor::first_mut(row, I::LANES));
                }
            }
            row += R;
        }
        row
    }
}

/// `row[column..column + width]` in `V` vectors; the callers keep these columns inside the row.
#[inline(always)]
fn load<I: Isa, const V: usize>(row: &[f32], column: usize, width: usize) -> [I::Vector; V] {
    let row = row.get(column..).and_then(|row| row.get(..width));
    let row = row.unwrap_or(crate::tensor::first(&[0.0; PANEL], width));
    core::array::from_fn(|v| {
        I::load(crate::tensor::first(row.get(v * I::LANES..).unwrap_or_default(), I::LANES))
    })
}

/// `x + 0`: +0 for a zero of either sign, else `x`; on the bits, because a chip without an FPU has no
/// quick addition.
#[inline(always)]
pub(super) fn unsigned_zero(x: f32) -> f32 {
    if x.to_bits() << 1 == 0 { 0.0 } else { x }
}

/// `row[column..column + C]`, which the callers keep inside the row.
#[inline(always)]
pub(super) fn block<const C: usize>(row: &[f32], column: usize) -> &[f32; C] {
    row.get(column..).and_then(|row| row.first_chunk()).unwrap_or(&[0.0; C])
}
