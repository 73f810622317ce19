//! The class that a row of logits names.

/// The index of the largest element; the first one if several are equal, 0 for an empty row. Never
/// panics.
///
/// ```
/// assert_eq!(motenet_quant::argmax(&[3, -7, 9, 9]), 2);
/// ```
pub fn argmax(row: &[i32]) -> usize {
    let mut best = (0, i32::MIN);
    for (k, &value) in row.iter().enumerate() {
        if value > best.1 {
            best = (k, value);
        }
    }
    best.0
}
