use std::format;
use std::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Facts;
use crate::graph::GraphError;
use crate::graph::shape::mismatch;

/// Which values fill the padding.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum PadMode {
    /// One constant value.
    Constant(f32),
    /// The tensor mirrored about its edge element, which is not repeated.
    Reflect,
    /// The element at the edge, repeated.
    Edge,
    /// The tensor itself, repeated as on a ring.
    Wrap,
}

/// `Pad`: operand `x`; amounts per dimension, never negative.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pad {
    /// How many elements stand before the first one of each dimension.
    pub begin: Vec<usize>,
    /// How many elements stand behind the last one of each dimension.
    pub end: Vec<usize>,
    /// What fills the padding.
    pub mode: PadMode,
}

pub(super) fn facts(pad: &Pad) -> Facts {
    let selects = match pad.mode {
        PadMode::Constant(value) => value == 0.0,
        PadMode::Reflect | PadMode::Edge | PadMode::Wrap => true,
    };
    Facts {
        name: "Pad",
        operands: 1..=1,
        trainable: 0..0,
        slides_window: false,
        broadcasts: false,
        averages: false,
        computes: false,
        selects,
        finishes: false,
        gives_probabilities: false,
        commutes_with_rounding: selects,
    }
}

pub(super) fn output_shape(pad: &Pad, x: &[usize]) -> Result<Vec<usize>, GraphError> {
    if pad.begin.len() != x.len() || pad.end.len() != x.len() {
        return mismatch(format!("padding of {} dimensions for {x:?}", pad.begin.len()));
    }
    (0..x.len())
        .map(|i| {
            x[i].checked_add(pad.begin[i])
                .and_then(|n| n.checked_add(pad.end[i]))
                .ok_or(GraphError::TooManyElements)
        })
        .collect()
}
