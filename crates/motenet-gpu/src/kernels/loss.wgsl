// The loss of each sample, whether it was right, and the gradient at the output: one thread a sample.
//
//   classes   L = ln Σ_k exp(y[k] − m) − Σ_k q[k]·(y[k] − m), m = max_k y[k]; dy[k] = scale·(p[k] − q[k])
//   values    L = 1/K·Σ_k (y[k] − t[k])²;                                     dy[k] = scale·2/K·(y[k] − t[k])

override WIDTH: u32;
override CLASSES: bool;
// A value counts as right this near to its target.
override NEAR: f32;

@group(1) @binding(0) var<storage, read> y: array<f32>;
@group(1) @binding(1) var<storage, read> targets: array<u32>;
@group(1) @binding(2) var<storage, read> order: array<u32>;
@group(1) @binding(3) var<storage, read_write> dy: array<f32>;
// (loss, 1 if right) of each sample of the epoch, in its order
@group(1) @binding(4) var<storage, read_write> metrics: array<vec2<f32>>;

fn classes(row: u32, label: u32) -> vec2<f32> {
    var largest = y[row];
    var best = 0u;
    for (var k = 1u; k < WIDTH; k++) {
        let value = y[row + k];
        if value > largest {
            largest = value;
            best = k;
        }
    }
    let spread = batch.smoothing / f32(WIDTH);
    let on_target = 1.0 - batch.smoothing + spread;
    var sum = 0.0;
    var wanted = 0.0;
    for (var k = 0u; k < WIDTH; k++) {
        let shifted = y[row + k] - largest;
        sum += exp(shifted);
        wanted = fma(select(spread, on_target, k == label), shifted, wanted);
    }
    for (var k = 0u; k < WIDTH; k++) {
        let p = exp(y[row + k] - largest) / sum;
        dy[row + k] = (p - select(spread, on_target, k == label)) * batch.scale;
    }
    return vec2(log(sum) - wanted, select(0.0, 1.0, best == label));
}

fn values(row: u32, sample: u32) -> vec2<f32> {
    var sum = 0.0;
    var right = 1.0;
    for (var k = 0u; k < WIDTH; k++) {
        let error = y[row + k] - bitcast<f32>(targets[sample * WIDTH + k]);
        sum = fma(error, error, sum);
        right = select(0.0, right, abs(error) < NEAR);
        dy[row + k] = batch.scale * (2.0 / f32(WIDTH)) * error;
    }
    return vec2(sum / f32(WIDTH), right);
}

@compute @workgroup_size(64)
fn loss(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= batch.rows {
        return;
    }
    let sample = order[batch.first + id.x];
    let row = id.x * WIDTH;
    var result: vec2<f32>;
    if CLASSES {
        result = classes(row, targets[sample]);
    } else {
        result = values(row, sample);
    }
    metrics[batch.first + id.x] = result;
}
