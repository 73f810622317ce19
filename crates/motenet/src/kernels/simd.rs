//! Which instruction set to run a kernel with, as a value that proves it is there.

use super::isa::{Isa, Portable};
#[cfg(all(feature = "std", target_arch = "aarch64"))]
use super::isa_aarch64::Neon;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
use super::isa_x86::{Avx2, Avx512};

/// A small token: what this CPU can do. The fields are private, so holding one is the proof.
///
/// It never changes a result, only how long the result takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simd {
    level: Level,
    #[cfg(target_arch = "x86_64")]
    bytes: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Baseline,
    #[cfg(all(feature = "std", target_arch = "aarch64"))]
    Neon,
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx2,
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx512,
}

/// Which instructions for products of bytes a [`Simd`] token proves, on x86-64: kernels on integers ask.
///
/// Each includes those before it, and the vectors they take.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bytes {
    /// What the target itself promises, commonly SSE2.
    Baseline,
    /// AVX2: 256 bits.
    Avx2,
    /// AVX-VNNI, `VPDPBUSD` on 256 bits: processors without AVX-512.
    AvxVnni,
    /// AVX-512F and AVX-512BW: 512 bits.
    Avx512Bw,
    /// AVX-512 VNNI as well: `VPDPBUSD` on 512 bits.
    Avx512Vnni,
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
        Simd {
            level: Level::Baseline,
            #[cfg(target_arch = "x86_64")]
            bytes: Bytes::Baseline,
        }
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
        let baseline = baseline.chain([avx2(), avx512()].into_iter().flatten());
        #[cfg(target_arch = "aarch64")]
        let baseline = baseline.chain([Simd { level: Level::Neon }]);
        baseline
    }

    /// `baseline`; `avx2` or `avx512` on x86-64; `neon` on AArch64.
    pub const fn name(self) -> &'static str {
        match self.level {
            Level::Baseline => "baseline",
            #[cfg(all(feature = "std", target_arch = "aarch64"))]
            Level::Neon => "neon",
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Level::Avx2 => "avx2",
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Level::Avx512 => "avx512",
        }
    }

    /// The best instructions for products of bytes.
    #[cfg(target_arch = "x86_64")]
    pub const fn bytes(self) -> Bytes {
        self.bytes
    }

    /// The same token as a CPU without `VPDPBUSD` has it, for tests and for comparing.
    #[cfg(target_arch = "x86_64")]
    pub const fn without_vnni(self) -> Self {
        let bytes = match self.bytes {
            Bytes::AvxVnni => Bytes::Avx2,
            Bytes::Avx512Vnni => Bytes::Avx512Bw,
            other => other,
        };
        Simd { bytes, ..self }
    }

    /// How a multiply-add is done here: the instruction's name, or `software`.
    pub const fn fma(self) -> &'static str {
        match self.level {
            Level::Baseline => Portable::FMA,
            #[cfg(all(feature = "std", target_arch = "aarch64"))]
            Level::Neon => "fmla",
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Level::Avx2 | Level::Avx512 => "vfmadd",
        }
    }

    /// Runs `kernel` compiled for this token's instruction set.
    #[inline(always)]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Result {
        match self.level {
            Level::Baseline => kernel.run::<Portable>(),
            #[cfg(all(feature = "std", target_arch = "aarch64"))]
            Level::Neon => kernel.run::<Neon>(),
            // SAFETY: only `available` makes this token, after it saw AVX2 and FMA.
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Level::Avx2 => unsafe { run_avx2(kernel) },
            // SAFETY: only `available` makes this token, after it saw AVX-512F (which implies FMA).
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Level::Avx512 => unsafe { run_avx512(kernel) },
        }
    }
}

/// AVX2 and FMA, if this CPU has them.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
fn avx2() -> Option<Simd> {
    let found = std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
    let bytes = if std::is_x86_feature_detected!("avxvnni") { Bytes::AvxVnni } else { Bytes::Avx2 };
    found.then_some(Simd { level: Level::Avx2, bytes })
}

/// AVX-512, if this CPU has it.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
fn avx512() -> Option<Simd> {
    let bytes = match (
        std::is_x86_feature_detected!("avx512bw"),
        std::is_x86_feature_detected!("avx512vnni"),
    ) {
        (true, true) => Bytes::Avx512Vnni,
        (true, false) => Bytes::Avx512Bw,
        // Every CPU with AVX-512F has AVX2.
        (false, _) => avx2().map_or(Bytes::Baseline, Simd::bytes),
    };
    std::is_x86_feature_detected!("avx512f").then_some(Simd { level: Level::Avx512, bytes })
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

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use std::prelude::v1::*;

    #[test]
    fn a_token_proves_what_was_detected() {
        for simd in Simd::available() {
            let (bytes, plain) = (simd.bytes(), simd.without_vnni());
            assert_eq!((plain.name(), plain.without_vnni()), (simd.name(), plain));
            assert!(plain.bytes() <= bytes && bytes >= Simd::baseline().bytes());
            assert!(!matches!(plain.bytes(), Bytes::AvxVnni | Bytes::Avx512Vnni));
            let (vnni, others) = match bytes {
                Bytes::Baseline => (true, simd == Simd::baseline()),
                Bytes::Avx2 => (true, std::is_x86_feature_detected!("avx2")),
                Bytes::AvxVnni => (
                    std::is_x86_feature_detected!("avxvnni"),
                    std::is_x86_feature_detected!("avx2"),
                ),
                Bytes::Avx512Bw => (true, std::is_x86_feature_detected!("avx512bw")),
                Bytes::Avx512Vnni => (
                    std::is_x86_feature_detected!("avx512vnni"),
                    std::is_x86_feature_detected!("avx512bw"),
                ),
            };
            assert!(vnni && others, "{simd:?}");
        }
    }
}
