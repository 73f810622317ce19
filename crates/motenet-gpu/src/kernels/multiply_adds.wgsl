// Chains of multiply-adds in registers: what the device does at best.

@group(1) @binding(0) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn chains(@builtin(global_invocation_id) id: vec3<u32>) {
    // Neither the compiler nor a subnormal may shorten the work: the chains tend to 2.
    let factor = vec4(0.5) * batch.scale;
    let term = vec4(1.0) * batch.scale;
    var a = vec4(f32(id.x));
    var b = a + 1.0;
    var c = a + 2.0;
    var d = a + 3.0;
    for (var k = 0u; k < 256u; k++) {
        a = fma(a, factor, term);
        b = fma(b, factor, term);
        c = fma(c, factor, term);
        d = fma(d, factor, term);
        a = fma(a, factor, term);
        b = fma(b, factor, term);
        c = fma(c, factor, term);
        d = fma(d, factor, term);
        a = fma(a, factor, term);
        b = fma(b, factor, term);
        c = fma(c, factor, term);
        d = fma(d, factor, term);
        a = fma(a, factor, term);
        b = fma(b, factor, term);
        c = fma(c, factor, term);
        d = fma(d, factor, term);
    }
    let sum = a + b + c + d;
    out[id.x] = sum.x + sum.y + sum.z + sum.w;
}
