//! Files that go where they were not given a place.

use std::io::Result;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::fs::{File, remove_file, rename};

/// How a temporary file is named.
#[derive(Debug, Default)]
pub(crate) struct Builder<'a> {
    prefix: &'a str,
    suffix: &'a str,
}

impl<'a> Builder<'a> {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn prefix(&mut self, prefix: &'a str) -> &mut Self {
        self.prefix = prefix;
        self
    }

    pub(crate) fn suffix(&mut self, suffix: &'a str) -> &mut Self {
        self.suffix = suffix;
        self
    }

    pub(crate) fn tempfile_in(&self, folder: impl AsRef<Path>) -> Result<NamedTempFile> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.as_ref().join(format!("{}{number:06}{}", self.prefix, self.suffix));
        Ok(NamedTempFile { file: File::create_new(&path)?, path })
    }
}

/// A file that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct NamedTempFile {
    file: File,
    path: PathBuf,
}

/// A file that did not get its place.
pub(crate) struct PersistError {
    pub(crate) error: std::io::Error,
}

impl NamedTempFile {
    pub(crate) fn as_file(&self) -> &File {
        &self.file
    }

    pub(crate) fn as_file_mut(&mut self) -> &mut File {
        &mut self.file
    }

    pub(crate) fn persist(self, path: impl AsRef<Path>) -> std::result::Result<(), PersistError> {
        rename(&self.path, path).map_err(|error| PersistError { error })
    }
}

impl Drop for NamedTempFile {
    fn drop(&mut self) {
        // It has another name where it got its place.
        let _ = remove_file(&self.path);
    }
}
