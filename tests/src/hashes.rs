//! The runs whose hash is the same on every machine.

use crate::{digits, job};
use motenet::Simd;

/// One of the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// As [`Small`](Run::Small), but one sample a step: for machines as slow as Miri.
    Brief,
    /// [`mod@crate::job`] with [`job::SmallNet`], a sample at a time: for machines of 16 KiB of RAM and more.
    Small,
    /// [`mod@crate::job`], a sample at a time: 64 KiB.
    Job,
    /// [`mod@digits`], 1,000 steps of a network for digits: 128 KiB.
    Digits,
}

impl Run {
    /// All of them.
    pub const ALL: [Run; 4] = [Run::Brief, Run::Small, Run::Job, Run::Digits];

    /// As `cargo xtask hashes` names it.
    pub const fn name(self) -> &'static str {
        match self {
            Run::Brief => "brief",
            Run::Small => "small",
            Run::Job => "job",
            Run::Digits => "digits",
        }
    }

    /// The hash that it has.
    pub const fn expected(self) -> &'static str {
        match self {
            Run::Brief => job::BRIEF_HASH,
            Run::Small => job::SMALL_HASH,
            Run::Job => job::HASH,
            Run::Digits => digits::HASH,
        }
    }
}

/// Room for all the runs.
pub struct Workspace {
    small: SmallWorkspace,
    job: job::Workspace<1>,
    digits: digits::Workspace,
}

impl Workspace {
    /// What there is room for.
    pub const RUNS: &[Run] = &Run::ALL;

    /// All zeros: lies in `.bss`.
    pub const ZERO: Self = Workspace {
        small: SmallWorkspace::ZERO,
        job: job::Workspace::ZERO,
        digits: digits::Workspace::ZERO,
    };

    /// The hash of `run`. Never panics.
    pub fn hash(&mut self, run: Run, simd: Simd) -> Hex {
        match run {
            Run::Brief | Run::Small => self.small.hash(run, simd),
            Run::Job => Hex::of(job::run(plan(simd, &[1]), &mut self.job)),
            Run::Digits => Hex::of(digits::run(simd, &mut self.digits, |_| {})),
        }
    }
}

/// Room for [`Run::Brief`] and [`Run::Small`] alone.
pub struct SmallWorkspace(job::SmallWorkspace<1>);

impl SmallWorkspace {
    /// What there is room for.
    pub const RUNS: &[Run] = &[Run::Brief, Run::Small];

    /// All zeros: lies in `.bss`.
    pub const ZERO: Self = SmallWorkspace(job::SmallWorkspace::ZERO);

    /// The hash of `run`, which is one of [`RUNS`](Self::RUNS). Never panics.
    pub fn hash(&mut self, run: Run, simd: Simd) -> Hex {
        // A piece of none ends a batch.
        let pieces: &[usize] = if run == Run::Brief { &[1, 0] } else { &[1] };
        Hex::of(job::run(plan(simd, pieces), &mut self.0))
    }
}

fn plan(simd: Simd, pieces: &[usize]) -> job::Plan<'_> {
    job::Plan { simd, seed: 1, pieces, cuts: &[] }
}

/// A hash in 64 hexadecimal digits.
pub struct Hex([u8; 64]);

impl Hex {
    fn of(hash: [u8; 32]) -> Self {
        let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
        let mut hex = [0; 64];
        for (pair, byte) in hex.as_chunks_mut::<2>().0.iter_mut().zip(hash) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        Hex(hex)
    }

    /// As text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}
