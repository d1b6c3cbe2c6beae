//! `PRelu`: `x` if `x ≥ 0`, else `slope · x`.

use std::format;
use std::vec::Vec;

use super::Facts;
use crate::graph::GraphError;
use crate::graph::shape::{broadcast, mismatch};

pub(super) fn facts() -> Facts {
    Facts {
        name: "PRelu",
        operands: 2..=2,
        trainable: 0..2,
        slides_window: false,
        broadcasts: true,
        averages: false,
        computes: true,
        selects: false,
        finishes: true,
        gives_probabilities: false,
        commutes_with_rounding: false,
    }
}

pub(super) fn output_shape(operands: &[&[usize]]) -> Result<Vec<usize>, GraphError> {
    let (x, slope) = (operands[0], operands[1]);
    if broadcast(x, slope)? != x {
        return mismatch(format!("a slope of {slope:?} for {x:?}"));
    }
    Ok(x.to_vec())
}
