//! `cargo xtask test`: what `cargo test` runs, and what it cannot.

use crate::cargo;
use anyhow::Result;

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    crate::run(cargo().args(["test", "--workspace"]).args(arguments))?;
    if arguments.is_empty() {
        // A user's own debug build has no optimiser to keep large values off the stack.
        let unoptimised = ["--profile", "unoptimized", "-p", "motenet-tests", "--test", "stack"];
        crate::run(cargo().arg("test").args(unoptimised))?;
    }
    Ok(())
}
