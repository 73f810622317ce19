// A workgroup makes 64×64 of C, or 256×16 where C is narrow: 256 threads with 4×4 sums each, from tiles
// of A and B, 16 deep, that all of them share.

const DEEP = 16u;
override ACROSS: u32;
override DOWN: u32;

var<workgroup> tile_a: array<vec4<f32>, 16u * DOWN>;
var<workgroup> tile_b: array<vec4<f32>, 16u * ACROSS>;

fn a_or_zero(reach: Extent, r: u32, k: u32) -> f32 {
    if r >= reach.rows || k >= reach.to_k {
        return 0.0;
    }
    return load_a(r, k);
}

fn b_or_zero(reach: Extent, k: u32, column: u32) -> f32 {
    if k >= reach.to_k || column >= COLUMNS {
        return 0.0;
    }
    return load_b(k, column);
}

@compute @workgroup_size(ACROSS, DOWN)
fn product(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let reach = extent(group.z);
    let corner = vec2(group.x * ACROSS * 4u, group.y * DOWN * 4u);
    let column = corner.x + local.x * 4u;
    let row = corner.y + local.y * 4u;
    var s0 = vec4(0.0);
    var s1 = vec4(0.0);
    var s2 = vec4(0.0);
    var s3 = vec4(0.0);
    for (var k = reach.from_k; k < reach.to_k; k += DEEP) {
        // Neighbouring threads read neighbouring numbers, whichever way the matrix lies.
        for (var t = lane; t < DEEP * DOWN; t += ACROSS * DOWN) {
            let deep = select(t / DOWN, t % DEEP, A_INNER == 1u);
            let quad = select(t % DOWN, t / DEEP, A_INNER == 1u);
            let r = corner.y + quad * 4u;
            tile_a[deep * DOWN + quad] = vec4(
                a_or_zero(reach, r, k + deep),
                a_or_zero(reach, r + 1u, k + deep),
                a_or_zero(reach, r + 2u, k + deep),
                a_or_zero(reach, r + 3u, k + deep),
            );
        }
        for (var t = lane; t < DEEP * ACROSS; t += ACROSS * DOWN) {
            let deep = select(t / ACROSS, t % DEEP, B_INNER == 1u);
            let quad = select(t % ACROSS, t / DEEP, B_INNER == 1u);
            let at = corner.x + quad * 4u;
            tile_b[deep * ACROSS + quad] = vec4(
                b_or_zero(reach, k + deep, at),
                b_or_zero(reach, k + deep, at + 1u),
                b_or_zero(reach, k + deep, at + 2u),
                b_or_zero(reach, k + deep, at + 3u),
            );
        }
        workgroupBarrier();
        for (var deep = 0u; deep < DEEP; deep++) {
            let a = tile_a[deep * DOWN + local.y];
            let b = tile_b[deep * ACROSS + local.x];
            s0 = fma(vec4(a.x), b, s0);
            s1 = fma(vec4(a.y), b, s1);
            s2 = fma(vec4(a.z), b, s2);
            s3 = fma(vec4(a.w), b, s3);
        }
        workgroupBarrier();
    }
    let last = max(COLUMNS, 1u) - 1u;
    let first = vec4(
        start(min(column, last)),
        start(min(column + 1u, last)),
        start(min(column + 2u, last)),
        start(min(column + 3u, last)),
    );
    let sums = array(s0 + first, s1 + first, s2 + first, s3 + first);
    for (var i = 0u; i < 4u; i++) {
        for (var j = 0u; j < 4u; j++) {
            store(reach, row + i, column + j, sums[i][j]);
        }
    }
}
