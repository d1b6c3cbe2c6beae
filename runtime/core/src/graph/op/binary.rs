use std::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Facts;
use crate::graph::GraphError;
use crate::graph::shape::broadcast;

/// An operator of two operands that broadcast by NumPy's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Binary {
    /// Sum: `a + b`.
    Add,
    /// Difference: `a − b`.
    Sub,
    /// Product: `a · b`.
    Mul,
    /// Quotient: `a / b`.
    Div,
}

/// What is added to a tensor can be trained, as a bias is; factors are not.
pub(super) fn facts(binary: Binary) -> Facts {
    let (name, trainable) = match binary {
        Binary::Add => ("Add", 0..2),
        Binary::Sub => ("Sub", 0..0),
        Binary::Mul => ("Mul", 0..0),
        Binary::Div => ("Div", 0..0),
    };
    Facts {
        name,
        operands: 2..=2,
        trainable,
        slides_window: false,
        broadcasts: true,
        averages: false,
        computes: true,
        selects: false,
        finishes: false,
        gives_probabilities: false,
        commutes_with_rounding: false,
    }
}

pub(super) fn output_shape(operands: &[&[usize]]) -> Result<Vec<usize>, GraphError> {
    broadcast(operands[0], operands[1])
}
