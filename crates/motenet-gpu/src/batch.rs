//! What the kernels know of a batch and of the optimizer.

use motenet::math::{powi64, sqrt};
use motenet::{AnyOptimizer, Step};

/// Bytes of a [`Batch`].
pub(crate) const BATCH_BYTES: u64 = 32;

/// What the kernels know of one batch; `batch.wgsl` says what each field means.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Batch {
    pub(crate) first: u32,
    pub(crate) rows: u32,
    scale: f32,
    pub(crate) smoothing: f32,
    pub(crate) rate: f32,
    pub(crate) root: f32,
    pub(crate) keep: f32,
}

impl Batch {
    /// A batch that is only looked at.
    pub(crate) fn to_evaluate(first: usize, rows: usize) -> Self {
        let (first, rows) = (first as u32, rows as u32);
        let scale = 1.0 / rows.max(1) as f32;
        Batch { first, rows, scale, smoothing: 0.0, rate: 0.0, root: 1.0, keep: 1.0 }
    }

    /// A batch that the optimizer takes `step` on. What Adam corrects by is computed in `f64`, as in the core.
    pub(crate) fn to_train(
        first: usize,
        rows: usize,
        smoothing: f32,
        optimizer: &AnyOptimizer,
        step: Step,
    ) -> Self {
        let mut batch = Self::to_evaluate(first, rows);
        (batch.smoothing, batch.rate) = (smoothing, step.learning_rate);
        if let AnyOptimizer::Adam(rule) = optimizer {
            let correction = |beta: f32| 1.0 - powi64(f64::from(beta), step.number);
            batch.rate = (f64::from(step.learning_rate) / correction(rule.beta_1)) as f32;
            batch.root = sqrt((1.0 / correction(rule.beta_2)) as f32);
            if rule.decoupled {
                batch.keep = 1.0 - step.learning_rate * rule.weight_decay;
            }
        }
        batch
    }

    pub(crate) fn bytes(self) -> [u8; BATCH_BYTES as usize] {
        let words = [
            self.first,
            self.rows,
            self.scale.to_bits(),
            self.smoothing.to_bits(),
            self.rate.to_bits(),
            self.root.to_bits(),
            self.keep.to_bits(),
            0,
        ];
        let mut bytes = [0; BATCH_BYTES as usize];
        for (bytes, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
        bytes
    }
}

/// An optimizer as the kernel `update` takes it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Rule {
    /// 0 plain descent, 1 momentum, 2 Nesterov's, 3 Adam
    pub(crate) kind: u32,
    /// The weight decay, unless it is decoupled.
    pub(crate) penalty: f32,
    pub(crate) mu: f32,
    pub(crate) beta_1: f32,
    pub(crate) beta_2: f32,
    pub(crate) epsilon: f32,
}

impl Rule {
    pub(crate) fn of(optimizer: &AnyOptimizer) -> Self {
        let none = Rule { kind: 0, penalty: 0.0, mu: 0.0, beta_1: 0.0, beta_2: 0.0, epsilon: 0.0 };
        match *optimizer {
            AnyOptimizer::Sgd(rule) => {
                let kind = match (rule.momentum, rule.nesterov) {
                    (0.0, _) => 0,
                    (_, false) => 1,
                    (_, true) => 2,
                };
                Rule { kind, penalty: rule.weight_decay, mu: rule.momentum, ..none }
            }
            AnyOptimizer::Adam(rule) => {
                let penalty = if rule.decoupled { 0.0 } else { rule.weight_decay };
                let (beta_1, beta_2, epsilon) = (rule.beta_1, rule.beta_2, rule.epsilon);
                Rule { kind: 3, penalty, beta_1, beta_2, epsilon, ..none }
            }
        }
    }
}
