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
