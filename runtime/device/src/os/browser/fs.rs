//! Files in memory, by the names that `std::fs` has for what is done with them.
//!
//! They live as long as the module does: who wants to keep them takes them out, and puts them in again.

use std::ffi::OsString;
pub(crate) use std::fs::TryLockError;
use std::io::{ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard};

use super::tree::{Content, Node, from_root, tree};

/// An open file, or folder.
#[derive(Debug)]
pub struct File {
    node: Node,
    at: usize,
}

/// What is known of a file without its content.
#[derive(Clone, Debug)]
pub struct Metadata {
    node: Node,
    bytes: u64,
}

fn bytes(content: &Content) -> MutexGuard<'_, Vec<u8>> {
    content.lock().unwrap_or_else(|e| e.into_inner())
}

impl File {
    /// Opens what is there.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], [`ErrorKind::NotADirectory`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { node: tree().find(path.as_ref())?, at: 0 })
    }

    /// Makes a file that is not there yet.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`], and those of [`open`](Self::open) for its folder.
    pub fn create_new(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { node: tree().add(path.as_ref(), Some(Content::default()))?, at: 0 })
    }

    /// What is known of it.
    ///
    /// # Errors
    /// None.
    pub fn metadata(&self) -> Result<Metadata> {
        Ok(Metadata::of(self.node.clone()))
    }

    /// Does nothing: memory is written at once.
    ///
    /// # Errors
    /// None.
    pub fn sync_all(&self) -> Result<()> {
        Ok(())
    }

    /// Does nothing: there is one thread and no other program.
    pub(crate) fn try_lock(&self) -> std::result::Result<(), TryLockError> {
        Ok(())
    }

    fn content(&self) -> Result<&Content> {
        self.node.content.as_ref().ok_or_else(|| ErrorKind::IsADirectory.into())
    }
}

impl Read for File {
    fn read(&mut self, to: &mut [u8]) -> Result<usize> {
        let count = {
            let content = bytes(self.content()?);
            let rest = content.get(self.at..).unwrap_or_default();
            let count = rest.len().min(to.len());
            to[..count].copy_from_slice(&rest[..count]);
            count
        };
        self.at += count;
        Ok(count)
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (bytes(self.content()?).len() as u64, by),
            SeekFrom::Current(by) => (self.at as u64, by),
        };
        let at = from.checked_add_signed(by).ok_or(ErrorKind::InvalidInput)?;
        self.at = usize::try_from(at).map_err(|_| ErrorKind::InvalidInput)?;
        Ok(at)
    }
}

impl Write for File {
    /// Writes at the end.
    fn write(&mut self, from: &[u8]) -> Result<usize> {
        bytes(self.content()?).extend_from_slice(from);
        Ok(from.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Metadata {
    fn of(node: Node) -> Self {
        let bytes = node.content.as_ref().map_or(0, |content| bytes(content).len() as u64);
        Self { node, bytes }
    }

    /// Whether it is a folder.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.node.content.is_none()
    }

    /// Whether it is a file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.node.content.is_some()
    }

    /// Bytes of it.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "the name that std has")]
    pub fn len(&self) -> u64 {
        self.bytes
    }
}

/// Which file it is, by the names that Unix has.
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
        self.node.number
    }

    fn size(&self) -> u64 {
        self.bytes
    }

    fn mtime(&self) -> i64 {
        self.node.number.cast_signed()
    }

    fn mtime_nsec(&self) -> i64 {
        0
    }

    fn ctime(&self) -> i64 {
        self.node.changed.cast_signed()
    }

    fn ctime_nsec(&self) -> i64 {
        0
    }
}

/// Makes folders.
#[derive(Debug, Default)]
pub(crate) struct DirBuilder;

impl DirBuilder {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn create(&self, path: impl AsRef<Path>) -> Result<()> {
        create_dir(path)
    }
}

/// Who may read a folder. Nobody else can, here.
pub(crate) trait DirBuilderExt {
    fn mode(&mut self, mode: u32) -> &mut Self;
}

impl DirBuilderExt for DirBuilder {
    fn mode(&mut self, _mode: u32) -> &mut Self {
        self
    }
}

/// Something in a folder.
#[derive(Debug)]
pub struct DirEntry(PathBuf);

impl DirEntry {
    /// Its path: the folder's as it was given, and its name.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.0.clone()
    }

    /// Its name.
    #[must_use]
    pub fn file_name(&self) -> OsString {
        self.0.file_name().unwrap_or_default().to_owned()
    }
}

/// Lists what is in a folder.
///
/// # Errors
/// [`ErrorKind::NotFound`], [`ErrorKind::NotADirectory`].
pub fn read_dir(path: impl AsRef<Path>) -> Result<impl Iterator<Item = Result<DirEntry>>> {
    Ok(tree().names(path.as_ref())?.into_iter().map(|path| Ok(DirEntry(path))))
}

/// What is known of what has this path.
///
/// # Errors
/// [`ErrorKind::NotFound`], [`ErrorKind::NotADirectory`].
pub fn metadata(path: impl AsRef<Path>) -> Result<Metadata> {
    tree().find(path.as_ref()).map(Metadata::of)
}

/// The same: there are no links.
pub(crate) fn symlink_metadata(path: impl AsRef<Path>) -> Result<Metadata> {
    metadata(path)
}

/// Makes a folder.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`], and where the folder above is missing.
pub fn create_dir(path: impl AsRef<Path>) -> Result<()> {
    tree().add(path.as_ref(), None).map(drop)
}

/// Removes a folder that is empty.
///
/// # Errors
/// [`ErrorKind::NotFound`], [`ErrorKind::NotADirectory`], [`ErrorKind::DirectoryNotEmpty`].
pub fn remove_dir(path: impl AsRef<Path>) -> Result<()> {
    tree().remove(path.as_ref(), true)
}

/// Removes a file.
///
/// # Errors
/// [`ErrorKind::NotFound`], [`ErrorKind::IsADirectory`].
pub fn remove_file(path: impl AsRef<Path>) -> Result<()> {
    tree().remove(path.as_ref(), false)
}

/// Gives a file another name, and takes the place of a file that has it.
///
/// # Errors
/// [`ErrorKind::NotFound`], [`ErrorKind::IsADirectory`].
pub fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
    tree().rename(from.as_ref(), to.as_ref())
}

/// The path from the root of what is there.
pub(crate) fn canonicalize(path: impl AsRef<Path>) -> Result<PathBuf> {
    tree().find(path.as_ref())?;
    Ok(Path::new("/").join(from_root(path.as_ref())))
}

/// Reads a whole file.
///
/// # Errors
/// [`ErrorKind::NotFound`], [`ErrorKind::IsADirectory`].
pub fn read(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let file = File::open(path)?;
    let content = bytes(file.content()?).clone();
    Ok(content)
}

/// Puts a file with this content in its place, with the folders above it.
///
/// # Errors
/// Where a folder has its name, or a file that of a folder above it.
pub fn put(path: impl AsRef<Path>, content: Vec<u8>) -> Result<()> {
    let path = path.as_ref();
    let above: Vec<&Path> = path.ancestors().skip(1).collect();
    for folder in above.into_iter().rev().filter(|folder| folder.file_name().is_some()) {
        if !metadata(folder).is_ok_and(|there| there.is_dir()) {
            create_dir(folder)?;
        }
    }
    if metadata(path).is_ok() {
        remove_file(path)?;
    }
    let content = Arc::new(std::sync::Mutex::new(content));
    tree().add(path, Some(content)).map(drop)
}

/// Whether the path leads to a folder.
pub(crate) fn is_dir(path: &Path) -> bool {
    metadata(path).is_ok_and(|found| found.is_dir())
}

/// Whether the path leads to a file.
pub(crate) fn is_file(path: &Path) -> bool {
    metadata(path).is_ok_and(|found| found.is_file())
}

/// Whether something is there.
pub(crate) fn exists(path: &Path) -> Result<bool> {
    Ok(metadata(path).is_ok())
}

#[cfg(test)]
mod tests {
    use super::super::tempfile;
    use super::*;

    fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
        result.err().map(|error| error.kind())
    }

    /// Each call on both, and what came of it: an error's kind, or none.
    macro_rules! both {
        ($root:expr, $call:ident $(, $path:literal)+) => {{
            let expected = kind(std::fs::$call($($root.path().join($path)),+));
            let found = kind($call($(Path::new("/both").join($path)),+));
            assert_eq!(found, expected, "{} {:?}", stringify!($call), [$($path),+]);
        }};
    }

    #[test]
    fn files_in_memory_do_what_files_do() {
        let root = ::tempfile::tempdir().unwrap();
        create_dir("/both").unwrap();
        both!(root, create_dir, "a");
        both!(root, create_dir, "a");
        both!(root, create_dir, "b/c");
        both!(root, metadata, "a/none");
        both!(root, remove_file, "a/none");
        both!(root, remove_file, "a");
        std::fs::write(root.path().join("a/file"), "one").unwrap();
        put("/both/a/file", b"one".to_vec()).unwrap();
        both!(root, metadata, "a/file");
        both!(root, metadata, "a/file/below");
        both!(root, create_dir, "a/file/below");
        both!(root, remove_dir, "a/file");
        both!(root, remove_dir, "a");
        both!(root, rename, "a/none", "a/other");
        both!(root, rename, "a/file", "none/other");
        both!(root, rename, "a/file", "a/other");
        both!(root, metadata, "a/file");
        assert_eq!(read("/both/a/other").unwrap(), b"one");
        let mut file = File::open("/both/a/other").unwrap();
        let mut end = String::new();
        assert_eq!(file.seek(SeekFrom::End(-2)).unwrap(), 1);
        file.read_to_string(&mut end).unwrap();
        assert_eq!(end, "ne");
        assert!(file.seek(SeekFrom::Current(-4)).is_err());
        both!(root, remove_file, "a/other");
        both!(root, remove_dir, "a");
        both!(root, metadata, "a");
        remove_dir("/both").unwrap();
    }

    #[test]
    fn another_file_of_the_name_is_another_one() {
        put("/stamps/file", b"one".to_vec()).unwrap();
        let first = metadata("/stamps/file").unwrap();
        put("/stamps/file", b"two".to_vec()).unwrap();
        let second = metadata("/stamps/file").unwrap();
        assert_ne!(first.ino(), second.ino());
        rename("/stamps/file", "/stamps/other").unwrap();
        let renamed = metadata("/stamps/other").unwrap();
        assert_eq!((renamed.ino(), renamed.size()), (second.ino(), 3));
        assert!(renamed.ctime() > second.ctime());
    }

    #[test]
    fn a_temporary_file_takes_its_place_or_goes() {
        put("/temporary/file", b"old".to_vec()).unwrap();
        let make = || {
            let mut builder = tempfile::Builder::new();
            builder.prefix(".a-").suffix(".tmp").tempfile_in("/temporary").unwrap()
        };
        drop(make());
        let mut new = make();
        new.as_file_mut().write_all(b"new").unwrap();
        let names = || read_dir("/temporary/").unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names().count(), 2);
        new.persist("/temporary/file").map_err(|e| e.error).unwrap();
        assert_eq!(names().collect::<Vec<_>>(), ["file"]);
        assert_eq!(read("/temporary/../temporary/./file").unwrap(), b"new");
    }
}
