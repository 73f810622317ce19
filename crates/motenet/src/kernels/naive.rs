//! Every kernel as its formula reads: the independent twins that the tests compare against.

use crate::math::fma_soft;

/// Twin of [`affine`](super::affine).
pub fn affine<const IN: usize, const OUT: usize>(
    x: &[[f32; IN]],
    w: &[[f32; OUT]; IN],
    bias: Option<&[f32; OUT]>,
    y: &mut [[f32; OUT]],
) {
    for n in 0..x.len() {
        for o in 0..OUT {
            let mut sum = bias.map_or(0.0, |bias| bias[o]);
            for i in 0..IN {
                if x[n][i] != 0.0 {
                    sum = fma_soft(x[n][i], w[i][o], sum);
                }
            }
            y[n][o] = sum + 0.0;
        }
    }
}

/// Twin of [`add_outer`](super::add_outer).
pub fn add_outer<const IN: usize, const OUT: usize>(
    x: &[[f32; IN]],
    dy: &[[f32; OUT]],
    first: usize,
    dw: &mut [[f32; OUT]],
) {
    for i in 0..dw.len() {
        for o in 0..OUT {
            for n in 0..x.len() {
                if x[n][first + i] != 0.0 {
                    dw[i][o] = fma_soft(x[n][first + i], dy[n][o], dw[i][o]);
                }
            }
            dw[i][o] += 0.0;
        }
    }
}

/// Twin of [`mul_transposed`](super::mul_transposed).
pub fn mul_transposed<const IN: usize, const OUT: usize>(
    w: &[[f32; OUT]; IN],
    dy: &[[f32; OUT]],
    dx: &mut [[f32; IN]],
) {
    for n in 0..dy.len() {
        for i in 0..IN {
            let mut sum = 0.0;
            for o in 0..OUT {
                sum = fma_soft(w[i][o], dy[n][o], sum);
            }
            dx[n][i] = sum;
        }
    }
}

/// Twin of [`scale_bytes`](super::scale_bytes).
pub fn scale_bytes(bytes: &[u8], scale: f32, x: &mut [f32]) {
    for k in 0..bytes.len().min(x.len()) {
        x[k] = f32::from(bytes[k]) * scale;
    }
}

/// Twin of [`sum_squares`](super::sum_squares).
pub fn sum_squares(x: &[f32]) -> f32 {
    let mut lanes = [0.0; 16];
    for (k, &value) in x.iter().enumerate() {
        lanes[k % 16] = fma_soft(value, value, lanes[k % 16]);
    }
    let mut sum = 0.0;
    for lane in lanes {
        sum += lane;
    }
    sum
}

/// Twin of [`descend`](super::descend()).
pub fn descend(rate: f32, decay: f32, w: &mut [f32], g: &mut [f32]) {
    for k in 0..w.len().min(g.len()) {
        let slope = if decay == 0.0 { g[k] } else { fma_soft(decay, w[k], g[k]) };
        w[k] = fma_soft(-rate, slope, w[k]);
        g[k] = 0.0;
    }
}
