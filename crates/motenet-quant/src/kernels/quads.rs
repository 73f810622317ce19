//! x86-64: sums over weights that lie in quads. An event is four inputs that are not all zero.
//!
//! Nobody counts the instructions of a PC, its vectors do: per event one load and one `VPDPBUSD` for sixteen
//! outputs where there is AVX-512 VNNI. What the other levels do instead is in `products`, what they do it
//! with in `registers_x86`. The level comes with the [`Simd`] token; every level gives the same sums.
//!
//! One digit, 784-64-10, a Zen 5 core: 131 ns with AVX-512 VNNI, 161 with AVX-VNNI, 235 with AVX2, 583 with SSE2.
//! Of the first, 25 ns are the search for quads, 50 the sums of the hidden layer, 5 their requantizing, 21
//! the last layer.

use super::products::{Doubled, Nibbles, Products, Vnni};
use super::registers_x86::Register;
use crate::packing::quads::QUAD;
use core::arch::x86_64::{__m256i, __m512i};
use core::mem::MaybeUninit;
use motenet::Simd;
use motenet::kernels::Bytes;

/// How many quads are looked through at a time: a digit's 196 need one list. A multiple of eight, so that eight
/// numbers always fit behind those that count.
const WINDOW: usize = super::LIST_BYTES / 2;

/// How many vectors of sums stay in registers.
const PANEL: usize = 4;

/// `y[o] += Σ_i x[i]·w[i][o]`, modulo 2³². Never panics; does nothing if the lengths do not fit.
///
/// # Shapes
/// `weights`: `IN·OUT` bytes as `packing::quads` says, anywhere; `x`: `IN`; `y`: `OUT`. Not generic over the sizes, so
/// that a program has this code once.
#[inline]
pub(crate) fn add_products(simd: Simd, weights: &[u8], x: &[u8], y: &mut [i32]) {
    if x.len().checked_mul(y.len()) != Some(weights.len()) {
        return;
    }
    // SAFETY: the lengths fit; the token proves the features that each function is compiled for.
    unsafe {
        match simd.bytes() {
            Bytes::Baseline => sse2(weights, x, y),
            Bytes::Avx2 => avx2(weights, x, y),
            Bytes::AvxVnni => avx_vnni(weights, x, y),
            Bytes::Avx512Bw => avx512_bw(weights, x, y),
            Bytes::Avx512Vnni => avx512_vnni(weights, x, y),
        }
    }
}

macro_rules! levels {
    ($($(#[$feature:meta])? $name:ident: $products:ty;)*) => {$(
        /// # Safety
        /// `weights` must have `x.len()·y.len()` bytes.
        $(#[$feature])?
        unsafe fn $name(weights: &[u8], x: &[u8], y: &mut [i32]) {
            // SAFETY: the caller's promise, and the features of this function.
            unsafe { sums::<$products>(weights, x, y) }
        }
    )*};
}

levels! {
    // `build.rs` chooses this kernel only where every CPU has SSE2.
    sse2: Doubled;
    #[target_feature(enable = "avx2")]
    avx2: Nibbles<__m256i>;
    #[target_feature(enable = "avx2,avxvnni")]
    avx_vnni: Vnni<__m256i>;
    #[target_feature(enable = "avx512f,avx512bw")]
    avx512_bw: Nibbles<__m512i>;
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    avx512_vnni: Vnni<__m512i>;
}

/// As [`add_products`], with the instructions of `P`.
///
/// # Safety
/// `weights` must have `x.len()·y.len()` bytes, and the CPU what `P` needs.
#[inline(always)]
unsafe fn sums<P: Products>(weights: &[u8], x: &[u8], y: &mut [i32]) {
    let outputs = y.len();
    let (quads, alone) = x.as_chunks::<QUAD>();
    let (mut weights, rows) =
        weights.split_at_checked(QUAD * quads.len() * outputs).unwrap_or_default();
    for window in quads.chunks(WINDOW) {
        let mut list = [const { MaybeUninit::uninit() }; WINDOW];
        // SAFETY: the caller's promise for the CPU. A window has at most `WINDOW` quads, and its weights are `4·OUT`
        // bytes for each of them; the list names quads of the window only.
        unsafe {
            let list = nonzero::<P>(window, &mut list);
            flush::<P>(list, window, weights, y);
        }
        weights = weights.get(QUAD * WINDOW * outputs..).unwrap_or_default();
    }
    for (&x, row) in alone.iter().zip(rows.chunks_exact(outputs.max(1))) {
        for (y, &w) in y.iter_mut().zip(row) {
            *y = y.wrapping_add(i32::from(x) * i32::from(w as i8));
        }
    }
}

/// The numbers of the quads that are not zero, ascending.
///
/// Without a branch that depends on the picture: of each eight quads all are written whose place the table
/// names, and those that count are kept. A loop over the bits that are set took half of the time of the sums.
///
/// # Safety
/// The CPU must have what `P` needs.
#[inline(always)]
unsafe fn nonzero<'a, P: Products>(
    window: &[[u8; QUAD]],
    list: &'a mut [MaybeUninit<u16>; WINDOW],
) -> &'a [u16] {
    let (mut len, mut first) = (0, 0);
    let mut append = |mask: u8| {
        let (places, count) = &PLACES[usize::from(mask)];
        if let Some(eight) = list.get_mut(len..).and_then(|rest| rest.first_chunk_mut::<8>()) {
            for (event, &place) in eight.iter_mut().zip(places) {
                event.write(first + u16::from(place));
            }
            len += usize::from(*count);
        }
        first += 8;
    };
    let (eights, tail) = window.as_chunks();
    for eight in eights {
        // SAFETY: the caller's promise.
        append(unsafe { P::Register::nonzero(eight) });
    }
    append(tail.iter().rev().fold(0, |mask, quad| mask << 1 | u8::from(*quad != [0; QUAD])));
    // SAFETY: the first `len` numbers have been written: `len` grows by at most the eight that were.
    unsafe { core::slice::from_raw_parts(list.as_ptr().cast(), len) }
}

/// For each mask of eight bits the places of those that are set, and how many they are.
static PLACES: [([u8; 8], u8); 256] = {
    let mut table = [([0; 8], 0); 256];
    let mut mask = 0;
    while mask < 256 {
        let (places, count) = &mut table[mask];
        let mut place = 0;
        while place < 8 {
            if mask >> place & 1 == 1 {
                places[*count as usize] = place;
                *count += 1;
            }
            place += 1;
        }
        mask += 1;
    }
    table
};

/// Adds what the events stand for.
///
/// # Safety
/// Every event must be the number of a quad of `x`, `weights` must have `4·OUT` bytes for each of them, and the CPU must
/// have what `P` needs.
#[inline(always)]
unsafe fn flush<P: Products>(events: &[u16], x: &[[u8; QUAD]], weights: &[u8], y: &mut [i32]) {
    let stride = QUAD * y.len();
    let lanes = P::Register::LANES;
    // Where the weights of the first quad are, to the first output that is not done.
    let mut column = weights.as_ptr();
    let mut wide = y.chunks_exact_mut(PANEL * lanes);
    for y in &mut wide {
        // SAFETY: the caller's promise; `y` has `PANEL` whole vectors.
        unsafe { panel::<P, PANEL>(events, x, column, stride, y, lanes) };
        column = column.wrapping_add(QUAD * y.len());
    }
    let mut narrow = wide.into_remainder().chunks_exact_mut(lanes);
    for y in &mut narrow {
        // SAFETY: as above, with one vector.
        unsafe { panel::<P, 1>(events, x, column, stride, y, lanes) };
        column = column.wrapping_add(QUAD * y.len());
    }
    let y = narrow.into_remainder();
    if !y.is_empty() {
        let last = y.len();
        // SAFETY: as above, with one vector that is not whole.
        unsafe { panel::<P, 1>(events, x, column, stride, y, last) };
    }
}

/// Adds what the events stand for to `V` vectors of sums, the last of which has `last` lanes in use.
///
/// # Safety
/// As [`flush`]; `y` must have `(V − 1)·LANES + last` elements with `1 ≤ last ≤ LANES`, and `column` be where the weights
/// of the first quad to the first of them are, `stride` bytes before those of the next quad.
#[inline(always)]
unsafe fn panel<P: Products, const V: usize>(
    events: &[u16],
    x: &[[u8; QUAD]],
    column: *const u8,
    stride: usize,
    y: &mut [i32],
    last: usize,
) {
    let lanes = P::Register::LANES;
    let part = |v: usize| if v + 1 < V { lanes } else { last };
    // SAFETY: `v` is below `V`, so the vector is in `y`, whole or as long as `last` says.
    let mut sums: [P::Register; V] = core::array::from_fn(|v| unsafe {
        P::Register::load(y.as_ptr().add(v * lanes).cast(), part(v))
    });
    for events in events.chunks(P::RUN) {
        let mut acc = [P::zero(); V];
        let (twos, odd) = events.as_chunks::<2>();
        // Of two events each has sums of its own, where the latency of a product would show.
        for &[a, b] in twos {
            // SAFETY: the caller's promise.
            unsafe {
                let (x_a, x_b) = (
                    P::splat(*x.get_unchecked(usize::from(a))),
                    P::splat(*x.get_unchecked(usize::from(b))),
                );
                let (at_a, at_b) =
                    (column.add(usize::from(a) * stride), column.add(usize::from(b) * stride));
                for (v, acc) in acc.iter_mut().enumerate() {
                    let skip = QUAD * v * lanes;
                    *acc = P::add_first(*acc, x_a, P::Register::load(at_a.add(skip), part(v)));
                    *acc = P::add_second(*acc, x_b, P::Register::load(at_b.add(skip), part(v)));
                }
            }
        }
        for &a in odd {
            // SAFETY: the caller's promise.
            unsafe {
                let x_a = P::splat(*x.get_unchecked(usize::from(a)));
                let at = column.add(usize::from(a) * stride);
                for (v, acc) in acc.iter_mut().enumerate() {
                    let skip = QUAD * v * lanes;
                    *acc = P::add_first(*acc, x_a, P::Register::load(at.add(skip), part(v)));
                }
            }
        }
        for (sums, acc) in sums.iter_mut().zip(acc) {
            // SAFETY: the CPU has what `P` needs; no more than `RUN` events have been added.
            *sums = unsafe { sums.add(P::sums(acc)) };
        }
    }
    for (v, sums) in sums.iter().enumerate() {
        // SAFETY: as for the loads.
        unsafe { sums.store(y.as_mut_ptr().add(v * lanes).cast(), part(v)) };
    }
}
