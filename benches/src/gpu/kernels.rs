//! Kernels beside what the device does at best.

use motenet_gpu::{Error, Gpu, Product, Tiling, rates};

/// Inputs, outputs and rows.
const SHAPES: [([usize; 2], usize); 5] = [
    ([784, 64], 64),
    ([784, 64], 1024),
    ([784, 512], 256),
    ([784, 512], 4096),
    ([1024, 1024], 4096),
];

/// Prints a row for each product, with every tiling.
///
/// # Errors
/// Those of the device.
pub(super) fn print(gpu: &Gpu) -> Result<(), Error> {
    let (copy, peak) = (rates::copy(gpu)?, rates::multiply_adds(gpu)?);
    println!(
        "\nKernels. The device copies {:.1} GB/s and does {:.0} GFLOP/s in registers: a product can reach what the\nslower of the two allows. GFLOP/s, share of that, largest error relative to the largest sum:",
        copy / 1e9,
        peak / 1e9
    );
    print!("{:<28}{:>10}", "product", "at best");
    Tiling::ALL.iter().for_each(|tiling| print!("{:>27}", format!("{tiling:?}")));
    println!();
    // A software adapter takes seconds for the large ones.
    let shapes = if gpu.is_software() { &SHAPES[..3] } else { &SHAPES[..] };
    for &([inputs, outputs], rows) in shapes {
        // Every product reads two of these and writes the third.
        let bytes = 4.0 * (rows * inputs + inputs * outputs + rows * outputs) as f64;
        let intensity = 2.0 * (rows * inputs * outputs) as f64 / bytes;
        let best = peak.min(intensity * copy);
        for product in Product::ALL {
            print!("{:<28}", format!("{rows}×{inputs}×{outputs} {product:?}").to_lowercase());
            print!("{:>10.0}", best / 1e9);
            for tiling in Tiling::ALL {
                let speed = rates::product(gpu, product, tiling, [inputs, outputs], rows)?;
                let (flops, share) = (speed.flops / 1e9, 100.0 * speed.flops / best);
                print!("{:>27}", format!("{flops:.1}  {share:.1} %  {:.0e}", speed.error));
            }
            println!();
        }
    }
    Ok(())
}
