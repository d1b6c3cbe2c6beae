//! `Softmax`: normalised exponentials.

use std::format;
use std::vec::Vec;

use super::Facts;
use crate::graph::GraphError;
use crate::graph::shape::mismatch;

pub(super) fn facts() -> Facts {
    Facts {
        name: "Softmax",
        operands: 1..=1,
        trainable: 0..0,
        slides_window: false,
        broadcasts: false,
        averages: false,
        computes: true,
        selects: false,
        finishes: false,
        gives_probabilities: true,
        commutes_with_rounding: false,
    }
}

pub(super) fn output_shape(axis: usize, x: &[usize]) -> Result<Vec<usize>, GraphError> {
    if axis >= x.len() {
        return mismatch(format!("axis {axis} of {x:?}"));
    }
    Ok(x.to_vec())
}
