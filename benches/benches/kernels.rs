//! The three products of a dense layer, beside what the machine can do at best.
//!
//! Criterion keeps the history of each. The table at the end is measured anew, all contenders of a row in
//! turn with the peak itself, and goes as JSON to `target/tmp/kernels.json`. With `--features peers` it
//! has the same products by other crates.
//!
//! Two operations a multiply-add; terms that are zero count, and where digits have them the rate may so
//! exceed the peak.

use criterion::{Criterion, Throughput};
use motenet::Simd;
use motenet_benches::interleave::{Contender, Spread, rates};
use motenet_benches::peak::{Memory, multiply_adds};
use motenet_benches::products::{self, Operands, Product};
use serde_json::{Value, json};
use std::time::Duration;

const ROUNDS: usize = 41;
const MOMENT: Duration = Duration::from_micros(1500);

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .nresamples(10_000)
        .configure_from_args();
    kernels(&mut criterion);
    criterion.final_summary();
    // `cargo test` and a filter want no table.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().all(|argument| argument == "--bench") && !arguments.is_empty() {
        table();
    }
}

fn kernels(criterion: &mut Criterion) {
    for product in products::all() {
        let mut group = criterion.benchmark_group(product.name);
        group.throughput(Throughput::Elements(product.flops as u64));
        let mut operands = (product.operands)();
        for simd in levels(&product) {
            group.bench_function(simd.name(), |bencher| {
                bencher.iter(|| (product.run)(&mut operands, simd));
            });
        }
    }
}

/// From the best down.
fn levels(product: &Product) -> Vec<Simd> {
    let mut levels: Vec<Simd> = Simd::available()
        .filter(|&simd| simd == Simd::detect() || simd != Simd::baseline() || !product.large)
        .collect();
    levels.reverse();
    levels
}

fn table() {
    let rows: Vec<Value> = products::all().iter().map(row).collect();
    let (loads, clock) = (loads(), clock(&rows));
    let report = json!({ "rows": rows, "loads": loads, "clock_ghz": clock });
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels.json");
    if let Err(error) = std::fs::write(&file, format!("{report:#}\n")) {
        eprintln!("could not write {}: {error}", file.display());
    }
    print(&report);
}

/// All contenders of a product, and the peak of each level, in turn.
fn row(product: &Product) -> Value {
    let levels = levels(product);
    let mut operands = (product.operands)();
    let mut contenders: Vec<Contender<'_, Operands>> = Vec::new();
    for &simd in &levels {
        let run = move |operands: &mut Operands| (product.run)(operands, simd);
        contenders.push(Contender::new(simd.name(), product.flops, run));
    }
    #[cfg(feature = "peers")]
    for (name, run) in motenet_benches::peers::all(product) {
        if !product.sparse {
            contenders.push(Contender::new(name, product.flops, run));
        }
    }
    let own = contenders.len();
    for &simd in &levels {
        let peak = move |_: &mut Operands| {
            multiply_adds(simd);
        };
        contenders.push(Contender::new(simd.name(), multiply_adds(simd), peak));
    }
    let rounds = if product.flops > 1e9 { ROUNDS / 3 } else { ROUNDS };
    let rates = rates(&mut contenders, &mut operands, rounds, MOMENT);
    let (contenders, peaks) = (&contenders[..own], &rates[own..]);
    let contenders: Vec<Value> = contenders
        .iter()
        .zip(&rates)
        .enumerate()
        .map(|(k, (contender, rates))| {
            // Ours against the peak of its level; others may use the widest.
            let peak = peaks.get(k).unwrap_or(&peaks[0]);
            // A neighbour on the core only ever slows down, so the better rounds of both are compared.
            let better = |rates: &[f64]| Spread::of(rates.iter().copied()).high;
            let share = better(rates) / better(peak);
            let rate = Spread::of(rates.iter().map(|rate| rate / 1e9));
            let measurable = !product.sparse && contender.name != Simd::baseline().name();
            json!({
                "name": contender.name,
                "peer": k >= levels.len(),
                "gflops": spread(rate),
                "share": measurable.then_some(share),
            })
        })
        .collect();
    let peaks: Vec<Value> = levels
        .iter()
        .zip(peaks)
        .map(|(simd, rates)| {
            let rate = Spread::of(rates.iter().map(|rate| rate / 1e9));
            json!({ "name": simd.name(), "gflops": spread(rate) })
        })
        .collect();
    json!({ "name": product.name, "flops": product.flops, "contenders": contenders, "peaks": peaks })
}

fn spread(spread: Spread) -> Value {
    json!([spread.low, spread.median, spread.high])
}

/// The clock, if the core finishes two multiply-adds of its widest vectors a cycle.
fn clock(rows: &[Value]) -> Option<f64> {
    let lanes = match Simd::detect().name() {
        "avx512" => 16.0,
        "avx2" => 8.0,
        _ => return None,
    };
    let peaks = rows.iter().filter_map(|row| row["peaks"][0]["gflops"][1].as_f64());
    Some(Spread::of(peaks).median / (2.0 * 2.0 * lanes))
}

/// Gigabytes a second from memory of several sizes.
fn loads() -> Vec<Value> {
    let sizes =
        [("16 KiB", 16 << 10), ("256 KiB", 256 << 10), ("4 MiB", 4 << 20), ("256 MiB", 256 << 20)];
    let simd = Simd::detect();
    let load = |&(name, bytes): &(&str, usize)| {
        let mut memory = Memory::new(bytes);
        let work = memory.bytes() as f64;
        let read = move |memory: &mut Memory| memory.read(simd);
        let mut contenders = [Contender::new(name, work, read)];
        let rates = rates(&mut contenders, &mut memory, ROUNDS / 2, MOMENT);
        let rate = Spread::of(rates[0].iter().map(|rate| rate / 1e9));
        json!({ "name": name, "gigabytes_per_second": spread(rate) })
    };
    sizes.iter().map(load).collect()
}

fn print(report: &Value) {
    let median = |value: &Value| value[1].as_f64();
    println!(
        "\nGFLOP/s (medians of {ROUNDS} rounds), and the share of the peak in turn (upper quartiles)\n"
    );
    for row in report["rows"].as_array().into_iter().flatten() {
        println!("{}", row["name"].as_str().unwrap_or_default());
        for contender in row["contenders"].as_array().into_iter().flatten() {
            let share = contender["share"].as_f64().map(|share| format!("{:5.0} %", 100.0 * share));
            println!(
                "    {:<16}{:>8.1}{}",
                contender["name"].as_str().unwrap_or_default(),
                median(&contender["gflops"]).unwrap_or(f64::NAN),
                share.unwrap_or_default()
            );
        }
        let peak = &row["peaks"][0];
        let rate = median(&peak["gflops"]).unwrap_or(f64::NAN);
        println!(
            "    {:<16}{rate:>8.1}",
            format!("peak, {}", peak["name"].as_str().unwrap_or_default())
        );
    }
    if let Some(clock) = report["clock_ghz"].as_f64() {
        println!("\nthat peak is two multiply-adds a cycle at {clock:.2} GHz");
    }
    println!("\nloads, GB/s");
    for load in report["loads"].as_array().into_iter().flatten() {
        let rate = median(&load["gigabytes_per_second"]).unwrap_or(f64::NAN);
        println!("    {:<16}{rate:>8.1}", load["name"].as_str().unwrap_or_default());
    }
}
