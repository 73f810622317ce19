//! How a product is cut into pieces that a device works on side by side.

use crate::Gpu;
use crate::plan::DenseLayer;

/// A way of taking a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tiling {
    /// 4×4 sums a thread, nothing shared.
    Registers,
    /// 16×16 sums a workgroup, one a thread.
    Tile16,
    /// 64×64 sums a workgroup (256×16 of a narrow matrix), 4×4 a thread.
    Tile64,
}

impl Tiling {
    /// Every way.
    pub const ALL: [Tiling; 3] = [Tiling::Registers, Tiling::Tile16, Tiling::Tile64];

    /// The way that suits `rows × columns` sums, `slices` times over.
    ///
    /// On a software adapter registers beat tiles by far. On a device, large tiles read less memory, but
    /// too few of them leave most of it idle.
    pub fn choose(software: bool, rows: usize, columns: usize, slices: usize) -> Self {
        /// Workgroups that keep about half of a large device busy.
        const ENOUGH: usize = 64;
        let [across, down] = Tiling::Tile64.sums(columns);
        if software {
            Tiling::Registers
        } else if columns.div_ceil(across) * rows.div_ceil(down) * slices < ENOUGH {
            Tiling::Tile16
        } else {
            Tiling::Tile64
        }
    }

    /// Columns and rows that a workgroup makes of a matrix `columns` wide.
    pub(crate) fn sums(self, columns: usize) -> [usize; 2] {
        match self {
            Tiling::Registers => [32, 32],
            Tiling::Tile16 => [16, 16],
            Tiling::Tile64 if columns <= 16 => [16, 256],
            Tiling::Tile64 => [64, 64],
        }
    }

    pub(crate) fn source(self) -> &'static str {
        match self {
            Tiling::Registers => include_str!("kernels/registers.wgsl"),
            Tiling::Tile16 => include_str!("kernels/tile_16.wgsl"),
            Tiling::Tile64 => include_str!("kernels/tile_64.wgsl"),
        }
    }
}

/// How the gradient of a batch is cut: so many slices, each of so many samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slices {
    pub(crate) count: usize,
    pub(crate) samples: usize,
}

impl Slices {
    /// One slice where the layers alone keep the device busy, else more, so that a large batch and a small
    /// layer do, too.
    pub(crate) fn of(gpu: &Gpu, layers: &[DenseLayer], batch: usize) -> Self {
        /// Workgroups of the largest product that are worth having.
        const ENOUGH: usize = 256;
        let tiles =
            |layer: &DenseLayer| (layer.inputs + 1).div_ceil(64) * layer.outputs.div_ceil(64);
        let most = layers.iter().map(tiles).max().unwrap_or(1);
        let count = match gpu.is_software() {
            true => 1,
            false => (ENOUGH / most.max(1)).min(batch / 64).clamp(1, 16),
        };
        let samples = batch.div_ceil(count).max(1);
        Slices { count: batch.div_ceil(samples).max(1), samples }
    }
}
