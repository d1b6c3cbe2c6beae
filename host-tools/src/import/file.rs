//! Reads the bytes of a model's file.

use std::path::Path;

use headstart_device::plain;

use crate::error::Problem;

/// The largest model file, external data not counted.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// Reads a plain file of at most [`MAX_FILE_BYTES`].
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Problem> {
    let bytes = plain::read(path, MAX_FILE_BYTES)?;
    check_size(bytes.len() as u64)?;
    Ok(bytes)
}

/// Refuses a file that is empty or too long.
pub(super) fn check_size(length: u64) -> Result<(), Problem> {
    if length == 0 {
        return Err(Problem::NotOnnx { byte: 0, what: "the file is empty" });
    }
    if length > MAX_FILE_BYTES {
        let what = "the file has too many bytes";
        return Err(Problem::Limit { what, found: length, limit: MAX_FILE_BYTES });
    }
    Ok(())
}
