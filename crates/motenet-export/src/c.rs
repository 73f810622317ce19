//! An integer network as C: one header and one C99 file that need nothing but `<stdint.h>`.
//!
//! The text computes what [`motenet_quant`] computes, bit for bit: exact 32-bit sums, and
//! [`Requantize::apply`](motenet_quant::Requantize::apply) from sums to activations. There is no float,
//! no allocation, no recursion, no call of a library and no behaviour that C leaves undefined.

pub use crate::source::Error;
use crate::source::{check, flash_bytes, shape, table};
use crate::{IntegerLayer, IntegerModel};
use motenet_quant::Softmax;

/// The two files of a network; pure ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// The text of `NAME.h`: sizes and two functions, for C and C++.
    pub header: String,
    /// The text of `NAME.c`: weights and arithmetic; a C++ compiler takes it as well.
    pub source: String,
}

/// `NAME.h` and `NAME.c`, with `NAME_INPUTS`, `NAME_CLASSES`, `name_logits`, `name_classify` and
/// `name_confidence`.
///
/// Weights are input-major, so that an input of zero skips one row. Never panics.
///
/// # Errors
/// [`Error`] if the name does not suit C, or the model's lists do not fit each other, or some input could
/// lead to a sum beyond 32 bits.
///
/// # Accuracy
/// Bit-exact across targets, and equal to the Rust engine.
///
/// # Memory
/// Of the C program: `Σ (IN·OUT + 12·OUT)` bytes of constants, the last layer `8·OUT` fewer, and
/// `5·max OUT` bytes of stack over the hidden layers, 4 a class more in `name_classify`.
///
/// ```
/// use motenet_export::{IntegerLayer, IntegerModel, c};
/// use motenet_quant::Softmax;
/// let layer = IntegerLayer { inputs: 2, outputs: 1, weights: vec![2, -3], bias: vec![100], requantize: None };
/// let softmax = Softmax::new(0.001).unwrap();
/// let net = c::write(&IntegerModel { layers: vec![layer], softmax }, "net").unwrap();
/// assert!(net.header.contains("#define NET_INPUTS 2"));
/// assert!(net.source.contains("    -3,"));
/// ```
pub fn write(model: &IntegerModel, name: &str) -> Result<Sources, Error> {
    check(model, name)?;
    Ok(Sources { header: header(model, name), source: source(model, name) })
}

/// The widest hidden layer; 0 if there is none.
fn hidden_max(model: &IntegerModel) -> usize {
    let hidden = model.layers.iter().filter(|layer| layer.requantize.is_some());
    hidden.map(|layer| layer.outputs).max().unwrap_or(0)
}

fn header(model: &IntegerModel, name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    let inputs = model.layers.first().map_or(0, |layer| layer.inputs);
    let classes = model.layers.last().map_or(0, |layer| layer.outputs);
    let (shape, flash) = (shape(model), flash_bytes(model));
    let stack = 5 * hidden_max(model);
    let stack_classify = stack + 4 * classes;
    format!(
        r#"/* {name}: a neural network of integers, {shape}. Written by motenet: change the model, not this.
 *
 * Compile {name}.c along with your program, as C99 or C++11; it needs <stdint.h> alone. Then
 *
 *     uint8_t input[{upper}_INPUTS];
 *     ... fill it: 0 to 255 each, as in training ...
 *     int found = {name}_classify(input);
 *
 * Flash: {flash} bytes of constants, and the code.
 * Stack: {stack} bytes in {name}_logits, {stack_classify} in {name}_classify, and what calls take.
 * No other memory: no heap, nothing that changes between calls, so any thread may call.
 * Where constants are copied to RAM (AVR, for one) they take RAM too.
 */
#ifndef {upper}_H
#define {upper}_H

#include <stdint.h>

#define {upper}_INPUTS {inputs}
#define {upper}_CLASSES {classes}

#ifdef __cplusplus
extern "C" {{
#endif

/* Reads {upper}_INPUTS numbers and writes {upper}_CLASSES: the larger, the likelier. */
void {name}_logits(const uint8_t *input, int32_t *logits);

/* The class with the largest logit, from 0; the first one if several are equal. */
int {name}_classify(const uint8_t *input);

/* How sure it is of the class with the largest logit, in 65536ths: 65535 means certain. */
uint16_t {name}_confidence(const int32_t *logits);

#ifdef __cplusplus
}}
#endif

#endif
"#
    )
}

fn source(model: &IntegerModel, name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    let mut text = format!(
        "/* {name}: a neural network of integers, {}. {name}.h says how to use it. Written by motenet.\n\
         \x20*\n\
         \x20* sum[o] = bias[o] + x[0]*w[0][o] + x[1]*w[1][o] + ...; the last layer's sums are the logits.\n\
         \x20* Every sum fits 32 bits whatever the input: that was checked when this was written.\n\
         \x20*/\n\
         #include \"{name}.h\"\n\n",
        shape(model)
    );
    let hidden = hidden_max(model);
    if hidden > 0 {
        text.push_str(RULE);
    }
    for (n, layer) in (1..).zip(&model.layers) {
        text.push_str(&constants(layer, n));
    }
    text.push_str(SUMS);
    if hidden > 0 {
        text.push_str(ACTIVATE);
    }
    text.push_str(&format!("void {name}_logits(const uint8_t *input, int32_t *logits)\n{{\n"));
    if hidden > 0 {
        text.push_str(&format!("    int32_t sum[{hidden}];\n    uint8_t hidden[{hidden}];\n\n"));
    }
    for (n, layer) in (1..).zip(&model.layers) {
        let x = if n == 1 { "input" } else { "hidden" };
        let y = if layer.requantize.is_some() { "sum" } else { "logits" };
        let (inputs, outputs) = (layer.inputs, layer.outputs);
        text.push_str(&format!(
            "    sums({x}, {inputs}, weights_{n}, bias_{n}, {outputs}, {y});\n"
        ));
        if layer.requantize.is_some() {
            text.push_str(&format!("    activate(sum, rules_{n}, {outputs}, hidden);\n"));
        }
    }
    text.push_str("}\n\n");
    text.push_str(&CLASSIFY.replace("$UPPER", &upper).replace("$name", name));
    let (limit, multiplier, drop, shift) = model.softmax.parts();
    let numbers = [limit, multiplier.into(), drop.into(), shift.into()];
    let mut confidence = CONFIDENCE
        .replace("$UPPER", &upper)
        .replace("$name", name)
        .replace("$powers", table(Softmax::POWERS, "    ").trim_end());
    for (word, number) in ["$limit", "$multiplier", "$drop", "$shift"].iter().zip(numbers) {
        confidence = confidence.replace(word, &number.to_string());
    }
    text.push_str(&confidence);
    text
}

/// The tables of one layer.
fn constants(layer: &IntegerLayer, n: usize) -> String {
    let (inputs, outputs) = (layer.inputs, layer.outputs);
    let mut text = format!(
        "/* Layer {n}: {inputs} inputs, {outputs} outputs; the weights of input 0 to every output, of input 1, ... */\n\
         static const int8_t weights_{n}[{}] = {{\n",
        inputs * outputs
    );
    for row in layer.weights.chunks_exact(outputs) {
        text.push_str(&table(row, "    "));
    }
    text.push_str(&format!("}};\n\nstatic const int32_t bias_{n}[{outputs}] = {{\n"));
    text.push_str(&table(layer.bias.iter().map(|&bias| literal(bias)), "    "));
    text.push_str("};\n\n");
    if let Some(rules) = &layer.requantize {
        text.push_str(&format!("static const struct rule rules_{n}[{outputs}] = {{\n"));
        let rules = rules.iter().map(|rule| {
            let (limit, multiplier, drop, shift) = rule.parts();
            format!("{{{limit}u, {multiplier}u, {drop}, {shift}}}")
        });
        text.push_str(&table(rules, "    "));
        text.push_str("};\n\n");
    }
    text
}

/// C has no negative literals: the least number as typed would be a wider one, negated.
fn literal(bias: i32) -> String {
    if bias == i32::MIN { "(-2147483647 - 1)".to_owned() } else { bias.to_string() }
}

const RULE: &str = "\
/* How a sum becomes an activation from 0 to 255: about sum * multiplier * 2^drop / 2^shift. */
struct rule {
    uint32_t limit; /* from here on the activation is 255 */
    uint16_t multiplier;
    uint8_t drop;
    uint8_t shift;
};

";

const SUMS: &str = "\
/* y = bias + x * weights. An input of zero adds nothing, so its row is skipped. */
static void sums(const uint8_t *x, uint32_t inputs, const int8_t *weights, const int32_t *bias,
                 uint32_t outputs, int32_t *y)
{
    uint32_t i, o;

    for (o = 0; o < outputs; o++) {
        y[o] = bias[o];
    }
    for (i = 0; i < inputs; i++) {
        const int32_t value = x[i];
        const int8_t *row = weights + i * outputs;

        if (value == 0) {
            continue;
        }
        for (o = 0; o < outputs; o++) {
            y[o] += value * row[o];
        }
    }
}

";

const ACTIVATE: &str = "\
/* Rectified, scaled, rounded (halves up), saturated. The product fits 32 bits: that was checked too. */
static void activate(const int32_t *sum, const struct rule *rules, uint32_t outputs, uint8_t *y)
{
    uint32_t o;

    for (o = 0; o < outputs; o++) {
        const struct rule rule = rules[o];
        const uint32_t half = ((uint32_t)1 << rule.shift) >> 1;
        uint32_t t = sum[o] > 0 ? (uint32_t)sum[o] : 0;

        if (t > rule.limit) {
            t = rule.limit;
        }
        t = ((t >> rule.drop) * (uint32_t)rule.multiplier + half) >> rule.shift;
        y[o] = (uint8_t)(t > 255 ? 255 : t);
    }
}

";

const CLASSIFY: &str = "\
int $name_classify(const uint8_t *input)
{
    int32_t logits[$UPPER_CLASSES];
    uint32_t best = 0, k;

    $name_logits(input, logits);
    for (k = 1; k < $UPPER_CLASSES; k++) {
        if (logits[k] > logits[best]) {
            best = k;
        }
    }
    return (int)best;
}
";

const CONFIDENCE: &str = "
/* 2^15 * 2^(-k/32), rounded. */
static const uint16_t powers[33] = {
$powers
};

/* 2^15 * e^-d for a logit that lies d below the largest: 2^-16 is nothing, so t stays below 16 * 1024. */
static uint32_t power(uint32_t below)
{
    uint32_t t, k;

    if (below >= $limitu) {
        return 0;
    }
    t = ((below >> $drop) * $multiplieru + ((uint32_t)1 << $shift) / 2) >> $shift;
    k = (t >> 5) & 31;
    t = (powers[k] - (((uint32_t)(powers[k] - powers[k + 1]) * (t & 31) + 16) >> 5)) >> (t >> 10);
    return t;
}

uint16_t $name_confidence(const int32_t *logits)
{
    int32_t largest = logits[0];
    uint32_t sum = 0, k;

    for (k = 1; k < $UPPER_CLASSES; k++) {
        largest = logits[k] > largest ? logits[k] : largest;
    }
    for (k = 0; k < $UPPER_CLASSES; k++) {
        sum += power((uint32_t)largest - (uint32_t)logits[k]);
    }
    sum = ((uint32_t)1 << 31) / sum;
    return (uint16_t)(sum > 65535 ? 65535 : sum);
}
";
