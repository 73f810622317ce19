//! Which instruction set to run a kernel with, as a value that proves it is there.

#[cfg(all(feature = "std", target_arch = "x86_64"))]
use super::isa::{Avx2, Avx512};
use super::isa::{Isa, Portable};

/// A small token: what this CPU can do. The field is private, so holding one is the proof.
///
/// It never changes a result, only how long the result takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simd(Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Baseline,
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx2,
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx512,
}

/// A loop over plain arrays, written once and compiled for each instruction set.
///
/// The arguments are the fields. Mark `run` `#[inline(always)]`: it has to become part of the
/// function that enables the CPU feature.
pub trait Kernel {
    /// What the loop returns.
    type Result;

    /// Runs with the arithmetic of `I`.
    fn run<I: Isa>(self) -> Self::Result;
}

impl Simd {
    /// What every CPU of the target can do.
    pub const fn baseline() -> Self {
        Simd(Level::Baseline)
    }

    /// The best this CPU can do.
    #[cfg(feature = "std")]
    pub fn detect() -> Self {
        Simd::available().last().unwrap_or(Simd::baseline())
    }

    /// Everything this CPU can do, slowest first.
    #[cfg(feature = "std")]
    pub fn available() -> impl Iterator<Item = Simd> {
        let baseline = core::iter::once(Simd::baseline());
        #[cfg(target_arch = "x86_64")]
        let baseline = baseline.chain(
            [
                (std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma"))
                    .then_some(Simd(Level::Avx2)),
                std::is_x86_feature_detected!("avx512f").then_some(Simd(Level::Avx512)),
            ]
            .into_iter()
            .flatten(),
        );
        baseline
    }

    /// `baseline`, `avx2` or `avx512`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Level::Baseline => "baseline",
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Level::Avx2 => "avx2",
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Level::Avx512 => "avx512",
        }
    }

    /// How a multiply-add is done here: the instruction's name, or `software`.
    pub const fn fma(self) -> &'static str {
        match self.0 {
            Level::Baseline => Portable::FMA,
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Level::Avx2 | Level::Avx512 => "vfmadd",
        }
    }

    /// Runs `kernel` compiled for this token's instruction set.
    #[inline(always)]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Result {
        match self.0 {
            Level::Baseline => kernel.run::<Portable>(),
            // SAFETY: only `available` makes this token, after it saw AVX2 and FMA.
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Level::Avx2 => unsafe { run_avx2(kernel) },
            // SAFETY: only `available` makes this token, after it saw AVX-512F (which implies FMA).
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Level::Avx512 => unsafe { run_avx512(kernel) },
        }
    }
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<K: Kernel>(kernel: K) -> K::Result {
    kernel.run::<Avx2>()
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[target_feature(enable = "avx512f")]
fn run_avx512<K: Kernel>(kernel: K) -> K::Result {
    kernel.run::<Avx512>()
}
