//! The bytes of a model's file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::Problem;

/// Largest model file, external data not counted.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// Reads a file of at most [`MAX_FILE_BYTES`].
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Problem> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    if length <= MAX_FILE_BYTES {
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    }
    check_size(length.max(bytes.len() as u64))?;
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
