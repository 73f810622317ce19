//! `cargo xtask chips`: the no_std crates, built for microcontrollers without any feature.

use crate::toolchain;
use anyhow::Result;

/// Cortex-M4F, with an FPU; Cortex-M0+, with neither FPU nor compare-and-swap.
const TARGETS: [&str; 2] = ["thumbv7em-none-eabihf", "thumbv6m-none-eabi"];

pub(crate) fn run() -> Result<()> {
    for target in TARGETS {
        let crates = ["-p", "motenet", "-p", "motenet-models", "-p", "motenet-quant"];
        let how = ["--no-default-features", "--release"];
        crate::run(toolchain::cargo_for(target)?.args(crates).args(how))?;
    }
    Ok(())
}
