//! Folders as what is locked, and what is made durable.

use std::io::{ErrorKind, Result};
use std::path::Path;

use super::fs::{self, File, Metadata, MetadataExt};

/// What keeps others out of a folder once it is locked: the folder itself.
///
/// # Errors
/// The system's; [`ErrorKind::NotFound`] where there is no such folder.
pub(crate) fn to_lock(folder: &Path) -> Result<File> {
    File::open(folder)
}

/// Whether this path still names that open folder: another one may have taken its place.
///
/// # Errors
/// The system's.
pub(crate) fn is(folder: &Path, open: &File) -> Result<bool> {
    let which = |metadata: Metadata| (metadata.dev(), metadata.ino());
    let open = which(open.metadata()?);
    match fs::metadata(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        named => Ok(which(named?) == open),
    }
}

/// Makes renames and removals in a folder durable.
///
/// # Errors
/// The system's.
pub(crate) fn sync(folder: &Path) -> Result<()> {
    File::open(folder)?.sync_all()
}
