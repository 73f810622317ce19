//! Runs one kernel so often, for valgrind to count its instructions: `instructions NAME LEVEL TIMES`.
//!
//! `tests/instructions.rs` runs it. Without arguments it lists the kernels and this machine's levels, one
//! pair a line, with a tab between.

use motenet::Simd;
use motenet_benches::products;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, level, times] = arguments.as_slice() else {
        for product in products::all().iter().filter(|product| !product.large) {
            for simd in Simd::available() {
                println!("{}\t{}", product.name, simd.name());
            }
        }
        return ExitCode::SUCCESS;
    };
    let product = products::all().into_iter().find(|product| product.name == *name);
    let simd = Simd::available().find(|simd| simd.name() == *level);
    let (Some(product), Some(simd), Ok(times)) = (product, simd, times.parse::<u32>()) else {
        eprintln!(
            "error: found {name:?} {level:?} {times:?}, expected what is listed without arguments, and a number"
        );
        return ExitCode::FAILURE;
    };
    let mut operands = (product.operands)();
    for _ in 0..times {
        (product.run)(&mut operands, simd);
    }
    ExitCode::SUCCESS
}
