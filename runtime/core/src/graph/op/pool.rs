//! Pools: the maximum of a window, its place, the mean of a window, and the mean of all places.

use std::format;
use std::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Facts, Window};
use crate::graph::GraphError;
use crate::graph::shape::{elements, mismatch};

/// Most elements of a tensor whose elements are named by number: float32 holds every whole number up
/// to 2^24.
pub const MAX_INDEXED: usize = 1 << 24;

/// `MaxPool`: operand `x [N, C, …]`; padding never wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxPool {
    /// Where the window reads. With ONNX's `ceil_mode` the end padding is already extended.
    pub window: Window,
}

/// The second result of `MaxPool`: where in all of `x [N, C, …]` the maximum of each window stands;
/// the first one of several. The graph knows floats only, so it is a whole number in float32, and
/// `x` has at most [`MAX_INDEXED`] elements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxPoolIndices {
    /// Where the window reads.
    pub window: Window,
    /// Whether the elements of each plane are counted column by column.
    pub column_major: bool,
}

/// `AveragePool`: operand `x [N, C, …]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AveragePool {
    /// Where the window reads. With ONNX's `ceil_mode` the end padding is already extended.
    pub window: Window,
    /// Whether padding counts in the divisor (as zeros).
    pub count_include_pad: bool,
    /// How much of `pads_end` was added by `ceil_mode`: it never counts in the divisor.
    pub ceil_extra: Vec<usize>,
}

pub(super) fn max_facts() -> Facts {
    Facts {
        name: "MaxPool",
        operands: 1..=1,
        trainable: 0..0,
        slides_window: true,
        broadcasts: false,
        averages: false,
        computes: true,
        selects: true,
        finishes: false,
        gives_probabilities: false,
        commutes_with_rounding: true,
    }
}

pub(super) fn max_indices_facts() -> Facts {
    Facts {
        name: "MaxPool",
        operands: 1..=1,
        trainable: 0..0,
        slides_window: true,
        broadcasts: false,
        averages: false,
        computes: true,
        selects: false,
        finishes: false,
        gives_probabilities: false,
        commutes_with_rounding: false,
    }
}

pub(super) fn average_facts() -> Facts {
    Facts {
        name: "AveragePool",
        operands: 1..=1,
        trainable: 0..0,
        slides_window: true,
        broadcasts: false,
        averages: true,
        computes: true,
        selects: false,
        finishes: false,
        gives_probabilities: false,
        commutes_with_rounding: false,
    }
}

pub(super) fn global_average_facts() -> Facts {
    Facts {
        name: "GlobalAveragePool",
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

/// Of any pool that slides a window.
pub(super) fn output_shape(window: &Window, x: &[usize]) -> Result<Vec<usize>, GraphError> {
    if x.len() < 3 {
        return no_spatial_dimension(x);
    }
    let mut shape = x[..2].to_vec();
    shape.extend(window.output(&x[2..])?);
    Ok(shape)
}

pub(super) fn max_indices_output_shape(
    pool: &MaxPoolIndices,
    x: &[usize],
) -> Result<Vec<usize>, GraphError> {
    if elements(x)? > MAX_INDEXED || (pool.column_major && x.len() > 4) {
        return mismatch(format!("numbers of the elements of {x:?}"));
    }
    output_shape(&pool.window, x)
}

pub(super) fn global_output_shape(x: &[usize]) -> Result<Vec<usize>, GraphError> {
    if x.len() < 3 {
        return no_spatial_dimension(x);
    }
    Ok(x.iter().enumerate().map(|(i, &n)| if i < 2 { n } else { 1 }).collect())
}

fn no_spatial_dimension(x: &[usize]) -> Result<Vec<usize>, GraphError> {
    mismatch(format!("pooling over {x:?}, which has no spatial dimension"))
}
