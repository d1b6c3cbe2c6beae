//! What a command of the host refuses, and why.

use std::path::PathBuf;

use crate::import::onnx::ImportError;
use crate::quantise::lower::LowerError;

/// An error of the host tools; every message names the file or the node and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model's file was refused.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// Samples or a state folder were refused.
    #[error(transparent)]
    Samples(#[from] headstart_device::Error),
    /// A decoded picture does not fit the model.
    #[error("{}: {problem}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// The rule that it breaks.
        problem: headstart::Error,
    },
    /// The model's input is no tensor that a device could fill.
    #[error(
        "{}: its input has shape {shape:?}; a batch of 1 and one to three dimensions are needed",
        model.display()
    )]
    Input {
        /// The model's file.
        model: PathBuf,
        /// The input's shape.
        shape: Vec<usize>,
    },
    /// The float graph cannot be executed.
    #[error("{}: {problem}", model.display())]
    Execute {
        /// The model's file.
        model: PathBuf,
        /// What the executor says.
        problem: String,
    },
    /// A node has no int8 form.
    #[error("{}: {problem}", model.display())]
    Lower {
        /// The model's file.
        model: PathBuf,
        /// The node and what could be done.
        problem: LowerError,
    },
    /// A pack was refused, or would break a rule of the format.
    #[error("{}: {problem}", pack.display())]
    Pack {
        /// The pack.
        pack: PathBuf,
        /// The rule.
        problem: headstart::Error,
    },
    /// A file that is no key.
    #[error("{}: is not {expected}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What was expected.
        expected: &'static str,
    },
    /// An option does not fit the model or the other options.
    #[error("{0}")]
    Option(String),
    /// The pack that is being made breaks a rule of the format.
    #[error("the new pack: {0}")]
    NewPack(headstart::Error),
    /// A board at a cable refused, or cannot be reached.
    #[error("{0}")]
    Cable(#[from] headstart_cable::client::Error),
    /// Another program could not do its work.
    #[error("{command}: {source}")]
    Tool {
        /// Its command line.
        command: String,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A file cannot be written; what was there before is unchanged.
    #[error("{}: cannot be written ({source}); what was there before is unchanged", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file cannot be read.
    #[error("{}: cannot be read ({source}): check the path and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl Error {
    /// 1 where the input was refused, 2 where the machine failed.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Unwritable { .. } | Self::Tool { .. } => 2,
            Self::Samples(error) => error.exit_status(),
            Self::Cable(error) => error.exit_status(),
            _ => 1,
        }
    }
}
