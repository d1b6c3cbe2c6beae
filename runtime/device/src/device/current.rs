//! The head that was read last.

use std::path::PathBuf;
use std::sync::Arc;

use crate::Head;
use crate::os::fs::{self, Metadata, MetadataExt};
use crate::state::StateFolder;

/// The head that answers, and which file it was.
pub(super) struct Current {
    /// Where the state's head is.
    path: Option<PathBuf>,
    pub(super) read: Option<(Option<Stamp>, Arc<Head>)>,
}

/// Which file it is: a commit makes another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    changed: (i64, i64),
    bytes: u64,
}

impl Stamp {
    /// That of a file whose content counts, whatever becomes of its names.
    pub(super) fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            changed: (file.mtime(), file.mtime_nsec()),
            bytes: file.size(),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Current {
    pub(super) fn new(state: Option<&StateFolder>) -> Self {
        Self { path: state.map(StateFolder::head_path), read: None }
    }

    /// Which file there is now.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        let file = fs::metadata(self.path.as_ref()?).ok()?;
        Some(Stamp {
            device: file.dev(),
            inode: file.ino(),
            changed: (file.ctime(), file.ctime_nsec()),
            bytes: file.size(),
        })
    }
}
