use std::format;
use std::vec;
use std::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Facts;
use crate::graph::GraphError;
use crate::graph::shape::{broadcast, mismatch};

/// `Gemm`: operands `a`, `b` (rank 2) and optionally `c`; `alpha · a' · b' + beta · c`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gemm {
    /// Factor of the product.
    pub alpha: f32,
    /// Factor of `c`.
    pub beta: f32,
    /// Whether `a` is transposed first.
    pub trans_a: bool,
    /// Whether `b` is transposed first.
    pub trans_b: bool,
}

pub(super) fn facts() -> Facts {
    Facts {
        name: "Gemm",
        operands: 2..=3,
        trainable: 0..3,
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

pub(super) fn output_shape(gemm: &Gemm, operands: &[&[usize]]) -> Result<Vec<usize>, GraphError> {
    let (a, b) = (operands[0], operands[1]);
    if a.len() != 2 || b.len() != 2 {
        return mismatch(format!("a matrix product of {a:?} and {b:?}"));
    }
    let (m, k) = if gemm.trans_a { (a[1], a[0]) } else { (a[0], a[1]) };
    let (inner, n) = if gemm.trans_b { (b[1], b[0]) } else { (b[0], b[1]) };
    let shape = vec![m, n];
    let fits = match operands.get(2) {
        Some(c) => broadcast(&shape, c)? == shape,
        None => true,
    };
    if k != inner || !fits {
        return mismatch(format!("a matrix product of {operands:?}"));
    }
    Ok(shape)
}

/// Products of one element of the result.
pub(super) fn products(gemm: &Gemm, operands: &[&[usize]]) -> u64 {
    operands[0][usize::from(!gemm.trans_a)] as u64
}
