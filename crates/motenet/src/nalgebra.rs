//! A [`Dense`] layer as `nalgebra` matrices, and back.
//!
//! `nalgebra` stores columns, we store the row of each input: the two agree when the matrix maps
//! inputs to outputs from the left, `y = M·x + b` with `M` of `OUT` rows and `IN` columns.

use crate::{Dense, NoBias};
use nalgebra::{SMatrix, SVector};

impl<const IN: usize, const OUT: usize, B> Dense<IN, OUT, B> {
    /// The weights as the matrix `M` of `y = M·x + b`. A copy of `4·IN·OUT` bytes, by value.
    ///
    /// ```
    /// use motenet::Dense;
    /// let layer = Dense::<2, 1> { weights: [[2.0], [3.0]], bias: [0.5] };
    /// assert_eq!(layer.weight_matrix(), nalgebra::Matrix1x2::new(2.0, 3.0));
    /// ```
    pub fn weight_matrix(&self) -> SMatrix<f32, OUT, IN> {
        SMatrix::from_fn(|o, i| self.weights[i][o])
    }

    /// Takes the weights from the matrix `M` of `y = M·x + b`.
    pub fn set_weight_matrix(&mut self, matrix: &SMatrix<f32, OUT, IN>) {
        for (row, column) in self.weights.iter_mut().zip(matrix.column_iter()) {
            for (weight, entry) in row.iter_mut().zip(column.iter()) {
                *weight = *entry;
            }
        }
    }
}

impl<const IN: usize, const OUT: usize> Dense<IN, OUT> {
    /// The bias `b` of `y = M·x + b`.
    pub fn bias_vector(&self) -> SVector<f32, OUT> {
        SVector::from(self.bias)
    }
}

impl<const IN: usize, const OUT: usize> From<(&SMatrix<f32, OUT, IN>, &SVector<f32, OUT>)>
    for Dense<IN, OUT>
{
    /// The layer `y = M·x + b`, for shapes that fit the stack.
    fn from((matrix, bias): (&SMatrix<f32, OUT, IN>, &SVector<f32, OUT>)) -> Self {
        let mut layer = Dense { weights: [[0.0; OUT]; IN], bias: (*bias).into() };
        layer.set_weight_matrix(matrix);
        layer
    }
}

impl<const IN: usize, const OUT: usize> From<&SMatrix<f32, OUT, IN>> for Dense<IN, OUT, NoBias> {
    /// The layer `y = M·x`, for shapes that fit the stack.
    fn from(matrix: &SMatrix<f32, OUT, IN>) -> Self {
        let mut layer = Dense { weights: [[0.0; OUT]; IN], bias: NoBias };
        layer.set_weight_matrix(matrix);
        layer
    }
}
