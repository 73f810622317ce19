//! Learning-rate schedules: plain functions of the step, counted from 0.
//!
//! Shapes and names are PyTorch's. `f64` where a product of many factors is taken, own cosine
//! elsewhere, so every machine gets the same rates.

use crate::kernels::Portable;
use crate::math;

/// A schedule and its settings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Schedule {
    /// The same rate throughout.
    #[default]
    Constant,
    /// Multiplied by `factor` after every `every` steps.
    StepDecay {
        /// Steps between two changes.
        every: u32,
        /// What the rate is multiplied with.
        factor: f32,
    },
    /// Half a cosine from the full rate to 0.
    Cosine,
    /// Up in a straight line for `steps` steps, then half a cosine down to 0.
    WarmupCosine {
        /// Steps until the full rate is reached.
        steps: u32,
    },
    /// Up and down once over the whole run, ending near 0.
    OneCycle,
}

impl Schedule {
    /// The learning rate of step `step` of `steps`, when `peak` is the full rate. Never panics.
    pub fn learning_rate(self, peak: f32, step: u32, steps: u32) -> f32 {
        match self {
            Schedule::Constant => peak,
            Schedule::StepDecay { every, factor } => step_decay(peak, step, every, factor),
            Schedule::Cosine => cosine(peak, 0.0, step, steps),
            Schedule::WarmupCosine { steps: warm } if step < warm => warm_up(peak, step, warm),
            Schedule::WarmupCosine { steps: warm } => {
                cosine(peak, 0.0, step.saturating_sub(warm), steps.saturating_sub(warm))
            }
            Schedule::OneCycle => one_cycle(peak, step, steps),
        }
    }
}

/// `peak·factor^⌊step / every⌋` (PyTorch's `StepLR`). Never panics; `every = 0` never decays.
pub fn step_decay(peak: f32, step: u32, every: u32, factor: f32) -> f32 {
    let times = step.checked_div(every).unwrap_or(0);
    (f64::from(peak) * math::powi64(f64::from(factor), times)) as f32
}

/// `(step + 1) / steps · peak`, a straight line that reaches `peak` at step `steps − 1`. Never panics.
pub fn warm_up(peak: f32, step: u32, steps: u32) -> f32 {
    if step >= steps { peak } else { peak * ((step as f32 + 1.0) / steps as f32) }
}

/// `end + (start − end)·(1 + cos(π·step / steps))/2` (Loshchilov and Hutter, 2017; PyTorch's
/// `CosineAnnealingLR`); `end` from step `steps` on. Never panics.
pub fn cosine(start: f32, end: f32, step: u32, steps: u32) -> f32 {
    anneal(start, end, step as f32, steps as f32)
}

/// One cycle (Smith and Topin, 2019; PyTorch's `OneCycleLR` with its defaults): from `peak / 25` up to
/// `peak` over the first 30 % of the steps, then down to `peak / 250,000`, both along half a cosine.
/// Never panics.
pub fn one_cycle(peak: f32, step: u32, steps: u32) -> f32 {
    let start = peak / 25.0;
    let top = 0.3 * steps as f32 - 1.0;
    let last = steps as f32 - 1.0;
    let step = step as f32;
    if step <= top {
        anneal(start, peak, step, top)
    } else {
        anneal(peak, start / 1e4, step - top, last - top)
    }
}

/// Half a cosine from `start` (at 0) to `end` (at `length` and beyond).
fn anneal(start: f32, end: f32, at: f32, length: f32) -> f32 {
    if at >= length {
        return end;
    }
    end + (start - end) * 0.5 * (1.0 + math::cos_pi::<Portable>(at / length))
}
