//! `cargo xtask chips`: the no_std crates for microcontrollers, without any feature, and the firmware's programs for
//! every board, real ones included. None of them may hold a panic of ours ([`panics`]).

use crate::boards::{self, Board, Boards};
use crate::firmware;
use crate::panics;
use crate::root;
use crate::toolchain::Toolchain;
use anyhow::Result;
use clap::Args;
use motenet_learn::{DigitNetwork, TrainFootprint};

/// Cortex-M4F, with an FPU; Cortex-M0+, with neither FPU nor compare-and-swap.
const TARGETS: [&str; 2] = ["thumbv7em-none-eabihf", "thumbv6m-none-eabi"];

#[derive(Args)]
pub(crate) struct Arguments {
    /// The firmware for this board alone; for each of several.
    #[arg(long, value_name = "NAME")]
    board: Vec<String>,
    /// Plants a panic in the firmware: the build must fail then.
    #[arg(long)]
    control: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let boards = Boards::read()?;
    let chosen: Vec<&Board> = match &arguments.board[..] {
        [] => boards.all().collect(),
        names => names.iter().map(|name| boards.find(name)).collect::<Result<_>>()?,
    };
    if arguments.board.is_empty() {
        crates()?;
    }
    for board in chosen {
        for (program, task) in programs(board) {
            let mut features = format!("{},{task}", board.name);
            if arguments.control {
                features += ",control";
            }
            let model = boards::firmware().join("model/notebook.rs");
            let built = firmware::build_program(board, &model, program, &features)?;
            let doors = if program == "learn" { &board.panics.learn } else { &board.panics.infer };
            panics::check(&built.elf, doors)?;
            let (flash, ram) = (built.sizes.flash_bytes, built.sizes.static_bytes);
            println!(
                "{:<15}{:<9}{flash:>8} bytes of flash, {ram:>6} of RAM before the stack; panics {}",
                board.name,
                if task.is_empty() { "infer" } else { task },
                match &doors[..] {
                    [] => "nowhere".into(),
                    doors => format!("behind {} only", doors.join(", ")),
                }
            );
        }
    }
    Ok(())
}

/// The programs that the board can hold, with the feature that each takes.
fn programs(board: &Board) -> impl Iterator<Item = (&'static str, &'static str)> {
    let whole = board.ram.bytes >= DigitNetwork::PROGRAM_RAM_MAX as u64;
    let all = [("firmware", ""), ("learn", "learn"), ("learn", "adapt")];
    all.into_iter().filter(move |&(_, task)| whole || task != "learn")
}

fn crates() -> Result<()> {
    for target in TARGETS {
        let names =
            ["motenet", "motenet-learn", "motenet-models", "motenet-quant", "motenet-store"];
        let crates = names.iter().flat_map(|name| ["-p", name]);
        let how = ["--no-default-features", "--release"];
        crate::run(Toolchain::find(target)?.build(root()).args(crates).args(how))?;
    }
    Ok(())
}
