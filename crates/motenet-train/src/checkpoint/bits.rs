//! A position whose sum of losses is written as its bits: JSON has no NaN, and a run that diverged must be readable too.

use crate::Position;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bits {
    epoch: u32,
    step: u32,
    loss_sum_bits: u64,
    right: u64,
}

pub(super) fn serialize<S: Serializer>(position: &Position, to: S) -> Result<S::Ok, S::Error> {
    let Position { epoch, step, loss_sum, right } = *position;
    Bits { epoch, step, loss_sum_bits: loss_sum.to_bits(), right }.serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Position, D::Error> {
    let Bits { epoch, step, loss_sum_bits, right } = Bits::deserialize(from)?;
    Ok(Position { epoch, step, loss_sum: f64::from_bits(loss_sum_bits), right })
}
