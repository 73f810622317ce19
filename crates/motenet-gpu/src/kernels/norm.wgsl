// ‖g‖² of the gradient, whose slices are summed on the way.

override COUNT: u32;
override SLICES: u32;

@group(1) @binding(0) var<storage, read> slices: array<f32>;
@group(1) @binding(1) var<storage, read_write> square: array<f32>;

var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(256)
fn norm(@builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    for (var at = lane; at < COUNT; at += 256u) {
        var g = 0.0;
        for (var slice = 0u; slice < SLICES; slice++) {
            g += slices[slice * COUNT + at];
        }
        sum = fma(g, g, sum);
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
        square[0] = sums[0];
    }
}
