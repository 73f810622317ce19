//! `host train --profile`: where the time went.

use crate::console::Console;
use motenet::Simd;
use motenet_models::Model;
use motenet_train::{Phase, Profile, peak_flops};
use std::time::Duration;

/// Prints a row for each phase: its time, its share, its speed, and what share of the peak that is.
pub(crate) fn print<M: Model>(profile: &Profile, simd: Simd, console: &Console) {
    let peak = peak_flops(simd);
    let speed = |flops: u64, time: Duration| {
        (flops * profile.samples) as f64 / time.as_secs_f64().max(1e-9)
    };
    let row = |name: &str, time: Duration, flops: u64| {
        let share = 100.0 * time.as_secs_f64() / profile.total().as_secs_f64().max(1e-9);
        let fast = speed(flops, time);
        let (fast, of_peak) = match flops {
            0 => (String::new(), String::new()),
            _ => (format!("{:.0}", fast / 1e9), format!("{:.0} %", 100.0 * fast / peak)),
        };
        let time = time.as_secs_f64();
        console.line(format_args!("{name:>11}{time:>12.3}{share:>8.0} %{fast:>11}{of_peak:>11}"));
    };
    console.line("");
    console.line(console.dim(format_args!(
        "{:>11}{:>12}{:>10}{:>11}{:>11}",
        "phase", "seconds", "share", "GFLOP/s", "of peak"
    )));
    for phase in Phase::ALL {
        row(phase.name(), profile.time(phase), phase.flops::<M>());
    }
    row("all", profile.total(), Phase::ALL.iter().map(|phase| phase.flops::<M>()).sum());
    console.line(format_args!(
        "Summed over threads. Operations of zeros count as if they were done, so more than 100 % is possible;\n\
         the peak, {:.0} GFLOP/s, is what one thread does in registers alone ({}).",
        peak / 1e9,
        simd.name()
    ));
}
