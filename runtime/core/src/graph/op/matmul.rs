//! `MatMul`: a matrix product with NumPy's rules for batches and vectors.

use std::format;
use std::vec;
use std::vec::Vec;

use super::Facts;
use crate::graph::GraphError;
use crate::graph::shape::{broadcast, mismatch};

pub(super) fn facts() -> Facts {
    Facts {
        name: "MatMul",
        operands: 2..=2,
        trainable: 0..2,
        slides_window: false,
        broadcasts: false,
        averages: false,
        computes: true,
        selects: false,
        finishes: false,
        gives_probabilities: false,
        commutes_with_rounding: false,
    }
}

pub(super) fn output_shape(operands: &[&[usize]]) -> Result<Vec<usize>, GraphError> {
    let (a, b) = (operands[0], operands[1]);
    if a.is_empty() || b.is_empty() {
        return mismatch(format!("a matrix product of {a:?} and {b:?}"));
    }
    let a_matrix = if a.len() == 1 { vec![1, a[0]] } else { a.to_vec() };
    let b_matrix = if b.len() == 1 { vec![b[0], 1] } else { b.to_vec() };
    let (a_batch, a_tail) = a_matrix.split_at(a_matrix.len() - 2);
    let (b_batch, b_tail) = b_matrix.split_at(b_matrix.len() - 2);
    if a_tail[1] != b_tail[0] {
        return mismatch(format!("a matrix product of {a:?} and {b:?}"));
    }
    let mut shape = broadcast(a_batch, b_batch)?;
    if a.len() > 1 {
        shape.push(a_tail[0]);
    }
    if b.len() > 1 {
        shape.push(b_tail[1]);
    }
    Ok(shape)
}

/// Products of one element of the result.
pub(super) fn products(operands: &[&[usize]]) -> u64 {
    operands[0].last().map_or(1, |&k| k as u64)
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::*;

    #[test]
    fn matmul_follows_numpy() {
        assert_eq!(Op::MatMul.output_shape(&[&[4, 2, 3], &[3, 5]]), Ok(vec![4, 2, 5]));
        assert_eq!(Op::MatMul.output_shape(&[&[3], &[3]]), Ok(vec![]));
        assert!(Op::MatMul.output_shape(&[&[2, 3], &[4, 5]]).is_err());
    }
}
