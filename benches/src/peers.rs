//! The same products by other crates, one thread each, as their documentation says to call them.
#![allow(unsafe_code, reason = "strides are handed to other crates as raw pointers")]

use crate::products::{Operands, Product};

/// A way of computing `C (+)= A·B`.
pub type Peer = (&'static str, fn(&mut Operands));

/// Every peer.
pub fn all(product: &Product) -> [Peer; 4] {
    [
        ("faer", with_faer),
        ("gemm", with_gemm),
        ("matrixmultiply", with_matrixmultiply),
        ("nalgebra", product.nalgebra),
    ]
}

fn with_matrixmultiply(operands: &mut Operands) {
    let Operands { m, k, n, adds, a, a_strides, b, b_strides, c } = operands;
    let stride = |by: usize| by as isize;
    // SAFETY: `Operands` is made with `m·k`, `k·n` and `m·n` numbers, and with strides of full rows and
    // columns, so every element that is read or written lies inside; C is borrowed alone.
    unsafe {
        matrixmultiply::sgemm(
            *m,
            *k,
            *n,
            1.0,
            a.get().as_ptr(),
            stride(a_strides.0),
            stride(a_strides.1),
            b.get().as_ptr(),
            stride(b_strides.0),
            stride(b_strides.1),
            if *adds { 1.0 } else { 0.0 },
            c.get_mut().as_mut_ptr(),
            stride(*n),
            1,
        );
    }
}

fn with_gemm(operands: &mut Operands) {
    let Operands { m, k, n, adds, a, a_strides, b, b_strides, c } = operands;
    let stride = |by: usize| by as isize;
    // SAFETY: as above.
    unsafe {
        gemm::gemm(
            *m,
            *n,
            *k,
            c.get_mut().as_mut_ptr(),
            1,
            stride(*n),
            *adds,
            a.get().as_ptr(),
            stride(a_strides.1),
            stride(a_strides.0),
            b.get().as_ptr(),
            stride(b_strides.1),
            stride(b_strides.0),
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

fn with_faer(operands: &mut Operands) {
    let Operands { m, k, n, adds, a, a_strides, b, b_strides, c } = operands;
    let stride = |by: usize| by as isize;
    let (a_rows, a_columns) = (stride(a_strides.0), stride(a_strides.1));
    let (b_rows, b_columns) = (stride(b_strides.0), stride(b_strides.1));
    // SAFETY: as above.
    let (a, b, c) = unsafe {
        (
            faer::MatRef::from_raw_parts(a.get().as_ptr(), *m, *k, a_rows, a_columns),
            faer::MatRef::from_raw_parts(b.get().as_ptr(), *k, *n, b_rows, b_columns),
            faer::MatMut::from_raw_parts_mut(c.get_mut().as_mut_ptr(), *m, *n, stride(*n), 1),
        )
    };
    let accumulate = if *adds { faer::Accum::Add } else { faer::Accum::Replace };
    faer::linalg::matmul::matmul(c, accumulate, a, b, 1.0, faer::Par::Seq);
}

/// Matrices of fixed size. nalgebra stores columns first, so its matrices are our transposes:
/// `Cᵀ = Bᵀ·Aᵀ`. (Its matrices of other sizes hand the product to matrixmultiply.)
pub mod nalgebra {
    use crate::products::Operands;
    use nalgebra::{Const, SMatrixView, SMatrixViewMut};

    /// `y = x·W`
    pub fn forward<const IN: usize, const OUT: usize, const N: usize>(operands: &mut Operands) {
        let Operands { a, b, c, .. } = operands;
        let x = SMatrixView::<f32, IN, N>::from_slice(a.get());
        let w = SMatrixView::<f32, OUT, IN>::from_slice(b.get());
        SMatrixViewMut::<f32, OUT, N>::from_slice(c.get_mut()).gemm(1.0, &w, &x, 0.0);
    }

    /// `dW = dW + xᵀ·dy`
    pub fn weight_gradient<const IN: usize, const OUT: usize, const N: usize>(
        operands: &mut Operands,
    ) {
        let Operands { a, b, c, .. } = operands;
        let (rows, columns) = (Const::<N>, Const::<IN>);
        let x = ::nalgebra::MatrixView::from_slice_with_strides_generic(
            a.get(),
            rows,
            columns,
            Const::<IN>,
            Const::<1>,
        );
        let dy = SMatrixView::<f32, OUT, N>::from_slice(b.get());
        SMatrixViewMut::<f32, OUT, IN>::from_slice(c.get_mut()).gemm(1.0, &dy, &x, 1.0);
    }

    /// `dx = dy·Wᵀ`
    pub fn input_gradient<const IN: usize, const OUT: usize, const N: usize>(
        operands: &mut Operands,
    ) {
        let Operands { a, b, c, .. } = operands;
        let dy = SMatrixView::<f32, OUT, N>::from_slice(a.get());
        let w = SMatrixView::<f32, OUT, IN>::from_slice(b.get());
        SMatrixViewMut::<f32, IN, N>::from_slice(c.get_mut()).gemm_tr(1.0, &w, &dy, 0.0);
    }
}
