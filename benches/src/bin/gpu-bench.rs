//! CPU against GPU: `cargo bench --bench gpu`, or in a bundle of `cargo xtask gpu-bundle`.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match motenet_benches::gpu::run(&motenet_benches::gpu::Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
