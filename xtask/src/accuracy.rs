//! `cargo xtask accuracy`: a model trained from several seeds, for a mean and a deviation.

use crate::cargo;
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;
use std::process::Stdio;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The model to train.
    #[arg(long, default_value = "mlp")]
    model: String,
    /// How many seeds, counted from 1.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Handed on to `host train`, after `--`.
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    println!("{:>4} {:>10} {:>8} {:>8}  weights", "seed", "validation", "test", "ms/epoch");
    let (mut validation, mut test) = (Vec::new(), Vec::new());
    for seed in 1..=arguments.seeds {
        let report = train(arguments, seed)?;
        let percent = |key: &str| report[key].as_f64().map(|share| 100.0 * share);
        let text = |share: Option<f64>| share.map_or("-".into(), |share| format!("{share:.2}"));
        println!(
            "{seed:>4} {:>10} {:>8} {:>8.1}  {}",
            text(percent("validation_accuracy")),
            text(percent("test_accuracy")),
            1e3 * report["seconds_per_epoch"].as_f64().unwrap_or(f64::NAN),
            report["weights_sha256"].as_str().unwrap_or("-"),
        );
        validation.extend(percent("validation_accuracy"));
        test.extend(percent("test_accuracy"));
    }
    for (name, values) in [("validation", validation), ("test", test)] {
        if let Some((mean, deviation)) = moments(&values) {
            println!("{name}: mean {mean:.3} %, sd {deviation:.3}, n = {}", values.len());
        }
    }
    Ok(())
}

fn train(arguments: &Arguments, seed: u64) -> Result<Value> {
    let output = cargo()
        .args(["run", "--quiet", "--package", "host", "--", "train", "--json", "--no-save"])
        .args(["--model", &arguments.model, "--seed", &seed.to_string()])
        .args(&arguments.arguments)
        .stderr(Stdio::piped())
        .output()
        .context("could not start cargo")?;
    if !output.status.success() {
        bail!("training failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    let line = stdout.lines().last().context("the training run printed nothing")?;
    serde_json::from_str(line).with_context(|| format!("not a report: {line}"))
}

/// Mean and sample deviation.
fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (!values.is_empty()).then(|| (mean, (squares / (count - 1.0).max(1.0)).sqrt()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn moments_of_known_numbers() {
        assert_eq!(super::moments(&[1.0, 2.0, 3.0]), Some((2.0, 1.0)));
        assert_eq!(super::moments(&[5.0]), Some((5.0, 0.0)));
        assert_eq!(super::moments(&[]), None);
    }
}
