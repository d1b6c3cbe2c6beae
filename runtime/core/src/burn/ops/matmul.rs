use std::vec;
use std::vec::Vec;

use burn::tensor::Shape;
use burn::tensor::ops::FloatTensor;

use super::binary::aligned;
use crate::burn::FloatBackend;
use crate::burn::tensor::{Array, reshape};

/// The matrix product by NumPy's rules: a vector is a row on the left and a column on the right,
/// all dimensions before the last two broadcast.
pub(super) fn apply<B: FloatBackend>(a: Array<B>, b: Array<B>, result: &[usize]) -> FloatTensor<B> {
    let a = as_matrix(a, |extent| vec![1, extent]);
    let b = as_matrix(b, |extent| vec![extent, 1]);
    let [m, k] = last_two(&a.shape);
    let [_, n] = last_two(&b.shape);
    let count = |x: &Array<B>| x.shape[..x.shape.len() - 2].iter().product::<usize>();
    if count(&b) == 1 {
        // One matrix on the right: all rows on the left are rows of one product.
        let rows = count(&a) * m;
        let product = B::float_matmul(
            reshape::<B>(a.primitive, &[rows, k]),
            reshape::<B>(b.primitive, &[k, n]),
        );
        return reshape::<B>(product, result);
    }
    let rank = a.shape.len().max(b.shape.len());
    let extent = |shape: &[usize], axis: usize| {
        (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis])
    };
    let batch: Vec<usize> =
        (0..rank - 2).map(|axis| extent(&a.shape, axis).max(extent(&b.shape, axis))).collect();
    let matrices = batch.iter().product();
    let expanded = |x: Array<B>, rows: usize, columns: usize| {
        let shape: Vec<usize> = batch.iter().copied().chain([rows, columns]).collect();
        let x = B::float_expand(aligned(x, rank), Shape::from(shape));
        reshape::<B>(x, &[matrices, rows, columns])
    };
    let product = B::float_matmul(expanded(a, m, k), expanded(b, k, n));
    reshape::<B>(product, result)
}

fn as_matrix<B: FloatBackend>(x: Array<B>, shape: fn(usize) -> Vec<usize>) -> Array<B> {
    match *x.shape {
        [extent] => x.reshaped(shape(extent)),
        _ => x,
    }
}

fn last_two(shape: &[usize]) -> [usize; 2] {
    [shape[shape.len() - 2], shape[shape.len() - 1]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burn::testing::{assert_close, noise, on_every_backend, run};
    use crate::graph::Op;

    /// `[m, k] · [k, n]` in plain loops.
    fn product(a: &[f32], b: &[f32], [m, k, n]: [usize; 3]) -> Vec<f32> {
        (0..m * n).map(|i| (0..k).map(|j| a[i / n * k + j] * b[j * n + i % n]).sum()).collect()
    }

    fn ranks_and_batches_follow_numpy<B: FloatBackend>() {
        let (a, b) = (noise(24, 1), noise(24, 2));
        let matmul = |a_shape: &[usize], b_shape: &[usize]| {
            let take = |x: &[f32], shape: &[usize]| x[..shape.iter().product()].to_vec();
            run::<B>(Op::MatMul, vec![(a_shape, take(&a, a_shape)), (b_shape, take(&b, b_shape))])
        };
        let (shape, found) = matmul(&[4], &[4]);
        assert!(shape.is_empty());
        assert_close(&found, &product(&a, &b, [1, 4, 1]));
        let (shape, found) = matmul(&[4], &[4, 3]);
        assert_eq!(shape, [3]);
        assert_close(&found, &product(&a, &b, [1, 4, 3]));
        let (shape, found) = matmul(&[2, 3, 4], &[4]);
        assert_eq!(shape, [2, 3]);
        assert_close(&found, &product(&a, &b, [6, 4, 1]));
        let (shape, found) = matmul(&[2, 3, 4], &[1, 1, 4, 2]);
        assert_eq!(shape, [1, 2, 3, 2]);
        assert_close(&found, &product(&a, &b, [6, 4, 2]));
        // Both have batches: [2, 1, 2, 3] by [3, 3, 2].
        let (shape, found) = matmul(&[2, 1, 2, 3], &[3, 3, 2]);
        assert_eq!(shape, [2, 3, 2, 2]);
        let expected: Vec<f32> = (0..6)
            .flat_map(|i| product(&a[i / 3 * 6..][..6], &b[i % 3 * 6..][..6], [2, 3, 2]))
            .collect();
        assert_close(&found, &expected);
    }
    on_every_backend!(ranks_and_batches_follow_numpy, in float32);
}
