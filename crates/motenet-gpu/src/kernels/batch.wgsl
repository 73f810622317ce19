// What every kernel knows of the batch it works on: one entry for each step of an epoch.
struct Batch {
    // The place of its first sample in the epoch's order.
    first: u32,
    rows: u32,
    // 1 / rows
    scale: f32,
    // The share of each label that is spread over all classes.
    smoothing: f32,
    // The learning rate; for Adam with its first correction.
    rate: f32,
    // Adam: 1 / √(1 − β₂ᵗ)
    root: f32,
    // AdamW: 1 − η·λ
    keep: f32,
}

@group(0) @binding(0) var<uniform> batch: Batch;
