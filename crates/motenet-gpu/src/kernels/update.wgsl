// One step of the optimizer: one thread a parameter, formulas as in the core's `optimizers/`.

const PLAIN = 0u;
const MOMENTUM = 1u;
const NESTEROV = 2u;
const ADAM = 3u;

override COUNT: u32;
override SLICES: u32;
override RULE: u32;
// λ, unless it is decoupled
override PENALTY: f32;
override MU: f32;
override BETA_1: f32;
override BETA_2: f32;
override EPSILON: f32;
// The longest gradient; 0 for no limit.
override CLIP: f32;

@group(1) @binding(0) var<storage, read> slices: array<f32>;
@group(1) @binding(1) var<storage, read> square: array<f32>;
@group(1) @binding(2) var<storage, read_write> w: array<f32>;
@group(1) @binding(3) var<storage, read_write> m: array<f32>;
@group(1) @binding(4) var<storage, read_write> v: array<f32>;

@compute @workgroup_size(256)
fn update(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.x;
    if at >= COUNT {
        return;
    }
    var g = 0.0;
    for (var slice = 0u; slice < SLICES; slice++) {
        g += slices[slice * COUNT + at];
    }
    if CLIP > 0.0 {
        g *= min(1.0, CLIP / (sqrt(square[0]) + 1e-6));
    }
    let weight = w[at];
    g = fma(PENALTY, weight, g);
    if RULE == PLAIN {
        w[at] = fma(-batch.rate, g, weight);
    } else if RULE == ADAM {
        let mean = fma(1.0 - BETA_1, g - m[at], m[at]);
        let spread = fma(1.0 - BETA_2, g * g - v[at], v[at]);
        m[at] = mean;
        v[at] = spread;
        let direction = mean / fma(sqrt(spread), batch.root, EPSILON);
        w[at] = fma(-batch.rate, direction, batch.keep * weight);
    } else {
        let velocity = fma(MU, m[at], g);
        m[at] = velocity;
        w[at] = fma(-batch.rate, select(velocity, fma(MU, velocity, g), RULE == NESTEROV), weight);
    }
}
