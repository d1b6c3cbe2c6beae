//! Reasons why training made no head, each with what to do about it.

use crate::memory::OutOfMemory;

/// A reason why nothing was trained.
///
/// What it was about stands in [`Error::Training`](crate::Error::Training) beside it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingProblem {
    /// The samples do not make a head.
    #[error("no head can be learned from these samples ({0}): add samples, or learn with auto")]
    Samples(#[from] headstart::Error),
    /// There are too few classes to leave one out.
    #[error(
        "{found} classes do not tell what is strange to them: teach {least} or more, or set no limit to false accepts"
    )]
    FewClasses {
        /// How many classes have samples.
        found: usize,
        /// How many classes there must be.
        least: usize,
    },
    /// A pattern names no layer of the tail.
    #[error("no layer of the tail that can be trained is called {0:?}: the pack's info lists them")]
    NoLayer(String),
    /// Burn failed on this engine.
    #[error("no head can be trained on this engine ({0}): use another engine, or none")]
    Engine(String),
    /// The engine was not compiled into this program.
    #[error("this program was built without that engine: build it with one of them, or use none")]
    EngineMissing,
    /// The progress of training cannot be kept.
    #[error("how far the training has come cannot be kept: {0}")]
    Progress(String),
    /// The system gives no more memory.
    #[error(
        "there is no memory for {bytes} bytes more: nothing is changed; close other programs, or learn with less memory"
    )]
    Memory {
        /// Bytes that were asked for.
        bytes: usize,
    },
    /// The observer asked to stop.
    #[error("stopped before it was done")]
    Stopped,
}

impl From<OutOfMemory> for TrainingProblem {
    fn from(OutOfMemory { bytes }: OutOfMemory) -> Self {
        Self::Memory { bytes }
    }
}
