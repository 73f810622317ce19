//! Contenders measured in turn: A B C A B C …, each for a moment.
//!
//! A machine that is shared changes its speed from one second to the next. Within a round it hardly
//! does, so ratios are taken round by round, and the median of the ratios is what counts.

use std::time::{Duration, Instant};

/// One way of doing a job.
pub struct Contender<'a, T> {
    /// What it is called.
    pub name: String,
    /// What a call does: floating-point operations, or bytes.
    pub work: f64,
    /// The job.
    pub run: Box<dyn FnMut(&mut T) + 'a>,
}

impl<'a, T> Contender<'a, T> {
    /// A contender whose call does `work` operations (or bytes).
    pub fn new(name: impl Into<String>, work: f64, run: impl FnMut(&mut T) + 'a) -> Self {
        Contender { name: name.into(), work, run: Box::new(run) }
    }
}

/// Median and quartiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// A quarter of the values lie below.
    pub low: f64,
    /// Half of them.
    pub median: f64,
    /// Three quarters of them.
    pub high: f64,
}

impl Spread {
    /// Of any values; all NaN if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = share * values.len().saturating_sub(1) as f64;
            let (below, above) =
                (values.get(place.floor() as usize), values.get(place.ceil() as usize));
            let (below, above) =
                (below.copied().unwrap_or(f64::NAN), above.copied().unwrap_or(f64::NAN));
            below + (above - below) * place.fract()
        };
        Spread { low: at(0.25), median: at(0.5), high: at(0.75) }
    }
}

/// Work a second of each contender in each round: `[contender][round]`.
///
/// Each is called as often as fills `moment`, or once if a call takes longer.
pub fn rates<T>(
    contenders: &mut [Contender<'_, T>],
    state: &mut T,
    rounds: usize,
    moment: Duration,
) -> Vec<Vec<f64>> {
    let calls: Vec<u32> = contenders.iter_mut().map(|c| calls_in(c, state, moment)).collect();
    let mut rates = vec![Vec::with_capacity(rounds); contenders.len()];
    for _ in 0..rounds {
        for ((contender, &calls), rates) in contenders.iter_mut().zip(&calls).zip(&mut rates) {
            let seconds = time(contender, state, calls).as_secs_f64();
            rates.push(f64::from(calls) * contender.work / seconds);
        }
    }
    rates
}

fn time<T>(contender: &mut Contender<'_, T>, state: &mut T, calls: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        (contender.run)(state);
    }
    start.elapsed()
}

fn calls_in<T>(contender: &mut Contender<'_, T>, state: &mut T, moment: Duration) -> u32 {
    let mut calls = 1;
    while time(contender, state, calls) < moment / 2 && calls < 1 << 20 {
        calls *= 2;
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_of_five_and_of_four() {
        let five = Spread::of([5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(five, Spread { low: 2.0, median: 3.0, high: 4.0 });
        assert_eq!(Spread::of([1.0, 2.0, 3.0, 4.0]).median, 2.5);
        assert!(Spread::of([]).median.is_nan());
    }

    #[test]
    fn every_contender_meets_every_round() {
        let mut contenders =
            [1, 2].map(|by| Contender::new("", 1.0, move |sum: &mut u64| *sum += by)).into_iter();
        let mut contenders = [contenders.next().unwrap(), contenders.next().unwrap()];
        let mut sum = 0;
        let rates = rates(&mut contenders, &mut sum, 7, Duration::ZERO);
        assert!(rates.iter().all(|rates| rates.len() == 7 && rates.iter().all(|&rate| rate > 0.0)));
        // One call each to find out how many fill no time, then seven rounds of one.
        assert_eq!(sum, 3 + 7 * 3);
    }
}
