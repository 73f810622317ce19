//! `cargo xtask chips`: the no_std crates for microcontrollers, without any feature, and the firmware for
//! every board.

use crate::boards::{self, Boards};
use crate::firmware;
use crate::root;
use crate::toolchain::Toolchain;
use anyhow::Result;

/// Cortex-M4F, with an FPU; Cortex-M0+, with neither FPU nor compare-and-swap.
const TARGETS: [&str; 2] = ["thumbv7em-none-eabihf", "thumbv6m-none-eabi"];

pub(crate) fn run() -> Result<()> {
    for target in TARGETS {
        let names =
            ["motenet", "motenet-learn", "motenet-models", "motenet-quant", "motenet-store"];
        let crates = names.iter().flat_map(|name| ["-p", name]);
        let how = ["--no-default-features", "--release"];
        crate::run(Toolchain::find(target)?.build(root()).args(crates).args(how))?;
    }
    let model = boards::firmware().join("model/notebook.rs");
    for board in Boards::read()?.all() {
        let sizes = firmware::build(board, &model)?.sizes;
        let (flash, ram) = (sizes.flash_bytes, sizes.static_bytes);
        println!("{:<15}{flash:>8} bytes of flash, {ram:>6} of RAM before the stack", board.name);
    }
    Ok(())
}
