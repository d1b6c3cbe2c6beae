//! Reads whole plain files of limited size: nothing is read of what is no file, or of one that is too long.

use std::io::{self, Read};
use std::path::Path;

use crate::os::fs::{self, File};

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlainProblem {
    /// The operating system refuses to read it.
    #[error("cannot be read ({0}): check the path and its permissions")]
    Unreadable(#[from] io::Error),
    /// The path leads to a folder, a pipe, a socket or a device.
    #[error("is not a plain file")]
    NotPlain,
    /// The file has more bytes than its kind may have.
    #[error("has {bytes} bytes or more; at most {limit} are read of such a file")]
    TooLong {
        /// How many bytes there are, as far as they were counted.
        bytes: u64,
        /// The most bytes of a file of this kind.
        limit: u64,
    },
}

/// Reads the plain file at `path`, of at most `limit` bytes.
///
/// # Errors
///
/// [`PlainProblem`], before anything is read where the file says it.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, PlainProblem> {
    // The kind is asked before opening: opening a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(PlainProblem::NotPlain);
    }
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    if bytes > limit {
        return Err(PlainProblem::TooLong { bytes, limit });
    }
    let mut content = Vec::with_capacity(bytes as usize);
    // It may grow while it is read, and files of /proc have no length.
    file.take(limit + 1).read_to_end(&mut content)?;
    match content.len() as u64 {
        bytes if bytes > limit => Err(PlainProblem::TooLong { bytes, limit }),
        _ => Ok(content),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_their_limit_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [7; 9]).unwrap();
        assert_eq!(read(&path, 9).unwrap(), [7; 9]);
        assert!(matches!(read(&path, 8), Err(PlainProblem::TooLong { bytes: 9, limit: 8 })));
        assert!(matches!(read(&folder.path().join("none"), 9), Err(PlainProblem::Unreadable(_))));
        for other in [folder.path(), Path::new("/dev/zero"), Path::new("/dev/null")] {
            assert!(matches!(read(other, 9), Err(PlainProblem::NotPlain)), "{}", other.display());
        }
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(matches!(read(&pipe, 9), Err(PlainProblem::NotPlain)));
        // A file that the disk has no room for.
        let sparse = File::create(folder.path().join("sparse")).unwrap();
        sparse.set_len(1 << 40).unwrap();
        let refused = read(&folder.path().join("sparse"), 1 << 20);
        assert!(matches!(refused, Err(PlainProblem::TooLong { .. })));
    }
}
