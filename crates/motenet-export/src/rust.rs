//! An integer network as Rust: constant data of a type, for `include!` in a program that depends on
//! `motenet` and `motenet-quant` alone.

pub use crate::source::Error;
use crate::source::{check, flash_bytes, shape, table};
use crate::{IntegerLayer, IntegerModel};

/// The text of a file with `pub type Network`, its layers in order, `pub static MODEL: Network`, `pub static
/// SOFTMAX: Softmax` and `pub const MODEL_NAME: &str`.
///
/// All paths in it are whole, so that it brings nothing else into scope; two networks go into two modules.
/// What could overflow does not compile. Never panics.
///
/// # Errors
/// [`Error`] if the name does not suit, or the model's lists do not fit each other, or some input could
/// lead to a sum beyond 32 bits.
///
/// # Memory
/// Of the program: what `Footprint` says of `Network`, all of it in flash.
///
/// ```
/// use motenet_export::{IntegerLayer, IntegerModel, rust};
/// let layer = IntegerLayer { inputs: 2, outputs: 1, weights: vec![2, -3], bias: vec![100], requantize: None };
/// let softmax = motenet_quant::Softmax::new(0.001).unwrap();
/// let text = rust::write(&IntegerModel { layers: vec![layer], softmax }, "net").unwrap();
/// assert!(text.contains("pub type Network = motenet::Seq![motenet_quant::QDense<2, 1>];"));
/// assert!(text.contains("pub static MODEL: Network"));
/// ```
pub fn write(model: &IntegerModel, name: &str) -> Result<String, Error> {
    check(model, name)?;
    let shape = shape(model);
    let mut text = format!(
        "// {name}: a neural network of integers, {shape}, {} bytes. Written by motenet: change the model, not\n\
         // this. In a module of its own: `include!(\"{name}.rs\");`\n\n",
        flash_bytes(model)
    );
    let types = match &model.layers[..] {
        [layer] => layer_type(layer),
        layers => {
            layers.iter().map(|layer| format!("\n    {},", layer_type(layer))).collect::<String>()
                + "\n"
        }
    };
    text.push_str(&format!(
        "/// What the model is called.\n\
         pub const MODEL_NAME: &str = \"{name}\";\n\n\
         /// The layers of [`MODEL`], in order.\n\
         pub type Network = motenet::Seq![{types}];\n\n"
    ));
    text.push_str(
        "/// The network's weights, biases and scales.\n\
         #[rustfmt::skip]\n\
         #[allow(long_running_const_eval)] // the compiler arranges the weights for the target's kernel\n\
         pub static MODEL: Network = ",
    );
    // `Chain(a, Chain(b, c))`: every layer but the last opens one, and the end closes them all.
    for (n, layer) in (1..).zip(&model.layers) {
        let (inputs, outputs) = (layer.inputs, layer.outputs);
        let last = n == model.layers.len();
        text.push_str(match (last, n) {
            (true, _) => "",
            (false, 1) => "motenet::Chain(",
            (false, _) => " motenet::Chain(",
        });
        text.push_str(&format!(
            "\n    // Layer {n}: {inputs} inputs, {outputs} outputs; one row of weights an input.\n    {}",
            value(layer)
        ));
        text.push_str(if last { "\n" } else { "," });
    }
    text.push_str(&")".repeat(model.layers.len() - 1));
    text.push_str(";\n");
    let (limit, multiplier, drop, shift) = model.softmax.parts();
    text.push_str(&SOFTMAX.replace("$parts", &format!("{limit}, {multiplier}, {drop}, {shift}")));
    if model.layers.len() > 1 {
        text.push_str(RULE);
    }
    Ok(text)
}

fn layer_type(layer: &IntegerLayer) -> String {
    let name = if layer.requantize.is_some() { "QDenseRelu" } else { "QDense" };
    format!("motenet_quant::{name}<{}, {}>", layer.inputs, layer.outputs)
}

/// The expression of one layer.
fn value(layer: &IntegerLayer) -> String {
    let Some(rules) = &layer.requantize else { return dense(layer, "    ") };
    let rules = rules.iter().map(|rule| {
        let (limit, multiplier, drop, shift) = rule.parts();
        format!("rule({limit}, {multiplier}, {drop}, {shift})")
    });
    format!(
        "motenet_quant::QDenseRelu {{\n        dense: {},\n        requantize: [\n{}        ],\n    }}",
        dense(layer, "        "),
        table(rules, "            ")
    )
}

/// The expression of weights and bias, whose first line is indented by `pad` already.
fn dense(layer: &IntegerLayer, pad: &str) -> String {
    let inner = format!("{pad}        ");
    let mut text = format!("motenet_quant::QDense::new(\n{pad}    &[\n");
    for row in layer.weights.chunks_exact(layer.outputs) {
        let row = table(row, &inner);
        text.push_str(&format!("{inner}[{}],\n", row.trim().trim_end_matches(',')));
    }
    let bias = table(&layer.bias, &inner);
    text.push_str(&format!("{pad}    ],\n{pad}    [\n{bias}{pad}    ],\n{pad})"));
    text
}

const RULE: &str = r#"
/// A rule by its limit, multiplier, drop and shift.
const fn rule(limit: u32, multiplier: u16, drop: u8, shift: u8) -> motenet_quant::Requantize {
    match motenet_quant::Requantize::from_parts(limit, multiplier, drop, shift) {
        Some(rule) => rule,
        None => panic!("a rule that can overflow: write this file anew"),
    }
}
"#;

const SOFTMAX: &str = r#"
/// From logits to how sure they are.
pub static SOFTMAX: motenet_quant::Softmax =
    match motenet_quant::Softmax::from_parts($parts) {
        Some(softmax) => softmax,
        None => panic!("numbers that can overflow: write this file anew"),
    };
"#;
