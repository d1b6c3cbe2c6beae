//! What went wrong, and whether the input or the machine is at fault.

use std::path::{Path, PathBuf};

use headstart::pack::Pack;
use headstart::tail::Tail;

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
    /// The pack's tail needs an engine, and this build has none.
    #[error(
        "{}: node '{node}' is the first of the pack's trainable tail, which is float arithmetic, and this program was built without an engine for that: build it with --features flex, or pack the model with --tail drop",
        path.display()
    )]
    NoEngine {
        /// The pack, or a head for it.
        path: PathBuf,
        /// The tail's first node.
        node: String,
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

    /// That nothing here runs the tail of `pack`.
    #[must_use]
    pub fn no_engine(path: &Path, pack: &Pack<'_>) -> Self {
        let tail = Tail::parse(pack).ok().flatten();
        let first = tail.as_ref().and_then(|tail| tail.graph.nodes.first());
        let node = first.map_or_else(String::new, |node| node.name.clone());
        Self::NoEngine { path: path.to_owned(), node }
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
            Self::Sample { .. }
            | Self::Pack { .. }
            | Self::State { .. }
            | Self::NoEngine { .. } => 1,
        }
    }
}
