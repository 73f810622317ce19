//! CPU against GPU: kernels, epochs over width and batch, and the time to 98 % of the test digits.
//!
//! One program: `cargo bench --bench gpu` runs it here, `cargo xtask gpu-bundle` packs it for a machine with
//! a GPU and without Rust. Without an adapter the GPU's rows say `skipped`, and a line says why.
//!
//! - `contenders.rs`: what trains, as epochs to be timed in turn; `peer.rs`: another program that does;
//! - `epochs.rs`: the table of speeds, `plot.rs`: its picture, `target.rs`: the time to 98 %;
//! - `kernels.rs`: the products; `models.rs`: the widths.

mod contenders;
mod epochs;
mod kernels;
mod models;
mod peer;
mod plot;
mod target;

use crate::digits;
use clap::Parser;
use contenders::Devices;
use motenet_data::Digits;
use motenet_gpu::Gpu;
use std::path::PathBuf;

/// Compares CPU and GPU.
#[derive(Debug, Parser)]
#[command(name = "gpu-bench")]
pub struct Options {
    /// Digits of an epoch [default: 60000; 4096 without a GPU, and on one in software]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=60_000))]
    samples: Option<u32>,
    /// Batch sizes
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "64,256,1024,4096",
        value_parser = clap::value_parser!(u32).range(1..=60_000))]
    batches: Vec<u32>,
    /// Epochs of each, at least; the first is not timed [default: 3; 2 on a GPU in software]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1000))]
    epochs: Option<u32>,
    /// How long a device may train for 98 % of the test digits; 0 leaves that out
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    patience: u32,
    /// Where the plot of throughput goes
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
    /// A program that trains the same, taken in turn with ours: `python3 benches/peers/gpu.py`
    #[arg(long, value_name = "COMMAND")]
    peer: Option<String>,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
}

/// Measures and prints everything.
///
/// # Errors
/// One line: a file that cannot be read or written, or what a device says. That there is no device is none.
pub fn run(options: &Options) -> Result<(), String> {
    if let Some(path) = &options.svg {
        // Not after ten minutes of measuring.
        std::fs::write(path, "").map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let (name, all, test) = digits::sets()?;
    let gpu = Gpu::open();
    let software = gpu.as_ref().is_ok_and(Gpu::is_software);
    let few = if gpu.is_ok() && !software { 60_000 } else { 4_096 };
    let samples = options.samples.unwrap_or(few);
    let epochs = options.epochs.unwrap_or(if software { 2 } else { 3 });
    println!("{} digits of {name}, {samples} in an epoch", digits::COUNT);
    println!("CPU: {} threads, {}", threads(), motenet::Simd::detect().name());
    match &gpu {
        Ok(gpu) => {
            println!("GPU: {}{}", gpu.name(), if software { ", a program on the CPU" } else { "" });
        }
        Err(error) => println!("GPU: skipped ({error})"),
    }
    let mut devices = Devices::new(gpu.ok(), options.peer.as_deref(), samples);
    if software {
        println!(
            "That GPU is software: by default it gets fewer digits and epochs, and no large kernels; --samples, --epochs, --patience change it."
        );
    }
    if let Some(gpu) = &devices.gpu {
        kernels::print(gpu).map_err(|error| error.to_string())?;
    }
    let train = first(all.clone(), samples as usize);
    let rows = epochs::measure(&mut devices, &train, &options.batches, epochs);
    if let Some(path) = &options.svg {
        let picture = plot::draw(&rows);
        std::fs::write(path, picture).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("\nThe same as a picture: {}", path.display());
    }
    let patience = f64::from(options.patience);
    let failed =
        epochs::failures(&rows) + target::print(devices.gpu.as_ref(), &all, &test, patience);
    match failed {
        0 => Ok(()),
        count => Err(format!("measurements that failed, and are named above: {count}")),
    }
}

/// Threads of this machine.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// `1 thread`, and `n threads` if there are more.
fn cpus() -> Vec<(usize, String)> {
    let mut found = vec![(1, "CPU, 1 thread".to_owned())];
    found.extend((threads() > 1).then(|| (threads(), format!("CPU, {} threads", threads()))));
    found
}

fn first(mut digits: Digits, count: usize) -> Digits {
    digits.images.truncate(count);
    digits.labels.truncate(count);
    digits
}
