// C[r][c] = Σ_k A[r][k]·B[k][c], with what comes before and after it in a dense layer. Sizes and strides
// are constants of the pipeline; a size of zero stands for the rows of the batch.
//
//   forward    y[n][o]  = f(b[o] + Σ_i x[n][i]·w[i][o])
//   back       dx[n][i] = f′(x[n][i])·Σ_o dy[n][o]·w[i][o]
//   gradient   dw[i][o] = Σ_n x[n][i]·dy[n][o], in slices of the batch; row IN is the bias, its x is 1

const FORWARD = 0u;
const BACK = 1u;
const GRADIENT = 2u;

override KIND: u32;
override ROWS: u32;
override COLUMNS: u32;
override INNER: u32;
override A_ROW: u32;
override A_INNER: u32;
override B_INNER: u32;
override B_COLUMN: u32;
// Where the weights begin in B.
override B_AT: u32;
// Where the bias begins among the parameters, if there is one.
override BIAS_AT: u32;
override HAS_BIAS: bool;
// Where C begins, and (gradient) how far the next slice of it is.
override C_AT: u32;
override C_SLICE: u32;
// Samples in a slice of the batch.
override SLICE: u32;
// 0 none, 1 rectifier, 2 logistic function, 3 hyperbolic tangent
override ACTIVATION: u32;

@group(1) @binding(0) var<storage, read> a: array<f32>;
@group(1) @binding(1) var<storage, read> b: array<f32>;
// forward: the parameters; back: the activations that the gradient goes back through
@group(1) @binding(2) var<storage, read> more: array<f32>;
@group(1) @binding(3) var<storage, read_write> c: array<f32>;

struct Extent {
    rows: u32,
    // The run of k that is summed.
    from_k: u32,
    to_k: u32,
    slice: u32,
}

fn extent(slice: u32) -> Extent {
    if KIND == GRADIENT {
        let from_k = min(slice * SLICE, batch.rows);
        return Extent(ROWS, from_k, min(from_k + SLICE, batch.rows), slice);
    }
    return Extent(batch.rows, 0u, INNER, 0u);
}

fn load_a(r: u32, k: u32) -> f32 {
    if KIND == GRADIENT && HAS_BIAS && r + 1u == ROWS {
        return 1.0;
    }
    return a[r * A_ROW + k * A_INNER];
}

fn load_b(k: u32, column: u32) -> f32 {
    return b[B_AT + k * B_INNER + column * B_COLUMN];
}

fn start(column: u32) -> f32 {
    if KIND == FORWARD && HAS_BIAS {
        return more[BIAS_AT + column];
    }
    return 0.0;
}

fn activation(x: f32) -> f32 {
    switch ACTIVATION {
        // Not `max`, which may lose a NaN.
        case 1u: { return select(x, 0.0, x <= 0.0); }
        case 2u: { return 1.0 / (1.0 + exp(-x)); }
        // Beyond ±10 it is ±1 to the last bit, and some drivers' own overflows.
        case 3u: { return tanh(clamp(x, -10.0, 10.0)); }
        default: { return x; }
    }
}

// f′(x) as a function of y = f(x).
fn slope(y: f32) -> f32 {
    switch ACTIVATION {
        case 1u: { return select(1.0, 0.0, y <= 0.0); }
        case 2u: { return y * (1.0 - y); }
        case 3u: { return 1.0 - y * y; }
        default: { return 1.0; }
    }
}

fn store(reach: Extent, r: u32, column: u32, sum: f32) {
    if r >= reach.rows || column >= COLUMNS {
        return;
    }
    let at = r * COLUMNS + column;
    if KIND == FORWARD {
        c[at] = activation(sum);
    } else if KIND == BACK {
        c[at] = sum * slope(more[at]);
    } else {
        c[C_AT + reach.slice * C_SLICE + at] = sum;
    }
}
