//! `BatchNormalization`: `(x − mean) / √(variance + epsilon) · scale + bias`.

use std::format;
use std::vec::Vec;

use super::Facts;
use crate::graph::GraphError;
use crate::graph::shape::mismatch;

/// Scale and bias can be trained, the statistics cannot.
pub(super) fn facts() -> Facts {
    Facts {
        name: "BatchNormalization",
        operands: 5..=5,
        trainable: 1..3,
        slides_window: false,
        broadcasts: false,
        averages: false,
        computes: true,
        selects: false,
        finishes: true,
        gives_probabilities: false,
        commutes_with_rounding: false,
    }
}

pub(super) fn output_shape(operands: &[&[usize]]) -> Result<Vec<usize>, GraphError> {
    let x = operands[0];
    if x.len() < 2 || operands[1..].iter().any(|p| **p != [x[1]]) {
        return mismatch(format!("batch normalisation of {x:?} by {:?}", &operands[1..]));
    }
    Ok(x.to_vec())
}
