//! Four sums from three registers.
//!
//! A kernel adds up, for four outputs whose weights' bytes are `u₀ … u₃`, and `S_k = Σ x·u_k`,
//!
//! ```text
//! a = S₀ + 256·S₁        b = S₁ + 256·S₂        c = S₂ + 256·S₃        modulo 2³²
//! ```
//!
//! Then `a − 2⁸·b + 2¹⁶·c = S₀ + 2²⁴·S₃` modulo 2³², whose low 24 bits are `S₀`, because `0 ≤ S₀ < 2²⁴`:
//! a list has at most 256 events of `x ≤ 255` and `u ≤ 255`. With `S₀` known `a` gives `S₁`, with that `b`
//! gives `S₂`, and `c` gives `S₃`, each by a subtraction and a shift right by eight, which is exact, as
//! `256·S_k` fits the register. So the products need no check, whatever the weights and the inputs are.

/// The four sums of unsigned bytes, `0 ≤ S_k < 2²⁴`.
#[inline(always)]
#[cfg(any(motenet_kernel = "armv7m", motenet_kernel = "words", test))]
pub(crate) const fn unsigned([a, b, c]: [u32; 3]) -> [u32; 4] {
    let d = a.wrapping_sub(b << 8).wrapping_add(c << 16);
    let s0 = d & 0x00ff_ffff;
    let s1 = a.wrapping_sub(s0) >> 8;
    let s2 = b.wrapping_sub(s1) >> 8;
    let s3 = c.wrapping_sub(s2) >> 8;
    [s0, s1, s2, s3]
}

/// The four sums if only the first is of unsigned bytes, `0 ≤ S₀ < 2²⁴`, and the others of signed ones,
/// `−2²³ < S_k < 2²³`; an event is a pair here, and a list of 128 has 256 inputs.
#[inline(always)]
#[cfg(any(motenet_kernel = "armv7em", test))]
pub(crate) const fn signed([a, b, c]: [i32; 3]) -> [i32; 4] {
    let d = a.wrapping_sub(b << 8).wrapping_add(c << 16);
    let s0 = d & 0x00ff_ffff;
    let s1 = a.wrapping_sub(s0) >> 8;
    let s2 = b.wrapping_sub(s1) >> 8;
    let s3 = c.wrapping_sub(s2) >> 8;
    [s0, s1, s2, s3]
}

/// The same from what the Cortex-M0 can have for one instruction each: the word itself, its upper half, and
/// its bytes swapped in both halves.
///
/// ```text
/// word    = S₀ + 2⁸·S₁ + 2¹⁶·S₂ + 2²⁴·S₃
/// upper   = S₂ + 2⁸·S₃
/// swapped = S₁ + 2⁸·S₀ + 2¹⁶·S₃ + 2²⁴·S₂        modulo 2³²
/// ```
///
/// `word − 2¹⁶·upper = S₀ + 2⁸·S₁` is `a` as above. From `swapped − 2⁸·a = S₁ + 2¹⁶·(…)` come the low 16 bits
/// of `S₁`; `⌊a/2⁸⌋ − S₁ = ⌊S₀/2⁸⌋` modulo 2¹⁶ is then the upper part of `S₀`, whose lowest byte is that of `a`.
/// With `S₀` and `S₁` taken off, `swapped` leaves `S₃ + 2⁸·S₂` modulo 2¹⁶, which beside `S₂ + 2⁸·S₃` is the
/// same riddle again.
#[inline(always)]
#[cfg(any(motenet_kernel = "armv6m", test))]
pub(crate) const fn swapped([word, swapped, upper]: [u32; 3]) -> [u32; 4] {
    /// `s` and `t` from `s + 2⁸·t` modulo 2³² and `t + 2⁸·s` modulo 2¹⁶.
    const fn riddle(a: u32, b: u32) -> (u32, u32) {
        let t = b.wrapping_sub(a << 8); // modulo 2¹⁶
        let s = (a >> 8).wrapping_sub(t) << 16 >> 8 | a & 0xff;
        (s, a.wrapping_sub(s) >> 8)
    }
    let (s0, s1) = riddle(word.wrapping_sub(upper << 16), swapped);
    let rest = swapped.wrapping_sub(s1).wrapping_sub(s0 << 8) >> 16;
    let (s2, s3) = riddle(upper, rest);
    [s0, s1, s2, s3]
}
