//! `Transpose`: axes in another order.

use std::format;
use std::vec::Vec;

use super::Facts;
use crate::graph::GraphError;
use crate::graph::shape::mismatch;

pub(super) fn facts() -> Facts {
    Facts {
        name: "Transpose",
        operands: 1..=1,
        trainable: 0..0,
        slides_window: false,
        broadcasts: false,
        averages: false,
        computes: false,
        selects: true,
        finishes: false,
        gives_probabilities: false,
        commutes_with_rounding: true,
    }
}

pub(super) fn output_shape(permutation: &[usize], x: &[usize]) -> Result<Vec<usize>, GraphError> {
    let mut sorted = permutation.to_vec();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..x.len()) {
        return mismatch(format!("{permutation:?} is no order of the axes of {x:?}"));
    }
    Ok(permutation.iter().map(|&axis| x[axis]).collect())
}
