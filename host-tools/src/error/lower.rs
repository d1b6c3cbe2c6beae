use std::fmt;

/// A node that has no int8 form.
#[derive(Debug, thiserror::Error)]
#[error("node '{node}' ({operator}): {why}")]
pub struct LowerError {
    /// The node's name in the source model.
    pub node: String,
    /// The node's operator.
    pub operator: &'static str,
    /// What is missing for an int8 form.
    pub why: NoForm,
}

/// Where a model can be frozen instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// At this tensor, or one before it.
    At(String),
    /// At this tensor, or one behind it.
    Behind(String),
    /// Nowhere.
    Nothing,
}

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(tensor) => write!(f, "freeze at '{tensor}', or before it"),
            Self::Behind(tensor) => write!(f, "freeze at '{tensor}', or behind it"),
            Self::Nothing => {
                f.write_str("no tensor of the model can be frozen at: choose another model")
            }
        }
    }
}

/// A reason why a node has no int8 form.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoForm {
    /// Neither the model nor samples say the range of one of its tensors.
    #[error("the model has no scale for tensor '{tensor}'")]
    NoRange {
        /// The tensor's name.
        tensor: String,
    },
    /// No int8 node does what this node does; the text says what that is, and what could be done.
    #[error("{0}")]
    Unsupported(String),
}

impl From<String> for NoForm {
    fn from(what: String) -> Self {
        Self::Unsupported(what)
    }
}

impl From<&str> for NoForm {
    fn from(what: &str) -> Self {
        Self::Unsupported(what.to_owned())
    }
}
