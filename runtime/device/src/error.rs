//! What went wrong, and who is at fault.

use std::path::{Path, PathBuf};

use headstart::pack::Pack;
use headstart::tail::Tail;

use crate::request::RequestProblem;
use crate::samples::SampleProblem;
use crate::shown;
use crate::state::StateProblem;
use crate::training::TrainingProblem;

/// An error with the path that it is about. The message is complete: there is no source behind it.
///
/// It names no option of a program: whoever has options says which of them help.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A sample, or a folder of them, was refused.
    #[error("{}: {problem}", shown::path(path))]
    Sample {
        /// The file or folder that was refused.
        path: PathBuf,
        /// What is wrong with the file or folder.
        problem: SampleProblem,
    },
    /// Several samples were refused, or one of those that were given together.
    #[error("{}", lines(.0))]
    Samples(Vec<Error>),
    /// The runtime refused a pack, or a sample for it.
    #[error("{}: {problem}", shown::path(path))]
    Pack {
        /// Path of the pack or the sample.
        path: PathBuf,
        /// The rule that it breaks.
        problem: headstart::Error,
    },
    /// The state folder holds something that was refused, or cannot take what would come.
    #[error("{}: {problem}", shown::path(path))]
    State {
        /// The file in the state folder, or the folder itself.
        path: PathBuf,
        /// What is wrong with the file or folder.
        problem: StateProblem,
    },
    /// The request cannot be done with this pack, this state or this program.
    #[error("{}: {problem}", shown::path(path))]
    Request {
        /// The pack or the state folder that it was about.
        path: PathBuf,
        /// Why the request was refused.
        problem: RequestProblem,
    },
    /// Training made no head.
    #[error("{}: {problem}", shown::path(path))]
    Training {
        /// The state folder.
        path: PathBuf,
        /// Why no head was made.
        problem: TrainingProblem,
    },
    /// A Burn backend failed in the middle of its work.
    #[error("{engine} failed: {reason}; the int8 kernels run the backbone too")]
    Engine {
        /// The backend that failed, and where it runs.
        engine: String,
        /// The backend's own message.
        reason: String,
    },
    /// The machine failed.
    #[error("{}: {action} failed: {reason}", shown::path(path))]
    Machine {
        /// The file or folder that it was about.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// The operating system's message.
        reason: std::io::Error,
    },
    /// The observer asked to stop; nothing was changed.
    #[error("stopped before it was done, and nothing is changed")]
    Stopped,
}

/// Who is at fault for an error, and so who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A pack or a sample is not what it should be.
    Input,
    /// The state folder is not what it should be.
    State,
    /// The caller asked for what cannot be done.
    Caller,
    /// The machine, or another process on it.
    Machine,
}

impl Error {
    pub(crate) fn sample(path: &Path, problem: SampleProblem) -> Self {
        Self::Sample { path: path.to_owned(), problem }
    }

    pub(crate) fn pack(path: &Path, problem: headstart::Error) -> Self {
        Self::Pack { path: path.to_owned(), problem }
    }

    pub(crate) fn state(path: &Path, problem: StateProblem) -> Self {
        Self::State { path: path.to_owned(), problem }
    }

    pub(crate) fn request(path: &Path, problem: RequestProblem) -> Self {
        Self::Request { path: path.to_owned(), problem }
    }

    pub(crate) fn training(path: &Path, problem: TrainingProblem) -> Self {
        match problem {
            TrainingProblem::Stopped => Self::Stopped,
            problem => Self::Training { path: path.to_owned(), problem },
        }
    }

    /// The error of a program that has nothing to run the tail of `pack` with.
    #[must_use]
    pub fn no_engine(path: &Path, pack: &Pack<'_>) -> Self {
        let tail = Tail::parse(pack).ok().flatten();
        let first = tail.as_ref().and_then(|tail| tail.graph.nodes.first());
        let node = first.map_or_else(String::new, |node| node.name.clone());
        Self::request(path, RequestProblem::NoEngine(node))
    }

    /// For `map_err`: the machine failed at `action` on `path`.
    pub(crate) fn machine(
        path: &Path,
        action: &'static str,
    ) -> impl FnOnce(std::io::Error) -> Self {
        move |reason| Self::Machine { path: path.to_owned(), action, reason }
    }

    /// The first of several.
    pub(crate) fn first(self) -> Self {
        match self {
            Self::Samples(mut errors) if !errors.is_empty() => errors.remove(0),
            error => error,
        }
    }

    /// Who is at fault for an error, and so who can mend it.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Training { problem: TrainingProblem::Memory { .. }, .. } => Fault::Machine,
            Self::Sample { .. } | Self::Samples(_) | Self::Pack { .. } | Self::Training { .. } => {
                Fault::Input
            }
            Self::State { problem: StateProblem::Busy, .. } => Fault::Machine,
            Self::State { .. } => Fault::State,
            Self::Request { .. } | Self::Stopped => Fault::Caller,
            Self::Machine { .. } | Self::Engine { .. } => Fault::Machine,
        }
    }

    /// A program's exit status: 1 where something was refused, 2 where the machine failed.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self.fault() {
            Fault::Machine => 2,
            Fault::Input | Fault::State | Fault::Caller => 1,
        }
    }
}

/// Each on its line, behind their number; one alone as it is.
fn lines(errors: &[Error]) -> String {
    if let [error] = errors {
        return error.to_string();
    }
    let each: Vec<String> = errors.iter().map(|error| format!("\n  {error}")).collect();
    format!("{} files are refused:{}", errors.len(), each.concat())
}
