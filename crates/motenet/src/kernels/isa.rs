//! What a kernel may ask of the machine: one fused multiply-add, and how many of them go side by side.

/// An instruction set as a type: kernels are written once over `I: Isa` and compiled once for each.
///
/// Every implementation returns the same bits: an IEEE 754 fused multiply-add is exact up to its one
/// rounding, wherever it runs.
pub trait Isa: Copy {
    /// A vector register of `f32`.
    type Vector: Copy;

    /// `f32` lanes of one vector register; 1 asks for the plain loops.
    const LANES: usize;

    /// `a·b + c`, rounded once (IEEE 754-2019, 5.4.1 `fusedMultiplyAdd`).
    fn fma(a: f32, b: f32, c: f32) -> f32;

    /// `a·b + c` in each lane, rounded once.
    fn fma_lanes(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;

    /// `a` in every lane.
    fn splat(a: f32) -> Self::Vector;

    /// The first numbers of `x`, one to a lane; zeros in the lanes that are left.
    fn load(x: &[f32]) -> Self::Vector;

    /// `x[k]` = lane `k`, for the lanes that `x` has room for.
    fn store(vector: Self::Vector, x: &mut [f32]);

    /// `columns[k][r] = rows[r][k]`
    #[inline(always)]
    fn transpose(rows: [&[f32; 4]; 16]) -> [[f32; 16]; 4] {
        core::array::from_fn(|k| rows.map(|row| row[k]))
    }

    /// Bit `k` is set where `x[k]` is not zero; a zero of either sign is zero, NaN is not.
    #[inline(always)]
    fn nonzero(x: &[f32; 16]) -> u16 {
        x.iter().rev().fold(0, |mask, &x| mask << 1 | u16::from(x != 0.0))
    }

    /// Bit `k` is set where `bytes[k]` is not 0.
    #[inline(always)]
    fn nonzero_bytes(bytes: &[u8; 64]) -> u64 {
        bytes.iter().rev().fold(0, |mask, &byte| mask << 1 | u64::from(byte != 0))
    }
}

/// The items of an [`Isa`] of one lane that follow from its `fma`.
macro_rules! one_lane {
    () => {
        type Vector = f32;
        const LANES: usize = 1;

        #[inline(always)]
        fn fma_lanes(a: f32, b: f32, c: f32) -> f32 {
            Self::fma(a, b, c)
        }

        #[inline(always)]
        fn splat(a: f32) -> f32 {
            a
        }

        #[inline(always)]
        fn load(x: &[f32]) -> f32 {
            x.first().copied().unwrap_or_default()
        }

        #[inline(always)]
        fn store(vector: f32, x: &mut [f32]) {
            if let Some(x) = x.first_mut() {
                *x = vector;
            }
        }
    };
}
#[cfg(test)]
pub(crate) use one_lane;

/// What every target can do: hardware where the target is known to have it, software elsewhere.
///
/// `core` has no fused multiply-add on stable Rust, so without the standard library the instruction is
/// written out. Its arithmetic is IEEE 754's in the mode that these cores start in:
/// - Arm FPv4-SP and FPv5: a context begins with the modes of FPDSCR, which resets to 0: to nearest even,
///   subnormals kept (FZ = 0), NaN passed on (DN = 0) (ARMv7-M Architecture Reference Manual,
///   "Floating-point Default Status Control Register");
/// - RISC-V F: no mode but the rounding, and 0 is to nearest even; NaN is always the canonical one, which
///   the contract leaves open (The RISC-V Instruction Set Manual I, chapter on the "F" extension);
/// - AArch64: FPCR as the operating system starts a program with, or as it resets, 0.
///
/// Who changes these modes leaves the contract, as on any machine.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

impl Portable {
    /// How [`fma`](Isa::fma) is done: the instruction's name, or `software`.
    pub const FMA: &str = portable::NAME;
}

impl Isa for Portable {
    one_lane!();

    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        portable::fma(a, b, c)
    }
}

#[cfg(all(feature = "std", any(target_arch = "aarch64", target_feature = "fma", motenet_fma)))]
mod portable {
    pub(super) const NAME: &str = if cfg!(target_arch = "x86_64") { "vfmadd" } else { "fmadd" };

    #[inline(always)]
    pub(super) fn fma(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}

#[cfg(all(not(feature = "std"), motenet_fma = "armv7em"))]
mod portable {
    pub(super) const NAME: &str = "vfma.f32";

    #[inline(always)]
    pub(super) fn fma(a: f32, b: f32, c: f32) -> f32 {
        vfma(a, b, c)
    }

    /// A function, not inline assembly: rustc 1.95 gives that no float register on a target whose FPU has
    /// single precision only (`sreg` asks for its feature `vfp2`).
    // SAFETY: every core of the target has the instruction (build.rs). The target's C calling convention
    // passes the arguments in s0, s1, s2 and returns s0, and leaves s0 to s15 to the callee (Procedure Call
    // Standard for the Arm Architecture, "VFP and Advanced SIMD variant"); nothing else is written but the
    // cumulative exception flags in FPSCR, of which nothing in Rust takes notice.
    #[unsafe(naked)]
    extern "C" fn vfma(a: f32, b: f32, c: f32) -> f32 {
        core::arch::naked_asm!(
            ".fpu fpv4-sp-d16", // what the target has, but the assembler is not told
            "vfma.f32 s2, s0, s1",
            "vmov.f32 s0, s2",
            "bx lr",
        )
    }
}

#[cfg(all(not(feature = "std"), motenet_fma = "riscv"))]
mod portable {
    pub(super) const NAME: &str = "fmadd.s";

    #[inline(always)]
    pub(super) fn fma(a: f32, b: f32, c: f32) -> f32 {
        let sum;
        // SAFETY: every core of the target has the instruction (build.rs). It reads and writes these four
        // registers; of the accrued exception flags that it sets in fcsr nothing in Rust takes notice.
        unsafe {
            core::arch::asm!(
                "fmadd.s {sum}, {a}, {b}, {c}",
                a = in(freg) a,
                b = in(freg) b,
                c = in(freg) c,
                sum = lateout(freg) sum,
                options(pure, nomem, nostack),
            );
        }
        sum
    }
}

#[cfg(all(not(feature = "std"), target_arch = "aarch64", target_feature = "neon"))]
mod portable {
    pub(super) const NAME: &str = "fmadd";

    #[inline(always)]
    pub(super) fn fma(a: f32, b: f32, c: f32) -> f32 {
        let sum;
        // SAFETY: every core with NEON has the instruction. It reads and writes these four registers; of
        // the cumulative exception flags that it sets in FPSR nothing in Rust takes notice.
        unsafe {
            core::arch::asm!(
                "fmadd {sum:s}, {a:s}, {b:s}, {c:s}",
                a = in(vreg) a,
                b = in(vreg) b,
                c = in(vreg) c,
                sum = lateout(vreg) sum,
                options(pure, nomem, nostack),
            );
        }
        sum
    }
}

#[cfg(not(any(
    all(feature = "std", any(target_arch = "aarch64", target_feature = "fma", motenet_fma)),
    all(not(feature = "std"), motenet_fma),
    all(not(feature = "std"), target_arch = "aarch64", target_feature = "neon"),
)))]
mod portable {
    pub(super) use crate::math::fma_soft as fma;

    pub(super) const NAME: &str = "software";
}
