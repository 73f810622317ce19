//! CPU against GPU: kernels, epochs over width and batch, and the time to 98 % of the test digits.
//!
//! One program: `cargo bench --bench gpu` runs it here, `cargo xtask gpu-bundle` packs it for a machine with
//! a GPU and without Rust. Without an adapter the GPU's column says `skipped`, and why.

#[cfg(feature = "cuda")]
mod cuda;
mod epochs;
mod kernels;
mod models;
mod plot;

use crate::digits;
use clap::Parser;
use motenet_data::{Digits, made_up, mnist};
use motenet_gpu::{Error, Gpu};
use std::path::PathBuf;

/// Compares CPU and GPU.
#[derive(Debug, Parser)]
#[command(name = "gpu-bench")]
pub struct Options {
    /// Digits of an epoch [default: 60000, 4096 on a software adapter]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=60_000))]
    samples: Option<u32>,
    /// Batch sizes
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "64,256,1024,4096",
        value_parser = clap::value_parser!(u32).range(1..=60_000))]
    batches: Vec<u32>,
    /// Epochs of each, the first of which is not timed
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=1000))]
    epochs: u32,
    /// Where the plot of throughput goes
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
    /// Lines `model TAB batch TAB column TAB samples a second` of other programs, shown beside ours
    #[arg(long, value_name = "FILE")]
    beside: Option<PathBuf>,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
}

/// Measures and prints everything.
///
/// # Errors
/// One line: a file that cannot be read or written, or what a device says. That there is no device is none.
pub fn run(options: &Options) -> Result<(), String> {
    let gpu = Gpu::open();
    let software = gpu.as_ref().is_ok_and(Gpu::is_software);
    #[cfg_attr(not(feature = "cuda"), expect(unused_mut))]
    let mut beside = match &options.beside {
        None => Vec::new(),
        Some(path) => epochs::read_beside(path)?,
    };
    let (name, all) = digits::training_set();
    // Without a GPU there is nothing to wait long for.
    let few = if gpu.is_ok() && !software { 60_000 } else { 4_096 };
    let train = first(all, options.samples.unwrap_or(few) as usize);
    println!("{} digits of {name}, {} in an epoch", digits::COUNT, train.len());
    println!("CPU: {} threads, {}", threads(), motenet::Simd::detect().name());
    match &gpu {
        Ok(gpu) => {
            println!("GPU: {}{}", gpu.name(), if software { ", a program on the CPU" } else { "" })
        }
        Err(error) => println!("GPU: skipped ({error})"),
    }
    if let Ok(gpu) = &gpu {
        kernels::print(gpu).map_err(|error| error.to_string())?;
    }
    let gpu = gpu.ok();
    let rows =
        epochs::measure(gpu.as_ref(), &train, options).map_err(|error: Error| error.to_string())?;
    #[cfg(feature = "cuda")]
    cuda::measure(&train, options, &rows, &mut beside).map_err(|error| error.to_string())?;
    epochs::print(&rows, &beside);
    if let Some(path) = &options.svg {
        let picture = plot::draw(&rows, &beside);
        std::fs::write(path, picture).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("\nThe same as a picture: {}", path.display());
    }
    epochs::print_time_to_target(gpu.as_ref(), &train, &test_set())
        .map_err(|error| error.to_string())
}

/// Threads of this machine.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn first(mut digits: Digits, count: usize) -> Digits {
    digits.images.truncate(count);
    digits.labels.truncate(count);
    digits
}

/// The test digits that belong to [`digits::training_set`].
fn test_set() -> Digits {
    let options = mnist::Options { cache_dir: None, download: false, ..mnist::Options::from_env() };
    match options.mnist_dir.is_some().then(|| mnist::load(&options, &mut |_| {})) {
        Some(Ok(splits)) => splits.test,
        _ => made_up::digits(made_up::SEED, 60_000, 4_000),
    }
}
