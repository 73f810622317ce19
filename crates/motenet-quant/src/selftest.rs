//! Every kernel against its twin, without a heap or a standard library: for the chip itself.
//!
//! ```
//! let mut differences = 0;
//! let cases = motenet_quant::selftest::run(&mut |name, same| {
//!     if !same {
//!         println!("{name} differs");
//!         differences += 1;
//!     }
//! });
//! assert!(cases > 500 && differences == 0);
//! ```

use crate::{QDenseRelu, Requantize, naive};
use motenet::{Layer, Pass, Simd, random};

/// Runs every case, calls `report` with its name and whether both agree, and returns how many there were.
///
/// Layers of odd and even sizes, among them some with more inputs than a list of events holds; weights
/// and inputs at their ends and at random; inputs at every alignment; factors small and large.
///
/// # Memory
/// Some 16 KB of stack, about 6 KB of code for every 10 sizes.
pub fn run(report: &mut dyn FnMut(&str, bool)) -> u32 {
    run_at(Simd::baseline(), report)
}

/// [`run`] with the instructions of `simd`.
pub(crate) fn run_at(simd: Simd, report: &mut dyn FnMut(&str, bool)) -> u32 {
    let mut cases = 0;
    let mut report = |name: &str, same: bool| {
        cases += 1;
        report(name, same);
    };
    macro_rules! layers {
        ($($inputs:literal to $outputs:literal),* $(,)?) => {$(
            layer::<$inputs, { $inputs + 3 }, $outputs>(
                concat!("dense ", $inputs, " to ", $outputs),
                simd,
                &mut report,
            );
        )*};
    }
    layers!(
        1 to 1, 1 to 8, 1 to 17, 2 to 8, 2 to 3, 3 to 10, 4 to 9, 5 to 8, 7 to 8, 8 to 7, 9 to 9, 17 to 1,
        17 to 17, 16 to 24, 64 to 10, 65 to 8, 129 to 2, 127 to 16, 128 to 11, 255 to 8, 256 to 9,
        257 to 10, 258 to 5, 259 to 12, 514 to 6, 600 to 16,
    );
    requantize(&mut report);
    #[cfg(any(motenet_kernel = "armv6m", motenet_kernel = "armv7m", motenet_kernel = "armv7em"))]
    report("registers of the caller", crate::kernels::registers::are_kept());
    cases
}

/// What weights and inputs are made of.
const KINDS: u32 = 10;

/// `WIDE` is `IN + 3`: room to shift the input to each alignment.
#[inline(never)]
fn layer<const IN: usize, const WIDE: usize, const OUT: usize>(
    name: &str,
    simd: Simd,
    report: &mut dyn FnMut(&str, bool),
) {
    let mut rng = random::generator((1000 * IN + OUT) as u64);
    let mut below = |n| random::below(&mut rng, n);
    let mut layer = <QDenseRelu<IN, OUT> as motenet::Zero>::ZERO;
    // A word ahead of it, so that the address of the first byte is a multiple of 4.
    let mut input = Aligned::<WIDE> { _word: 0, bytes: [0; WIDE] };
    for kind in 0..KINDS {
        let seed = random::mix((1000 * IN + OUT) as u64) ^ u64::from(kind);
        let weight = |i: usize, o: usize| {
            let number = random::mix(seed.wrapping_add((i * OUT + o) as u64)) as u32 >> 16;
            match kind {
                0 => 127,
                1 => -127,
                2 => [127, -127][o % 2],
                3 => [-127, 127][(i + o) % 2],
                4 => (number % 3) as i8 - 1,
                _ => (number as i32 % 255 - 127) as i8,
            }
        };
        for o in 0..OUT {
            for i in 0..IN {
                layer.dense.set_weight(i, o, weight(i, o));
            }
            layer.dense.bias[o] = below(1 << 16) as i32 - (1 << 15);
            let factor = [400, 2_000, 9_000, 33_000][below(4) as usize] + below(400);
            // In integers, as the chip has no floats: `multiplier / 2^shift`, without a limit.
            if let Some(rule) = Requantize::from_parts(65_535, factor as u16, below(9) as u8, 23) {
                layer.requantize[o] = rule;
            }
        }
        let shift = (kind % 4) as usize;
        for x in &mut input.bytes {
            *x = match kind {
                0..=3 => 255,
                4 | 5 if below(5) > 0 => 0,
                6 => 0,
                7 => below(2) as u8,
                _ => below(256) as u8,
            };
        }
        let Some(x) = input.bytes.get(shift..).and_then(|x| x.first_chunk::<IN>()) else {
            continue;
        };
        let expected = naive::sums(weight, &layer.dense.bias, x);
        // Whatever was there is overwritten.
        let mut sums = [77; OUT];
        layer.dense.sums(x, &mut sums);
        report(name, sums.iter().zip(&expected).all(|(&sum, &twin)| i64::from(sum) == twin));

        let mut y = [[77; OUT]; 1];
        layer.forward(Pass::infer(simd), core::slice::from_ref(x), &mut y);
        let twin = |o: usize| naive::requantize(layer.requantize[o], expected[o]);
        report(name, y[0] == core::array::from_fn(twin));
    }
}

#[repr(C)]
struct Aligned<const N: usize> {
    _word: u32,
    bytes: [u8; N],
}

#[inline(never)]
fn requantize(report: &mut dyn FnMut(&str, bool)) {
    let mut rng = random::generator(1);
    for _ in 0..200 {
        let mut below = |n| random::below(&mut rng, n);
        let (limit, multiplier) = (below(u32::MAX), below(1 << 16) as u16);
        let (drop, shift) = (below(32) as u8, 1 + below(31) as u8);
        let Some(rule) = Requantize::from_parts(limit, multiplier, drop, shift) else { continue };
        let random = below(u32::MAX) as i32;
        let near = (limit >> 1) as i32;
        let same = [0, 1, -1, i32::MAX, i32::MIN, random, near, random >> below(32)]
            .into_iter()
            .all(|sum| rule.apply(sum) == naive::requantize(rule, i64::from(sum)));
        report("requantize", same);
    }
}
