use std::string::String;

/// A graph that breaks a rule of shapes or of order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphError {
    /// A tensor has more dimensions than [`MAX_RANK`](super::MAX_RANK).
    Rank {
        /// How many dimensions the tensor has.
        found: usize,
    },
    /// A tensor has more elements than [`MAX_ELEMENTS`](super::MAX_ELEMENTS).
    TooManyElements,
    /// A constant's data does not fill its shape.
    DataLength {
        /// Elements of the shape.
        expected: usize,
        /// Elements of the data.
        found: usize,
    },
    /// A node reads a value that does not exist.
    UnknownValue {
        /// The index that the node reads.
        value: usize,
    },
    /// A node has the wrong number of operands.
    Operands {
        /// How many operands the node has.
        found: usize,
    },
    /// The operands' shapes do not fit together; the text says how.
    Shape(String),
}

impl core::fmt::Display for GraphError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Rank { found } => {
                write!(
                    f,
                    "a tensor of {found} dimensions; at most {} are supported",
                    super::MAX_RANK
                )
            }
            Self::TooManyElements => {
                write!(f, "a tensor of more than {} elements", super::MAX_ELEMENTS)
            }
            Self::DataLength { expected, found } => {
                write!(f, "a constant of {expected} elements with data for {found}")
            }
            Self::UnknownValue { value } => write!(f, "operand {value} does not exist"),
            Self::Operands { found } => {
                write!(f, "{found} operands are not what the operator takes")
            }
            Self::Shape(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for GraphError {}
