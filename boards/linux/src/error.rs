//! What went wrong, and whether the input or the machine is at fault.

use std::path::{Path, PathBuf};

use crate::{samples, state};

/// An error with the path that it is about. The message is whole: there is no source behind it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A sample, or a folder of them, was refused.
    #[error("{}: {problem}", path.display())]
    Sample {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        problem: samples::Problem,
    },
    /// The runtime refused a pack, or a sample for it.
    #[error("{}: {problem}", path.display())]
    Pack {
        /// The pack or the sample.
        path: PathBuf,
        /// The rule that it breaks.
        problem: headstart::Error,
    },
    /// The state folder holds something that was refused.
    #[error("{}: {problem}", path.display())]
    State {
        /// The file in the state folder, or the folder.
        path: PathBuf,
        /// What is wrong with it.
        problem: state::Problem,
    },
    /// A Burn backend failed in the middle of its work.
    #[error("{engine} failed: {reason}; without --engine the int8 kernels run the backbone")]
    Engine {
        /// Which, and where.
        engine: String,
        /// What it said.
        reason: String,
    },
    /// The machine failed.
    #[error("{}: {action} failed: {reason}", path.display())]
    Machine {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// What the operating system said.
        reason: std::io::Error,
    },
}

impl Error {
    pub(crate) fn sample(path: &Path, problem: samples::Problem) -> Self {
        Self::Sample { path: path.to_owned(), problem }
    }

    pub(crate) fn pack(path: &Path, problem: headstart::Error) -> Self {
        Self::Pack { path: path.to_owned(), problem }
    }

    pub(crate) fn state(path: &Path, problem: state::Problem) -> Self {
        Self::State { path: path.to_owned(), problem }
    }

    /// For `map_err`: the machine failed at `action` on `path`.
    pub(crate) fn machine(
        path: &Path,
        action: &'static str,
    ) -> impl FnOnce(std::io::Error) -> Self {
        move |reason| Self::Machine { path: path.to_owned(), action, reason }
    }

    /// 1 where the input was refused, 2 where the machine failed.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Machine { .. } | Self::Engine { .. } => 2,
            Self::State { problem: state::Problem::Busy, .. } => 2,
            Self::Sample { .. } | Self::Pack { .. } | Self::State { .. } => 1,
        }
    }
}
