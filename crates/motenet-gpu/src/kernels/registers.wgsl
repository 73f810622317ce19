// Each thread keeps 4×4 sums in registers and reads memory directly: no barrier, nothing shared. The
// fastest on software adapters, whose memory shared by a workgroup is ordinary memory.

const R = 4u;
const C = 4u;

@compute @workgroup_size(8, 8)
fn product(@builtin(global_invocation_id) id: vec3<u32>) {
    let reach = extent(id.z);
    let row = id.y * R;
    let column = id.x * C;
    if row >= reach.rows || column >= COLUMNS {
        return;
    }
    // Rows and columns past the end repeat the last one, and are not stored.
    let last_row = reach.rows - 1u;
    let last_column = COLUMNS - 1u;
    let r = min(vec4(row, row + 1u, row + 2u, row + 3u), vec4(last_row));
    let k = min(vec4(column, column + 1u, column + 2u, column + 3u), vec4(last_column));
    let first = vec4(start(k.x), start(k.y), start(k.z), start(k.w));
    var s0 = first;
    var s1 = first;
    var s2 = first;
    var s3 = first;
    for (var i = reach.from_k; i < reach.to_k; i++) {
        let b = vec4(load_b(i, k.x), load_b(i, k.y), load_b(i, k.z), load_b(i, k.w));
        s0 = fma(vec4(load_a(r.x, i)), b, s0);
        s1 = fma(vec4(load_a(r.y, i)), b, s1);
        s2 = fma(vec4(load_a(r.z, i)), b, s2);
        s3 = fma(vec4(load_a(r.w, i)), b, s3);
    }
    let sums = array(s0, s1, s2, s3);
    for (var i = 0u; i < R; i++) {
        for (var j = 0u; j < C; j++) {
            store(reach, row + i, column + j, sums[i][j]);
        }
    }
}
