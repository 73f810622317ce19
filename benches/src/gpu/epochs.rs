//! Epochs over width and batch, on every device in turn.

use super::contenders::{Contender, Devices, Epoch};
use super::models::{self, Visit};
use super::peer::Peer;
use motenet_data::Digits;
use motenet_models::Recipe;
use motenet_models::digits::DigitModel;
use std::convert::Infallible;

/// Timed epochs of a device last this long together, or there are [`MOST`] of them.
const MOMENT: f64 = 0.3;
const MOST: u32 = 30;

/// How fast one device trained.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// There is no such device.
    Skipped,
    /// What it said.
    Failed(String),
    Ran {
        /// The fastest epoch but the first.
        samples_per_second: f64,
        /// The last of as many epochs as every device trains.
        last: Epoch,
    },
}

/// One model at one batch size, the CPU's single thread first.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) shape: &'static str,
    pub(super) batch: u32,
    pub(super) devices: Vec<(String, Found)>,
}

impl Found {
    pub(super) fn speed(&self) -> Option<f64> {
        match self {
            Found::Ran { samples_per_second, .. } => Some(*samples_per_second),
            _ => None,
        }
    }
}

struct Measure<'a> {
    devices: &'a mut Devices,
    train: &'a Digits,
    batches: &'a [u32],
    epochs: u32,
    rows: Vec<Row>,
}

/// Trains every model with every batch size on every device, and prints the table as it grows.
pub(super) fn measure(
    devices: &mut Devices,
    train: &Digits,
    batches: &[u32],
    epochs: u32,
) -> Vec<Row> {
    let mut measure = Measure { devices, train, batches, epochs, rows: Vec::new() };
    print_header();
    let Ok(()) = models::each(&mut measure);
    print_where_it_pays(&measure.rows);
    measure.rows
}

impl Visit for Measure<'_> {
    type Error = Infallible;

    fn visit<M: DigitModel>(&mut self, shape: &'static str) -> Result<(), Infallible> {
        for &batch_size in self.batches {
            // The model's own rate is for its own batch; a small one converges with all.
            let recipe = Recipe { epochs: u32::MAX, batch_size, ..Recipe::PLAIN };
            let contenders = self.devices.contenders::<M>(shape, recipe, self.train);
            let samples = self.train.len();
            let devices = in_turn(contenders, self.devices.peer(), self.epochs, samples);
            let row = Row { shape, batch: batch_size, devices };
            print_row(&row);
            self.rows.push(row);
        }
        Ok(())
    }
}

/// An epoch of each, and again, until all have had enough.
fn in_turn(
    contenders: Vec<Contender<'_>>,
    peer: &mut Option<Peer>,
    epochs: u32,
    samples: usize,
) -> Vec<(String, Found)> {
    let run = |Contender { device, next }| {
        let (next, error) = match next {
            None => (None, None),
            Some(Ok(next)) => (Some(next), None),
            Some(Err(error)) => (None, Some(error)),
        };
        (device, next, error, Vec::<Epoch>::new())
    };
    let mut all: Vec<_> = contenders.into_iter().map(run).collect();
    loop {
        let mut idle = true;
        for (_, next, error, done) in &mut all {
            let count = done.len() as u32;
            let timed: f64 = done.iter().skip(1).map(|epoch| epoch.seconds).sum();
            let enough = count >= epochs && (timed >= MOMENT || count >= MOST);
            let Some(epoch) = next.as_mut().filter(|_| !enough) else { continue };
            idle = false;
            match epoch(peer) {
                Ok(epoch) => done.push(epoch),
                Err(said) => (*next, *error) = (None, Some(said)),
            }
        }
        if idle {
            break;
        }
    }
    let outcome = |(device, _, error, done): (String, _, Option<String>, Vec<Epoch>)| {
        let best = done.iter().skip(1).map(|epoch| epoch.seconds).fold(f64::INFINITY, f64::min);
        let found = match (error, done.get(epochs as usize - 1)) {
            (Some(error), _) => Found::Failed(error),
            (None, None) => Found::Skipped,
            (None, Some(&last)) => Found::Ran { samples_per_second: samples as f64 / best, last },
        };
        (device, found)
    };
    all.into_iter().map(outcome).collect()
}

/// How many failed.
pub(super) fn failures(rows: &[Row]) -> usize {
    let all = rows.iter().flat_map(|row| &row.devices);
    all.filter(|(_, found)| matches!(found, Found::Failed(_))).count()
}

fn print_header() {
    println!(
        "\nEpochs, plain gradient descent. Loss and accuracy are of the last epoch, against one thread's;\na peer begins with weights of its own and takes an order of its own."
    );
    println!(
        "{:<18}{:>6}  {:<18}{:>14}{:>9}{:>10}{:>8}",
        "model", "batch", "device", "samples/s", "times", "loss off", "points"
    );
}

fn print_row(Row { shape, batch, devices }: &Row) {
    let (mut model, mut size) = (*shape, batch.to_string());
    let base = match devices.first() {
        Some((_, Found::Ran { samples_per_second, last })) => Some((samples_per_second, last)),
        _ => None,
    };
    for (place, (device, found)) in devices.iter().enumerate() {
        print!("{model:<18}{size:>6}  {device:<18}");
        (model, size) = ("", String::new());
        match found {
            Found::Skipped => println!("{:>14}", "skipped"),
            Found::Failed(error) => println!("failed: {error}"),
            Found::Ran { samples_per_second, last } => {
                print!("{samples_per_second:>14.0}");
                match base {
                    Some((speed, expected)) => {
                        print!("{:>9}", times(samples_per_second / speed));
                        println!("{}", if place == 0 { "".into() } else { off(last, expected) });
                    }
                    None => println!(),
                }
            }
        }
    }
}

/// How far loss and accuracy are off.
fn off(found: &Epoch, expected: &Epoch) -> String {
    let loss = (found.loss / expected.loss - 1.0).abs();
    let loss = if loss == 0.0 { "0".into() } else { format!("{loss:.0e}") };
    match found.accuracy.zip(expected.accuracy) {
        Some((found, expected)) => format!("{loss:>10}{:>8.2}", 100.0 * (found - expected)),
        None => format!("{loss:>10}{:>8}", "-"),
    }
}

/// Says from which batch on the GPU is faster than the CPU.
fn print_where_it_pays(rows: &[Row]) {
    for of_shape in rows.chunk_by(|a, b| a.shape == b.shape) {
        print_where_it_pays_for(of_shape);
    }
}

/// A ratio, to two digits at least.
fn times(ratio: f64) -> String {
    let decimals = if ratio < 0.1 { 4 } else { 2 };
    format!("{ratio:.decimals$}")
}

/// Rows of one model, by batch size.
fn print_where_it_pays_for(rows: &[Row]) {
    let ratio = |row: &Row| {
        let on = |wanted: fn(&str) -> bool| {
            let found = row.devices.iter().filter(|(device, _)| wanted(device));
            found.filter_map(|(_, found)| found.speed()).reduce(f64::max)
        };
        Some(on(|device| device == "GPU")? / on(|device| device.starts_with("CPU"))?)
    };
    let Some(best) = rows.iter().filter_map(ratio).reduce(f64::max) else { return };
    let shape = rows[0].shape;
    match rows.iter().find(|row| ratio(row).is_some_and(|ratio| ratio > 1.0)) {
        Some(row) => {
            println!(
                "{shape}: the GPU pays from batches of {}, at best {} times",
                row.batch,
                times(best)
            );
        }
        None => {
            println!("{shape}: the GPU does not pay, at best {} times the CPU's speed", times(best))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::contenders::Next;
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn epochs_alternate_and_the_first_is_not_timed() {
        let asked = RefCell::new(String::new());
        let contender = |device: &'static str, seconds: [f64; 3]| {
            let (asked, mut count) = (&asked, 0);
            let next: Next<'_> = Box::new(move |_| {
                asked.borrow_mut().push_str(device);
                let epoch = Epoch { seconds: seconds[count], loss: count as f64, accuracy: None };
                count += 1;
                Ok(epoch)
            });
            Contender { device: device.into(), next: Some(Ok(next)) }
        };
        let broken: Next<'_> = Box::new(|_| Err("lost".into()));
        let all = vec![
            contender("a", [0.1, 2.0, 4.0]),
            Contender { device: "none".into(), next: None },
            Contender { device: "broken".into(), next: Some(Ok(broken)) },
            contender("b", [9.0, 0.1, 0.2]),
        ];
        let found = in_turn(all, &mut None, 2, 100);
        // One goes on until it was timed for long enough.
        assert_eq!(*asked.borrow(), "ababb");
        let speeds: Vec<_> = found.iter().map(|(_, found)| found.speed()).collect();
        assert_eq!(speeds, [Some(50.0), None, None, Some(1000.0)]);
        assert!(matches!(found[1].1, Found::Skipped));
        assert!(matches!(&found[2].1, Found::Failed(error) if error == "lost"));
        assert!(matches!(found[3].1, Found::Ran { last, .. } if last.loss == 1.0));
        let row = Row { shape: "a", batch: 64, devices: found };
        assert_eq!(failures(&[row]), 1);
    }
}
