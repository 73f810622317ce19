// A workgroup makes 16×16 of C, one sum a thread, from tiles that all share: for products so small that
// larger tiles would leave most of the device idle.

const SIDE = 16u;

var<workgroup> tile_a: array<f32, 256>;
var<workgroup> tile_b: array<f32, 256>;

@compute @workgroup_size(16, 16)
fn product(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let reach = extent(group.z);
    let column = group.x * SIDE + local.x;
    let row = group.y * SIDE + local.y;
    var sum = 0.0;
    for (var k = reach.from_k; k < reach.to_k; k += SIDE) {
        // Neighbouring threads read neighbouring numbers, whichever way the matrix lies.
        let a_deep = select(local.y, local.x, A_INNER == 1u);
        let a_row = select(local.x, local.y, A_INNER == 1u);
        let b_deep = select(local.y, local.x, B_INNER == 1u);
        let b_column = select(local.x, local.y, B_INNER == 1u);
        let r = group.y * SIDE + a_row;
        let at = group.x * SIDE + b_column;
        var x = 0.0;
        if r < reach.rows && k + a_deep < reach.to_k {
            x = load_a(r, k + a_deep);
        }
        var y = 0.0;
        if at < COLUMNS && k + b_deep < reach.to_k {
            y = load_b(k + b_deep, at);
        }
        tile_a[a_row * SIDE + a_deep] = x;
        tile_b[b_deep * SIDE + b_column] = y;
        workgroupBarrier();
        for (var deep = 0u; deep < SIDE; deep++) {
            sum = fma(tile_a[local.y * SIDE + deep], tile_b[deep * SIDE + local.x], sum);
        }
        workgroupBarrier();
    }
    store(reach, row, column, sum + start(min(column, COLUMNS - 1u)));
}
