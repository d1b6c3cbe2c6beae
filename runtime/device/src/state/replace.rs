//! Replacing a file so that a power cut leaves the old or the new one.

use std::io::Write;
use std::path::Path;

use crate::Error;
use crate::os::{folder as folders, fs, tempfile};

/// How temporary files begin and end; what a killed process left behind is known by it.
const TEMPORARY: (&str, &str) = (".headstart-", ".tmp");

/// Replaces `folder/name` by `content`: temporary file in the same folder → write → fsync → rename
/// → fsync of the folder.
///
/// The temporary file is removed on an error. A failed fsync is not tried again: the kernel may
/// have dropped the pages that it could not write, and a second fsync would then claim success.
///
/// # Errors
/// [`Error::Machine`]. Up to the rename the old file is unchanged.
pub(super) fn replace(folder: &Path, name: &str, content: &[u8]) -> Result<(), Error> {
    add(folder, name, content)?;
    sync_folder(folder)
}

/// Puts a file in its place without the folder's fsync: for many files, which one fsync makes durable.
///
/// # Errors
/// As [`replace`].
pub(super) fn add(folder: &Path, name: &str, content: &[u8]) -> Result<(), Error> {
    let path = folder.join(name);
    let mut file = temporary(folder)
        .map_err(Error::machine(&path, "creating the new file (the old state is kept)"))?;
    file.as_file_mut()
        .write_all(content)
        .map_err(Error::machine(&path, "writing the new file (the old state is kept)"))?;
    file.as_file()
        .sync_all()
        .map_err(Error::machine(&path, "storing the new file (the old state is kept)"))?;
    file.persist(&path)
        .map_err(|e| e.error)
        .map_err(Error::machine(&path, "renaming the new file (the old state is kept)"))?;
    Ok(())
}

pub(super) fn temporary(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(TEMPORARY.0).suffix(TEMPORARY.1).tempfile_in(folder)
}

/// Makes renames and removals in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), Error> {
    folders::sync(folder).map_err(Error::machine(folder, "making the change durable"))
}

/// Removes temporary files of a killed process.
pub(super) fn remove_leftovers(folder: &Path) -> Result<(), Error> {
    let listing = |e| Error::machine(folder, "listing the folder")(e);
    for entry in fs::read_dir(folder).map_err(listing)? {
        let entry = entry.map_err(listing)?;
        let name = entry.file_name();
        let bytes = name.as_encoded_bytes();
        if bytes.starts_with(TEMPORARY.0.as_bytes()) && bytes.ends_with(TEMPORARY.1.as_bytes()) {
            fs::remove_file(entry.path())
                .map_err(Error::machine(&entry.path(), "removing a left-over file"))?;
        }
    }
    Ok(())
}
