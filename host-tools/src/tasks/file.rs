//! Files, read within limits and replaced in one step.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use headstart_device::plain;

use crate::error::Error as Refused;

/// Most bytes of what is read beside models and samples.
const MAX_PACK_BYTES: u64 = 1 << 30;
const MAX_KEY_BYTES: u64 = 4 << 10;

/// Reads a plain file of at most `limit` bytes.
///
/// # Errors
/// [`Refused::Unreadable`].
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Refused> {
    plain::read(path, limit)
        .map_err(|problem| Refused::Unreadable { path: path.to_owned(), problem })
}

/// Reads the bytes of a pack.
///
/// # Errors
/// [`Refused::Unreadable`].
pub fn read_pack(path: &Path) -> Result<Vec<u8>, Refused> {
    read(path, MAX_PACK_BYTES)
}

/// Reads the text of a key.
///
/// # Errors
/// [`Refused::Unreadable`].
pub fn read_key(path: &Path) -> Result<Vec<u8>, Refused> {
    read(path, MAX_KEY_BYTES)
}

/// Replaces a file in one step: it is old or new, and nothing is left beside it.
///
/// # Errors
/// The operating system's.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_for(path, bytes, 0o666)
}

/// Replaces a file with what is personal: only its owner can read it.
///
/// # Errors
/// The operating system's.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_for(path, bytes, 0o600)
}

/// `mode` is what the file may have of; the process's mask takes away from it.
#[cfg_attr(not(unix), allow(unused_variables, reason = "other systems have no modes"))]
fn write_for(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    let mut file = builder.prefix(".headstart-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_personal_is_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("head.hshr");
        // Also where a file that all can read is replaced.
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        write_private(&path, b"a head").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        write(&path, b"a pack").unwrap();
        assert_ne!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o400, 0);
    }
}
