//! The blocks of `plain` for Cortex-M4F and newer, in assembly: sixteen sums stay in the FPU's registers.
//!
//! rustc 1.95 gives inline assembly no float register on these targets, so each loop is a function of its own. Written
//! with one multiply-add a call, learning from a digit took 110,600 instructions; so it takes a seventh.
//!
//! All of them: s0 to s15 hold the block's sums (or `dy`), s17 to s24 half a row as it is loaded, s16 the number that the
//! row is multiplied by. Four inputs are looked at at a time; where all are +0 that is eight instructions.

/// Eight times an instruction `op to, by, from`, or fewer.
macro_rules! each {
    ($op:literal $by:literal $([$to:ident $from:ident])*) => {
        concat!($($op, " ", stringify!($to), ", ", $by, ", ", stringify!($from), "\n"),*)
    };
}

/// The three loops for a block of one width. `$sums` are its registers, and for each half of a row: where it is loaded,
/// and which of these belongs to which sum.
macro_rules! blocks {
    ($forward:ident $outer:ident $dots:ident $sums:literal
     $($row:literal: $([$sum:ident $w:ident])*;)*) => {
        // SAFETY, of all three: they read and write what their callers vouch for, save the registers that the Procedure Call
        // Standard for the Arm Architecture ("VFP and Advanced SIMD variant") asks them to, and touch no other memory but
        // their own stack. The fifth argument is on the stack. Every core of the target has the instructions (build.rs).

        /// `y[c] = y[c] + Σ x[i]·w[i][c]`, `i` ascending, zeros left out; then `y[c] + 0`.
        #[unsafe(naked)]
        unsafe extern "C" fn $forward(x: *const f32, w: *const f32, count: usize, stride: usize, y: *mut f32) {
            core::arch::naked_asm!(
                ".fpu fpv4-sp-d16", // what the target has, but the assembler is not told
                "push {{r4-r8, lr}}",
                "vpush {{s16-s25}}",
                "ldr r8, [sp, #64]",
                concat!("vldmia r8, ", $sums),
                "b 2f",
                "1:",
                "ldmia r0!, {{r4-r7}}",
                "orr r12, r4, r5",
                "orr lr, r6, r7",
                "orrs r12, r12, lr",
                "bne 5f",
                "add r1, r1, r3, lsl #2",
                "2:",
                "subs r2, r2, #4",
                "bhs 1b",
                "adds r2, r2, #4",
                "beq 4f",
                "3:", // the last three at most
                "ldr r4, [r0], #4",
                blocks!(@forward "r4" $($row: $([$sum $w])*;)*),
                "subs r2, r2, #1",
                "bne 3b",
                "4:",
                "mov r12, #0",
                "vmov s16, r12",
                concat!($(each!("vadd.f32" "s16" $([$sum $sum])*)),*),
                concat!("vstmia r8, ", $sums),
                "vpop {{s16-s25}}",
                "pop {{r4-r8, pc}}",
                "5:", // one of the four is lit
                blocks!(@forward "r4" $($row: $([$sum $w])*;)*),
                blocks!(@forward "r5" $($row: $([$sum $w])*;)*),
                blocks!(@forward "r6" $($row: $([$sum $w])*;)*),
                blocks!(@forward "r7" $($row: $([$sum $w])*;)*),
                "b 2b",
            )
        }

        /// `dw[i][c] = dw[i][c] + x[i]·dy[c] + 0` where `x[i]` is not zero.
        #[unsafe(naked)]
        unsafe extern "C" fn $outer(x: *const f32, dw: *mut f32, count: usize, stride: usize, dy: *const f32) {
            core::arch::naked_asm!(
                ".fpu fpv4-sp-d16",
                "push {{r4-r8, lr}}",
                "vpush {{s16-s25}}",
                "ldr r8, [sp, #64]",
                concat!("vldmia r8, ", $sums),
                "mov r12, #0",
                "vmov s25, r12",
                "b 2f",
                "1:",
                "ldmia r0!, {{r4-r7}}",
                "orr r12, r4, r5",
                "orr lr, r6, r7",
                "orrs r12, r12, lr",
                "bne 5f",
                "add r1, r1, r3, lsl #2",
                "2:",
                "subs r2, r2, #4",
                "bhs 1b",
                "adds r2, r2, #4",
                "beq 4f",
                "3:", // the last three at most
                "ldr r4, [r0], #4",
                blocks!(@outer "r4" $($row: $([$sum $w])*;)*),
                "subs r2, r2, #1",
                "bne 3b",
                "4:",
                "vpop {{s16-s25}}",
                "pop {{r4-r8, pc}}",
                "5:", // one of the four is lit
                blocks!(@outer "r4" $($row: $([$sum $w])*;)*),
                blocks!(@outer "r5" $($row: $([$sum $w])*;)*),
                blocks!(@outer "r6" $($row: $([$sum $w])*;)*),
                blocks!(@outer "r7" $($row: $([$sum $w])*;)*),
                "b 2b",
            )
        }

        /// `dx[i] = dx[i] + Σ w[i][c]·dy[c]`, `c` ascending.
        #[unsafe(naked)]
        unsafe extern "C" fn $dots(dx: *mut f32, w: *const f32, count: usize, stride: usize, dy: *const f32) {
            core::arch::naked_asm!(
                ".fpu fpv4-sp-d16",
                "ldr r12, [sp]",
                "push {{r4, lr}}",
                "vpush {{s16-s25}}",
                concat!("vldmia r12, ", $sums),
                "cbz r2, 2f",
                "1:",
                "vldr s16, [r0]",
                "mov lr, r1",
                $(concat!("vldmia lr!, ", $row), concat!($("vfma.f32 s16, ", stringify!($w), ", ", stringify!($sum), "\n"),*),)*
                "vstmia r0!, {{s16}}",
                "add r1, r1, r3",
                "subs r2, r2, #1",
                "bne 1b",
                "2:",
                "vpop {{s16-s25}}",
                "pop {{r4, pc}}",
            )
        }
    };
    (@forward $x:literal $($row:literal: $([$sum:ident $w:ident])*;)*) => {
        concat!(
            "lsls r12, ", $x, ", #1\n", // of either sign
            "beq 6f\n",
            "vmov s16, ", $x, "\n",
            "mov lr, r1\n",
            $("vldmia lr!, ", $row, "\n", each!("vfma.f32" "s16" $([$sum $w])*),)*
            "6:\n",
            "add r1, r1, r3\n",
        )
    };
    (@outer $x:literal $($row:literal: $([$dy:ident $dw:ident])*;)*) => {
        concat!(
            "lsls r12, ", $x, ", #1\n",
            "beq 6f\n",
            "vmov s16, ", $x, "\n",
            "mov lr, r1\n",
            $("vldmia lr, ", $row, "\n",
            each!("vfma.f32" "s16" $([$dw $dy])*),
            each!("vadd.f32" "s25" $([$dw $dw])*),
            "vstmia lr!, ", $row, "\n",)*
            "6:\n",
            "add r1, r1, r3\n",
        )
    };
}

blocks! { forward_16 outer_16 dots_16 "{{s0-s15}}"
"{{s17-s24}}": [s0 s17] [s1 s18] [s2 s19] [s3 s20] [s4 s21] [s5 s22] [s6 s23] [s7 s24];
"{{s17-s24}}": [s8 s17] [s9 s18] [s10 s19] [s11 s20] [s12 s21] [s13 s22] [s14 s23] [s15 s24]; }
blocks! { forward_8 outer_8 dots_8 "{{s0-s7}}"
"{{s17-s24}}": [s0 s17] [s1 s18] [s2 s19] [s3 s20] [s4 s21] [s5 s22] [s6 s23] [s7 s24]; }
blocks! { forward_4 outer_4 dots_4 "{{s0-s3}}" "{{s17-s20}}": [s0 s17] [s1 s18] [s2 s19] [s3 s20]; }
blocks! { forward_2 outer_2 dots_2 "{{s0-s1}}" "{{s17-s18}}": [s0 s17] [s1 s18]; }
blocks! { forward_1 outer_1 dots_1 "{{s0}}" "{{s17}}": [s0 s17]; }

/// Eight at a time: `w = w − rate·(g + decay·w)`, or `w − rate·g` where `decays` is 0, and `g = 0`.
// SAFETY: as of the others; the first two floats are passed in s0 and s1, `eights` is not 0.
#[unsafe(naked)]
unsafe extern "C" fn descend_8(
    w: *mut f32,
    g: *mut f32,
    eights: usize,
    decays: usize,
    minus_rate: f32,
    decay: f32,
) {
    core::arch::naked_asm!(
        ".fpu fpv4-sp-d16",
        "push {{r4-r11}}",
        "vpush {{s16-s23}}",
        "mov r4, #0",
        "mov r5, r4",
        "mov r6, r4",
        "mov r7, r4",
        "mov r8, r4",
        "mov r9, r4",
        "mov r10, r4",
        "mov r11, r4",
        "1:",
        "vldmia r0, {{s8-s15}}",
        "vldmia r1, {{s16-s23}}",
        "cbz r3, 2f",
        each!("vfma.f32" "s1" [s16 s8] [s17 s9] [s18 s10] [s19 s11] [s20 s12] [s21 s13] [s22 s14] [s23 s15]),
        "2:",
        each!("vfma.f32" "s0" [s8 s16] [s9 s17] [s10 s18] [s11 s19] [s12 s20] [s13 s21] [s14 s22] [s15 s23]),
        "vstmia r0!, {{s8-s15}}",
        "stmia r1!, {{r4-r11}}",
        "subs r2, r2, #1",
        "bne 1b",
        "vpop {{s16-s23}}",
        "pop {{r4-r11}}",
        "bx lr",
    )
}

/// `y[c] = y[c] + Σ x[i]·w[i][c] + 0` for the C columns from `column` on.
#[inline(always)]
pub(super) fn forward<const OUT: usize, const C: usize>(
    x: &[f32],
    w: &[[f32; OUT]],
    column: usize,
    y: &mut [f32; OUT],
) {
    let count = x.len().min(w.len());
    let Some(y) = y.get_mut(column..).and_then(|y| y.first_chunk_mut::<C>()) else { return };
    let (x, w) = (x.as_ptr(), w.as_ptr().cast::<f32>().wrapping_add(column));
    let run = match C {
        16 => forward_16,
        8 => forward_8,
        4 => forward_4,
        2 => forward_2,
        1 => forward_1,
        _ => return,
    };
    // SAFETY: `x` has `count` numbers, `w` as many rows of `4·OUT` bytes, which go on for C numbers from `column` on, as `y`
    // does; the C numbers of `y` are nobody else's.
    unsafe { run(x, w, count, 4 * OUT, y.as_mut_ptr()) }
}

/// `dw[i][c] = dw[i][c] + x[i]·dy[c] + 0` for the C columns from `column` on, where `x[i]` is not zero.
#[inline(always)]
pub(super) fn outer<const OUT: usize, const C: usize>(
    x: &[f32],
    dy: &[f32; OUT],
    column: usize,
    dw: &mut [[f32; OUT]],
) {
    let count = x.len().min(dw.len());
    let Some(dy) = dy.get(column..).and_then(|dy| dy.first_chunk::<C>()) else { return };
    let (x, dw) = (x.as_ptr(), dw.as_mut_ptr().cast::<f32>().wrapping_add(column));
    let run = match C {
        16 => outer_16,
        8 => outer_8,
        4 => outer_4,
        2 => outer_2,
        1 => outer_1,
        _ => return,
    };
    // SAFETY: as above; the rows of `dw` are nobody else's.
    unsafe { run(x, dw, count, 4 * OUT, dy.as_ptr()) }
}

/// `dx[i] = dx[i] + Σ w[i][c]·dy[c]` over the C columns from `column` on.
#[inline(always)]
pub(super) fn dots<const OUT: usize, const C: usize>(
    w: &[[f32; OUT]],
    dy: &[f32; OUT],
    column: usize,
    dx: &mut [f32],
) {
    let count = dx.len().min(w.len());
    let Some(dy) = dy.get(column..).and_then(|dy| dy.first_chunk::<C>()) else { return };
    let (dx, w) = (dx.as_mut_ptr(), w.as_ptr().cast::<f32>().wrapping_add(column));
    let run = match C {
        16 => dots_16,
        8 => dots_8,
        4 => dots_4,
        2 => dots_2,
        1 => dots_1,
        _ => return,
    };
    // SAFETY: as above; the `count` numbers of `dx` are nobody else's.
    unsafe { run(dx, w, count, 4 * OUT, dy.as_ptr()) }
}

/// A step and a clear gradient, for as many of the first numbers as are whole eights: how many that is.
#[inline(always)]
pub(super) fn descend(rate: f32, decay: f32, w: &mut [f32], grad: &mut [f32]) -> usize {
    let eights = w.len().min(grad.len()) / 8;
    if eights > 0 {
        let decays = usize::from(decay != 0.0);
        // SAFETY: both have `8·eights` numbers, which are nobody else's.
        unsafe { descend_8(w.as_mut_ptr(), grad.as_mut_ptr(), eights, decays, -rate, decay) }
    }
    8 * eights
}
