//! What a kernel may ask of the machine: one fused multiply-add, and how many of them go side by side.

/// An instruction set as a type: kernels are written once over `I: Isa` and compiled once for each.
///
/// Every implementation returns the same bits: an IEEE 754 fused multiply-add is exact up to its one
/// rounding, wherever it runs.
pub trait Isa: Copy {
    /// `f32` lanes of one vector register; 1 asks for the plain loops.
    const LANES: usize;

    /// `a·b + c`, rounded once (IEEE 754-2019, 5.4.1 `fusedMultiplyAdd`).
    fn fma(a: f32, b: f32, c: f32) -> f32;
}

/// What every target can do: hardware where the target is known to have it, software elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

impl Isa for Portable {
    const LANES: usize = 1;

    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        #[cfg(all(feature = "std", any(target_arch = "aarch64", target_feature = "fma")))]
        return a.mul_add(b, c);
        #[cfg(not(all(feature = "std", any(target_arch = "aarch64", target_feature = "fma"))))]
        return crate::math::fma_soft(a, b, c);
    }
}

/// AVX2 with FMA: eight lanes. Only to be run on a CPU that has them ([`Simd`](super::Simd) sees to it).
#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2;

#[cfg(all(feature = "std", target_arch = "x86_64"))]
impl Isa for Avx2 {
    const LANES: usize = 8;

    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}

/// AVX-512: sixteen lanes, with the same caution.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512;

#[cfg(all(feature = "std", target_arch = "x86_64"))]
impl Isa for Avx512 {
    const LANES: usize = 16;

    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}
