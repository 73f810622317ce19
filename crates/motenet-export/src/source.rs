//! What the writers of source text share: which models and names they take, and how a table looks.

use crate::{IntegerLayer, IntegerModel};
use motenet_quant::Requantize;
use std::fmt::Display;
use std::iter::once;
use thiserror::Error as ThisError;

/// The most numbers that go into or come out of a layer.
pub const SIZE_MAX: usize = 32_768;

/// The longest name, in characters: linkers of C99 need not look at more than 31, a suffix included.
pub const NAME_MAX: usize = 22;

/// Why a model cannot be written as source text. Layers and outputs count from 1 and 0, as in the text.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The name cannot be the beginning of an identifier in C, C++ and Rust.
    #[error(
        "the name {name:?} does not suit C: use 1 to {NAME_MAX} ASCII letters, digits and single underscores, a letter first, not `stdint`"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The model has no layer.
    #[error("the model has no layer, expected one or more: list a quantized network")]
    Empty,
    /// A layer has no inputs or outputs, or more than [`SIZE_MAX`].
    #[error("layer {layer} is {inputs}×{outputs}, expected 1 to {SIZE_MAX} of each: resize it")]
    Size {
        /// The layer, from 1.
        layer: usize,
        /// Its inputs.
        inputs: usize,
        /// Its outputs.
        outputs: usize,
    },
    /// A list of a layer is too short or too long.
    #[error("layer {layer} has {found} {list}, expected {expected}: make the list fit its sizes")]
    Length {
        /// The layer, from 1.
        layer: usize,
        /// What the list holds.
        list: &'static str,
        /// Its length.
        found: usize,
        /// The length that inputs and outputs ask for.
        expected: usize,
    },
    /// A layer does not take what the one before it gives.
    #[error("layer {layer} takes {found} inputs, but the one before it gives {expected}")]
    Joint {
        /// The layer, from 1.
        layer: usize,
        /// Its inputs.
        found: usize,
        /// The outputs of the layer before it.
        expected: usize,
    },
    /// A layer that others follow has no rule from its sums to activations.
    #[error("hidden layer {layer} has no requantize, expected one: put `QDenseRelu` there")]
    NoRequantize {
        /// The layer, from 1.
        layer: usize,
    },
    /// The last layer has rules, but its sums are the logits.
    #[error("the last layer, {layer}, has a requantize, expected none: put `QDense` there")]
    LastRequantize {
        /// The layer, from 1.
        layer: usize,
    },
    /// A rule is not one that [`Requantize::from_parts`] makes: it is all zero.
    #[error(
        "layer {layer}, output {output}: an empty requantize, expected a factor: quantize first"
    )]
    Rule {
        /// The layer, from 1.
        layer: usize,
        /// The output, from 0.
        output: usize,
    },
    /// Some input leads to a sum beyond 32 bits.
    #[error(
        "layer {layer}, output {output}: sums from {least} to {most}, expected 32 bits: use a smaller bias or fewer inputs"
    )]
    Sum {
        /// The layer, from 1.
        layer: usize,
        /// The output, from 0.
        output: usize,
        /// A bound of the sums from below.
        least: i64,
        /// A bound of the sums from above.
        most: i64,
    },
}

/// Whether a model can be written under a name, so that writers need no further look.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn check(model: &IntegerModel, name: &str) -> Result<(), Error> {
    check_name(name)?;
    if model.layers.is_empty() {
        return Err(Error::Empty);
    }
    let mut before = None;
    for (layer, it) in (1..).zip(&model.layers) {
        check_lengths(it, layer)?;
        if let Some(expected) = before
            && it.inputs != expected
        {
            return Err(Error::Joint { layer, found: it.inputs, expected });
        }
        before = Some(it.outputs);
        match (&it.requantize, layer == model.layers.len()) {
            (None, false) => return Err(Error::NoRequantize { layer }),
            (Some(_), true) => return Err(Error::LastRequantize { layer }),
            _ => {}
        }
        check_rules(it, layer)?;
        check_sums(it, layer)?;
    }
    Ok(())
}

/// Leading and doubled underscores are reserved, in C and in C++; `stdint.h` would include itself.
fn check_name(name: &str) -> Result<(), Error> {
    let letter_first = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let free = !name.contains("__") && !name.ends_with('_') && !name.eq_ignore_ascii_case("stdint");
    if letter_first && plain && free && name.len() <= NAME_MAX {
        return Ok(());
    }
    Err(Error::Name { name: name.to_owned() })
}

fn check_lengths(it: &IntegerLayer, layer: usize) -> Result<(), Error> {
    let (inputs, outputs) = (it.inputs, it.outputs);
    if !(1..=SIZE_MAX).contains(&inputs) || !(1..=SIZE_MAX).contains(&outputs) {
        return Err(Error::Size { layer, inputs, outputs });
    }
    let rules = it.requantize.as_ref().map_or(outputs, Vec::len);
    for (list, found, expected) in [
        ("weights", it.weights.len(), inputs * outputs),
        ("biases", it.bias.len(), outputs),
        ("requantize rules", rules, outputs),
    ] {
        if found != expected {
            return Err(Error::Length { layer, list, found, expected });
        }
    }
    Ok(())
}

fn check_rules(it: &IntegerLayer, layer: usize) -> Result<(), Error> {
    for (output, rule) in it.requantize.iter().flatten().enumerate() {
        let (limit, multiplier, drop, shift) = rule.parts();
        if Requantize::from_parts(limit, multiplier, drop, shift) != Some(*rule) {
            return Err(Error::Rule { layer, output });
        }
    }
    Ok(())
}

/// `bias + 255·Σ min(w, 0)` and `bias + 255·Σ max(w, 0)` enclose every sum, finished or not.
fn check_sums(it: &IntegerLayer, layer: usize) -> Result<(), Error> {
    let mut bounds: Vec<_> = it.bias.iter().map(|&b| (i64::from(b), i64::from(b))).collect();
    for row in it.weights.chunks_exact(it.outputs) {
        for ((least, most), &w) in bounds.iter_mut().zip(row) {
            *least += 255 * i64::from(w.min(0));
            *most += 255 * i64::from(w.max(0));
        }
    }
    for (output, (least, most)) in bounds.into_iter().enumerate() {
        if least < i64::from(i32::MIN) || most > i64::from(i32::MAX) {
            return Err(Error::Sum { layer, output, least, most });
        }
    }
    Ok(())
}

/// The sizes in a row, as in `784-64-10`.
pub(crate) fn shape(model: &IntegerModel) -> String {
    let first = model.layers.first().map_or(0, |layer| layer.inputs);
    let sizes = once(first).chain(model.layers.iter().map(|layer| layer.outputs));
    sizes.map(|size| size.to_string()).collect::<Vec<_>>().join("-")
}

/// Bytes of weights, biases and rules.
pub(crate) fn flash_bytes(model: &IntegerModel) -> usize {
    let bytes = |it: &IntegerLayer| {
        it.inputs * it.outputs + it.outputs * if it.requantize.is_some() { 12 } else { 4 }
    };
    model.layers.iter().map(bytes).sum()
}

/// Items with commas, in lines of at most 100 columns that begin with `indent`; ends with a line break.
pub(crate) fn table<T: Display>(items: impl IntoIterator<Item = T>, indent: &str) -> String {
    let mut text = String::new();
    let mut column = 0;
    for item in items {
        let item = format!("{item},");
        if column > 0 && column + 1 + item.len() <= 100 {
            text.push(' ');
            column += 1 + item.len();
        } else {
            if column > 0 {
                text.push('\n');
            }
            text.push_str(indent);
            column = indent.len() + item.len();
        }
        text.push_str(&item);
    }
    text.push('\n');
    text
}
