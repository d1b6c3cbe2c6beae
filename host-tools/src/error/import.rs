use headstart_device::plain::PlainProblem;

/// A model that was refused, with the file that it is about.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct ImportError {
    /// The file, as the caller named it.
    pub file: String,
    /// The reason why it was refused.
    #[source]
    pub problem: Problem,
}

/// A reason why a model was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file cannot be read, is not a plain file, or is too long.
    #[error(transparent)]
    File(#[from] PlainProblem),
    /// The bytes are no ONNX model.
    #[error("is not an ONNX model, or a damaged one: {what} at byte {byte}")]
    NotOnnx {
        /// The first byte that does not fit.
        byte: usize,
        /// What is wrong with the bytes there.
        what: &'static str,
    },
    /// The bytes are no TensorFlow Lite model.
    #[error("is not a TensorFlow Lite model, or a damaged one: {what} at byte {byte}")]
    NotTflite {
        /// The first byte that does not fit.
        byte: usize,
        /// What is wrong with the bytes there.
        what: &'static str,
    },
    /// The model is larger than this tool takes.
    #[error("{what}: {found}; at most {limit} are accepted")]
    Limit {
        /// The thing that there is too much of.
        what: &'static str,
        /// How much of it the model has.
        found: u64,
        /// How much is accepted.
        limit: u64,
    },
    /// The model as a whole cannot be used; the text says why and what to do.
    #[error("{0}")]
    Model(String),
    /// A tensor's data is missing, of the wrong length or of a type that cannot be used.
    #[error("tensor {tensor:?}: {what}")]
    Tensor {
        /// The tensor's name.
        tensor: String,
        /// What is wrong with the data, and what to do.
        what: String,
    },
    /// An input has a dimension beside the batch that is left open.
    #[error(
        "tensor {tensor:?}: is an input whose dimension {dimension} is open ({symbol}); export the model with a fixed \
         size (only the batch size may be open)"
    )]
    Open {
        /// The input's name.
        tensor: String,
        /// The dimension's number, from 0.
        dimension: usize,
        /// The name that the file gives the dimension.
        symbol: String,
        /// Whether the dimension is one of a picture's rows and columns, which a caller can state.
        is_size: bool,
    },
    /// A node uses an operator that is not supported.
    #[error("node {node:?}: operator {operator} is not supported; {advice}")]
    Operator {
        /// The node's name.
        node: String,
        /// The operator, with its domain if that is not ONNX's own.
        operator: String,
        /// What could be done about it.
        advice: String,
    },
    /// A node's attributes or operands are not what its operator takes, or not supported.
    #[error("node {node:?} ({operator}): {what}")]
    Node {
        /// The node's name.
        node: String,
        /// The operator.
        operator: String,
        /// What is wrong with the node, and what to do.
        what: String,
    },
}

impl Problem {
    /// Names the file.
    pub(crate) fn in_file(self, file: &str) -> ImportError {
        ImportError { file: file.to_owned(), problem: self }
    }

    /// Refuses more of something than is accepted.
    pub(crate) fn check_limit(what: &'static str, found: usize, limit: usize) -> Result<(), Self> {
        if found > limit {
            return Err(Self::Limit { what, found: found as u64, limit: limit as u64 });
        }
        Ok(())
    }

    /// A problem of the tensor of that name.
    pub(crate) fn tensor(tensor: &str, what: impl Into<String>) -> Self {
        Self::Tensor { tensor: tensor.to_owned(), what: what.into() }
    }
}
