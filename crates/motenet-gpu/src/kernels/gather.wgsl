// x[n] = the sample that the epoch's order names for row n: from bytes (times SCALE) or from numbers.

override WIDTH: u32;
override BYTES: bool;
override SCALE: f32;

@group(1) @binding(0) var<storage, read> source: array<u32>;
@group(1) @binding(1) var<storage, read> order: array<u32>;
@group(1) @binding(2) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(64)
fn gather(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= WIDTH || id.y >= batch.rows {
        return;
    }
    let at = order[batch.first + id.y] * WIDTH + id.x;
    var value: f32;
    if BYTES {
        value = f32((source[at / 4u] >> (8u * (at % 4u))) & 255u) * SCALE;
    } else {
        value = bitcast<f32>(source[at]);
    }
    x[id.y * WIDTH + id.x] = value;
}
