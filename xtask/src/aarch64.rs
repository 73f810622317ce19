//! `cargo xtask aarch64`: the core's own tests, and the hashes of whole trainings, on AArch64: by QEMU where this
//! machine is another.

use crate::cargo;
use crate::toolchain::{Toolchain, find_command};
use anyhow::{Result, bail};

const TARGET: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const RUNNER: &str = "qemu-aarch64";
const PACKAGES: &str = "apt-get install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross";

/// Every kernel on every level against its naive twin, and what the trainings must come to.
const TESTS: [&str; 7] = ["-p", "motenet", "-p", "motenet-tests", "--lib", "--test", "hashes"];

/// # Errors
/// A test fails; or, where `MOTENET_REQUIRE_SIM` is 1, something is missing. Else that is said, and is none.
pub(crate) fn run() -> Result<()> {
    if cfg!(target_arch = "aarch64") {
        return crate::run(cargo().arg("test").args(TESTS));
    }
    let toolchain = match find() {
        Ok(toolchain) => toolchain,
        Err(missing) if std::env::var_os("MOTENET_REQUIRE_SIM").is_some_and(|set| set == "1") => {
            return Err(missing);
        }
        Err(missing) => {
            println!("skipped: {missing:#}");
            return Ok(());
        }
    };
    let variable =
        |what| format!("CARGO_TARGET_{}_{what}", TARGET.to_uppercase().replace('-', "_"));
    let mut command = toolchain.test(crate::root());
    command.env(variable("LINKER"), LINKER);
    // Where Debian's cross compiler has the C library.
    command.env(variable("RUNNER"), format!("{RUNNER} -L /usr/aarch64-linux-gnu"));
    crate::run(command.args(TESTS))
}

fn find() -> Result<Toolchain> {
    if let Some(name) = [RUNNER, LINKER].into_iter().find(|name| find_command(name).is_none()) {
        bail!("found no `{name}` to test on AArch64 with: `{PACKAGES}`");
    }
    Toolchain::find(TARGET)
}
