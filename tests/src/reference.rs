//! Layers and losses once more, in `f64` on nested vectors: an oracle that shares no code with motenet.
//!
//! A sample is a `Vec<f64>`; parameters come off the front of a slice in the order of
//! [`Params::flat`](motenet::Params::flat). Near the kink of a rectifier the result is NaN: a finite difference
//! means nothing there, and whoever asked draws other numbers.

/// A sample, or a batch in a row.
pub type Row = Vec<f64>;

/// How near to a kink is too near.
pub const MARGIN: f64 = 1e-3;

/// `y = b + x·W`; takes `W` and, if there is one, `b` from `params`.
pub fn dense(params: &mut &[f64], outputs: usize, bias: bool, x: &[f64]) -> Row {
    let (weights, rest) = params.split_at(x.len() * outputs);
    let (bias, rest) = rest.split_at(if bias { outputs } else { 0 });
    *params = rest;
    (0..outputs)
        .map(|o| {
            let products = x.iter().enumerate().map(|(i, x)| x * weights[i * outputs + o]);
            products.sum::<f64>() + bias.get(o).unwrap_or(&0.0)
        })
        .collect()
}

/// `max(0, x)`, with a slope of `leak` below zero.
pub fn leaky_relu(leak: f64, x: &[f64]) -> Row {
    each(x, |x| match x {
        _ if x.abs() < MARGIN => f64::NAN,
        _ if x < 0.0 => leak * x,
        _ => x,
    })
}

/// `1 / (1 + e⁻ˣ)`
pub fn sigmoid(x: &[f64]) -> Row {
    each(x, |x| 1.0 / (1.0 + (-x).exp()))
}

/// `tanh x`
pub fn tanh(x: &[f64]) -> Row {
    each(x, f64::tanh)
}

/// `x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))`
pub fn gelu(x: &[f64]) -> Row {
    let root = (2.0 / std::f64::consts::PI).sqrt();
    each(x, |x| 0.5 * x * (1.0 + (root * (x + 0.044715 * x.powi(3))).tanh()))
}

/// `eˣ⁽ᵏ⁾ / Σ eˣ`
pub fn softmax(x: &[f64]) -> Row {
    let sum: f64 = x.iter().map(|x| x.exp()).sum();
    each(x, |x| x.exp() / sum)
}

/// The element-wise product.
pub fn times(mask: &[f64], x: &[f64]) -> Row {
    mask.iter().zip(x).map(|(mask, x)| mask * x).collect()
}

/// `1/K·Σ (y − t)²`
pub fn mean_squared_error(y: &[f64], t: &[f64]) -> f64 {
    y.iter().zip(t).map(|(y, t)| (y - t).powi(2)).sum::<f64>() / y.len() as f64
}

/// `1/K·Σ −t·ln p − (1 − t)·ln(1 − p)`, `p = sigmoid(y)`
pub fn binary_cross_entropy(y: &[f64], t: &[f64]) -> f64 {
    let p = sigmoid(y);
    let terms = p.iter().zip(t).map(|(p, t)| -t * p.ln() - (1.0 - t) * (1.0 - p).ln());
    terms.sum::<f64>() / y.len() as f64
}

/// `−Σ q·ln softmax(y)`, `q` the class with a share `smoothing` spread over all.
pub fn softmax_cross_entropy(y: &[f64], class: u8, smoothing: f64) -> f64 {
    let q = |k| f64::from(k == usize::from(class)) * (1.0 - smoothing) + smoothing / y.len() as f64;
    -softmax(y).iter().enumerate().map(|(k, p)| q(k) * p.ln()).sum::<f64>()
}

/// `f32`s as `f64`s.
pub fn wide(x: &[f32]) -> Row {
    x.iter().map(|&x| f64::from(x)).collect()
}

/// `∂f/∂v[k]` for each `k`, by central differences: `(f(v + h) − f(v − h)) / 2h` with `h = 10⁻⁵`.
///
/// # Accuracy
/// About `10⁻¹⁰·f‴ + 10⁻¹¹·f`.
pub fn differences(v: &[f64], mut f: impl FnMut(&[f64]) -> f64) -> Row {
    let (mut v, h) = (v.to_vec(), 1e-5);
    (0..v.len())
        .map(|k| {
            let middle = v[k];
            v[k] = middle + h;
            let above = f(&v);
            v[k] = middle - h;
            let below = f(&v);
            v[k] = middle;
            (above - below) / (2.0 * h)
        })
        .collect()
}

fn each(x: &[f64], f: impl Fn(f64) -> f64) -> Row {
    x.iter().map(|&x| f(x)).collect()
}
