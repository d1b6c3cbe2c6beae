//! `Reshape`: the same elements in another shape.

use std::format;
use std::vec::Vec;

use super::Facts;
use crate::graph::GraphError;
use crate::graph::shape::{elements, mismatch};

pub(super) fn facts() -> Facts {
    Facts {
        name: "Reshape",
        operands: 1..=1,
        trainable: 0..0,
        slides_window: false,
        broadcasts: false,
        averages: false,
        computes: false,
        selects: true,
        finishes: true,
        gives_probabilities: false,
        commutes_with_rounding: true,
    }
}

pub(super) fn output_shape(shape: &[usize], x: &[usize]) -> Result<Vec<usize>, GraphError> {
    if elements(shape)? != elements(x)? {
        return mismatch(format!("{x:?} does not reshape to {shape:?}"));
    }
    Ok(shape.to_vec())
}
