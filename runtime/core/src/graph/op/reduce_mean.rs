//! `ReduceMean`: the mean over some axes.

use std::format;
use std::vec::Vec;

use super::Facts;
use crate::graph::GraphError;
use crate::graph::shape::mismatch;

pub(super) fn facts() -> Facts {
    Facts {
        name: "ReduceMean",
        operands: 1..=1,
        trainable: 0..0,
        slides_window: false,
        broadcasts: false,
        averages: true,
        computes: true,
        selects: false,
        finishes: false,
        gives_probabilities: false,
        commutes_with_rounding: false,
    }
}

pub(super) fn output_shape(
    axes: &[usize],
    keep_dims: bool,
    x: &[usize],
) -> Result<Vec<usize>, GraphError> {
    if axes.iter().any(|&axis| axis >= x.len()) {
        return mismatch(format!("axes {axes:?} of {x:?}"));
    }
    let kept = |(i, &n): (usize, &usize)| match (axes.contains(&i), keep_dims) {
        (false, _) => Some(n),
        (true, true) => Some(1),
        (true, false) => None,
    };
    Ok(x.iter().enumerate().filter_map(kept).collect())
}
