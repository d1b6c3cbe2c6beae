use std::string::String;

use crate::graph::GraphError;

/// A graph or an input that the executor does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExecuteError {
    /// A node breaks a rule of shapes.
    Node {
        /// The node's name.
        node: String,
        /// The rule that it breaks.
        source: GraphError,
    },
    /// A value breaks a rule of shapes.
    Value {
        /// The value's name.
        value: String,
        /// The rule that it breaks.
        source: GraphError,
    },
    /// A value that is wanted or read has no contents at that point.
    Undefined {
        /// The value's name, or its index if there is no such value.
        value: String,
    },
    /// A value without elements that a node would have to compute something from.
    Empty {
        /// The value's name.
        value: String,
    },
    /// A node slides a window over more than three spatial dimensions.
    SpatialRank {
        /// The node's name.
        node: String,
    },
    /// There are more or fewer inputs than the graph has.
    InputCount {
        /// How many inputs the graph has.
        expected: usize,
        /// How many inputs were given.
        found: usize,
    },
    /// An input does not have the graph's shape, nor a multiple of it along the first dimension.
    InputShape {
        /// The input's name.
        input: String,
        /// The shape that the graph states.
        expected: std::vec::Vec<usize>,
        /// The shape that was given.
        found: std::vec::Vec<usize>,
    },
    /// The graph mixes its batch with other dimensions at that node: it runs only at its own batch.
    FixedBatch {
        /// The node's name.
        node: String,
    },
    /// A sample to train on is not in the table, or its class or length is not the head's.
    Sample {
        /// The sample's index.
        index: usize,
    },
    /// The backend did not give a result back.
    Backend(String),
}

impl core::fmt::Display for ExecuteError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Node { node, source } => write!(f, "node '{node}': {source}"),
            Self::Value { value, source } => write!(f, "tensor '{value}': {source}"),
            Self::Undefined { value } => {
                write!(f, "tensor '{value}' is read before anything computes it")
            }
            Self::Empty { value } => write!(f, "tensor '{value}' has no elements"),
            Self::SpatialRank { node } => {
                write!(f, "node '{node}': one to three spatial dimensions are supported")
            }
            Self::InputCount { expected, found } => {
                write!(f, "{found} inputs for a graph that takes {expected}")
            }
            Self::InputShape { input, expected, found } => write!(
                f,
                "input '{input}' has shape {found:?}; {expected:?} is needed, or a multiple of its \
                 first dimension"
            ),
            Self::FixedBatch { node } => write!(
                f,
                "node '{node}' mixes the batch with other dimensions: run one batch at a time"
            ),
            Self::Sample { index } => {
                write!(f, "sample {index} does not fit the head: no such row, class or length")
            }
            Self::Backend(what) => write!(f, "the backend failed: {what}"),
        }
    }
}

impl core::error::Error for ExecuteError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Node { source, .. } | Self::Value { source, .. } => Some(source),
            _ => None,
        }
    }
}
