//! An operating system.

pub(crate) use std::time::Instant;

/// Files that go where they were not given a place.
pub(crate) mod tempfile {
    pub(crate) use ::tempfile::{Builder, NamedTempFile};
}

/// Files.
pub(crate) mod fs {
    pub(crate) use std::fs::{
        DirBuilder, File, Metadata, TryLockError, canonicalize, create_dir, metadata, read_dir,
        remove_dir, remove_file, rename, symlink_metadata,
    };
    #[cfg(unix)]
    pub(crate) use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    use std::path::Path;

    #[cfg(windows)]
    pub(crate) use super::super::windows::{DirBuilderExt, MetadataExt};

    /// Whether the path leads to a folder.
    pub(crate) fn is_dir(path: &Path) -> bool {
        path.is_dir()
    }

    /// Whether the path leads to a plain file.
    pub(crate) fn is_file(path: &Path) -> bool {
        path.is_file()
    }

    /// Whether something is there.
    ///
    /// # Errors
    /// Where that cannot be told.
    pub(crate) fn exists(path: &Path) -> std::io::Result<bool> {
        path.try_exists()
    }
}

/// Memory of its own, and maps of files.
pub(crate) mod map {
    pub(crate) use memmap2::{Mmap, MmapMut};
}
