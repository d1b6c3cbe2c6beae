//! `Concat`: tensors side by side.

use std::format;
use std::vec::Vec;

use super::Facts;
use crate::graph::GraphError;
use crate::graph::shape::mismatch;

pub(super) fn facts() -> Facts {
    Facts {
        name: "Concat",
        operands: 1..=usize::MAX,
        trainable: 0..0,
        slides_window: false,
        broadcasts: false,
        averages: false,
        computes: true,
        selects: false,
        finishes: false,
        gives_probabilities: false,
        commutes_with_rounding: true,
    }
}

pub(super) fn output_shape(axis: usize, operands: &[&[usize]]) -> Result<Vec<usize>, GraphError> {
    let x = operands[0];
    let mut shape = x.to_vec();
    for other in &operands[1..] {
        let same = other.len() == x.len()
            && axis < x.len()
            && (0..x.len()).all(|i| i == axis || other[i] == x[i]);
        if !same {
            return mismatch(format!("{x:?} beside {other:?} along axis {axis}"));
        }
        shape[axis] = shape[axis].checked_add(other[axis]).ok_or(GraphError::TooManyElements)?;
    }
    if axis >= x.len() {
        return mismatch(format!("axis {axis} of {x:?}"));
    }
    Ok(shape)
}
