// The sums of a run of metrics, in a tree: what an epoch hands back, 8 bytes.

@group(1) @binding(0) var<storage, read> metrics: array<vec2<f32>>;
@group(1) @binding(1) var<storage, read_write> totals: array<vec2<f32>>;

var<workgroup> sums: array<vec2<f32>, 256>;

@compute @workgroup_size(256)
fn add_up(@builtin(local_invocation_index) lane: u32) {
    var sum = vec2(0.0);
    for (var n = lane; n < batch.rows; n += 256u) {
        sum += metrics[batch.first + n];
    }
    sums[lane] = sum;
    workgroupBarrier();
    for (var half = 128u; half > 0u; half /= 2u) {
        if lane < half {
            sums[lane] += sums[lane + half];
        }
        workgroupBarrier();
    }
    if lane == 0u {
        totals[0] = sums[0];
    }
}
