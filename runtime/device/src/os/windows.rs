//! What Windows has in the place of what Unix calls by these names. It compiles; nobody has run it.

use std::fs::{DirBuilder, Metadata};
use std::os::windows::fs::MetadataExt as _;

/// Hundreds of nanoseconds a second: Windows counts its times so.
const A_SECOND: u64 = 10_000_000;

/// Which file it is. The standard library knows no number of a file here: its age takes the place of that.
pub(crate) trait MetadataExt {
    fn dev(&self) -> u64;
    fn ino(&self) -> u64;
    fn size(&self) -> u64;
    fn mtime(&self) -> i64;
    fn mtime_nsec(&self) -> i64;
    fn ctime(&self) -> i64;
    fn ctime_nsec(&self) -> i64;
}

impl MetadataExt for Metadata {
    fn dev(&self) -> u64 {
        0
    }

    fn ino(&self) -> u64 {
        self.creation_time()
    }

    fn size(&self) -> u64 {
        self.file_size()
    }

    fn mtime(&self) -> i64 {
        (self.last_write_time() / A_SECOND).cast_signed()
    }

    fn mtime_nsec(&self) -> i64 {
        (self.last_write_time() % A_SECOND * 100).cast_signed()
    }

    fn ctime(&self) -> i64 {
        self.mtime()
    }

    fn ctime_nsec(&self) -> i64 {
        self.mtime_nsec()
    }
}

/// Who may read a folder: here whom the folder around it lets in.
pub(crate) trait DirBuilderExt {
    fn mode(&mut self, mode: u32) -> &mut Self;
}

impl DirBuilderExt for DirBuilder {
    fn mode(&mut self, _mode: u32) -> &mut Self {
        self
    }
}

/// Folders as what is locked, and what is made durable.
pub(crate) mod folder {
    use std::fs::{File, OpenOptions};
    use std::io::Result;
    use std::path::Path;

    /// A folder cannot be locked here; this file in it is.
    const LOCKED: &str = ".headstart.lock";

    /// What keeps others out of a folder once it is locked: a file in it.
    ///
    /// # Errors
    /// The system's; [`std::io::ErrorKind::NotFound`] where there is no such folder.
    pub(crate) fn to_lock(folder: &Path) -> Result<File> {
        OpenOptions::new().write(true).create(true).truncate(false).open(folder.join(LOCKED))
    }

    /// Whether this path still names that open folder. It does: nobody removes a folder in which a file is open.
    ///
    /// # Errors
    /// None.
    pub(crate) fn is(_folder: &Path, _open: &File) -> Result<bool> {
        Ok(true)
    }

    /// Does nothing: Windows gives no way to wait for a folder's own entries.
    ///
    /// # Errors
    /// None.
    pub(crate) fn sync(_folder: &Path) -> Result<()> {
        Ok(())
    }
}
