//! `host train --profile`: where the time went.

use crate::console::Console;
use motenet::Simd;
use motenet_models::Model;
use motenet_train::{Phase, Profile, peak_flops};
use std::time::Duration;

/// Prints a row for each phase, and for each layer in it: its time, its share, its speed, and what share of the peak
/// that is.
pub(crate) fn print<M: Model>(profile: &Profile, simd: Simd, console: &Console) {
    let peak = peak_flops(simd);
    let row = |name: &str, time: Duration, flops: u64| {
        let share = 100.0 * time.as_secs_f64() / profile.total().as_secs_f64().max(1e-9);
        let fast = (flops * profile.samples) as f64 / time.as_secs_f64().max(1e-9);
        let (fast, of_peak) = match flops {
            0 => (String::new(), String::new()),
            _ => (format!("{:.0}", fast / 1e9), format!("{:.0} %", 100.0 * fast / peak)),
        };
        let time = time.as_secs_f64();
        format!("{name:<20}{time:>9.3}{share:>8.1} %{fast:>11}{of_peak:>11}")
    };
    let mut layers = Vec::new();
    M::describe(&mut |layer| {
        layers.push(format!("  {} {}→{}", layer.name, layer.input_len, layer.output_len));
    });
    console.line("");
    console.line(console.dim(format_args!(
        "{:<20}{:>9}{:>10}{:>11}{:>11}",
        "phase, layer", "seconds", "share", "GFLOP/s", "of peak"
    )));
    for phase in Phase::ALL {
        let flops = phase.flops::<M>();
        console.line(row(phase.name(), profile.time(phase), flops.iter().sum()));
        if matches!(phase, Phase::Forward | Phase::Backward | Phase::Gradient) {
            for ((name, &time), flops) in layers.iter().zip(profile.layers(phase)).zip(flops) {
                console.line(console.dim(row(name, time, flops)));
            }
        }
    }
    let all = Phase::ALL.iter().flat_map(|phase| phase.flops::<M>()).sum();
    console.line(row("all", profile.total(), all));
    console.line(format_args!(
        "Summed over threads. Operations of zeros count as if they were done, so more than 100 % is possible;\n\
         the peak, {:.0} GFLOP/s, is what one thread does in registers alone ({}).",
        peak / 1e9,
        simd.name()
    ));
}
