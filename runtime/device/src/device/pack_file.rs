//! A pack's bytes, which nothing changes while it is used: a copy of its file, or a map of a large one.

use std::io::{Error as IoError, ErrorKind, Read};
use std::path::{Path, PathBuf};

use headstart::pack::Pack;

use super::current::Stamp;

use super::trust::Trust;
use crate::Error;
use crate::memory;
use crate::os::fs::{self, File};
use crate::os::map::{Mmap, MmapMut};
use crate::samples::SampleProblem;
use crate::state::{StateFolder, StateLock};

/// Most bytes of a pack.
const MAX_BYTES: u64 = 1 << 30;

/// Packs of fewer bytes are copied, however little memory is free.
const SMALL_BYTES: u64 = 64 << 20;

/// A larger one is copied where it takes at most this part of the memory that is free.
const COPIED_PART: u64 = 4;

/// A pack file of at most 1 GiB that was opened.
///
/// One of less than 64 MiB, or of at most a quarter of the memory that is free, is copied to memory of its own, read-only: whatever
/// becomes of the file, the pack stays as it was verified. Where memory is too short for that, it is mapped, so that its bytes stay in
/// the page cache. A map shows what is written into the file, and a shorter file ends the process: so replace packs by rename, as
/// package managers and our own tools do, which leaves the old file to the map. Work with a mapped file that was written into
/// is refused when it begins ([`Error::Machine`]).
#[derive(Debug)]
pub struct PackFile {
    path: PathBuf,
    map: Mmap,
    /// A mapped file, and what it was when its pack was verified.
    mapped: Option<(File, Stamp)>,
    /// Whose packs are used; anyone's without.
    trust: Option<Trust>,
    /// The highest security counter that was used before.
    least_counter: u64,
}

impl PackFile {
    /// Opens the pack file at `path`, whoever made it.
    ///
    /// # Errors
    /// [`Error::Sample`] for a file that is missing, not plain or too large, [`Error::Pack`] for an empty one,
    /// [`Error::Machine`] where there is no memory for it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, SMALL_BYTES, || memory::free() as u64)
    }

    fn open_with(path: &Path, small: u64, free: impl FnOnce() -> u64) -> Result<Self, Error> {
        let unreadable = |e| Error::sample(path, SampleProblem::Unreadable(e));
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(Error::sample(path, SampleProblem::NotAPackFile));
        }
        let mut file = File::open(path).map_err(unreadable)?;
        let stamp = Stamp::of(&file.metadata().map_err(unreadable)?);
        let bytes = stamp.bytes();
        if bytes == 0 {
            return Err(Error::pack(path, headstart::Error::Truncated));
        }
        if bytes > MAX_BYTES {
            return Err(Error::sample(
                path,
                SampleProblem::FileTooLarge { bytes, limit: MAX_BYTES },
            ));
        }
        let (map, mapped) = if bytes < small || bytes <= free() / COPIED_PART {
            (copy(path, &mut file, bytes as usize)?, None)
        } else {
            (map(path, &file)?, Some((file, stamp)))
        };
        Ok(Self { path: path.to_owned(), map, mapped, trust: None, least_counter: 0 })
    }

    /// Refuses to work with a mapped file that was written into.
    ///
    /// # Errors
    /// [`Error::Machine`].
    pub(super) fn unchanged(&self) -> Result<(), Error> {
        let Some((file, stamp)) = &self.mapped else { return Ok(()) };
        let failed = Error::machine(&self.path, "using the pack");
        match file.metadata() {
            Ok(now) if Stamp::of(&now) == *stamp => Ok(()),
            Ok(_) => Err(failed(IoError::new(
                ErrorKind::InvalidData,
                "its file was written into while it was used: replace a pack by renaming a new file to its name, \
                 and open it again",
            ))),
            Err(reason) => Err(failed(reason)),
        }
    }

    /// Opens a file that one of these keys must have signed, and that must not be older than the packs that this
    /// state was learned with.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`Error::State`] for a damaged counter.
    pub(super) fn open_trusted(
        path: &Path,
        trust: Option<Trust>,
        state: Option<&StateFolder>,
    ) -> Result<Self, Error> {
        let least_counter = state.map_or(Ok(0), StateFolder::counter)?;
        Ok(Self { trust, least_counter, ..Self::open(path)? })
    }

    /// Verifies the pack and borrows it.
    ///
    /// # Errors
    /// [`Error::Pack`] with the rule that is broken.
    pub fn pack(&self) -> Result<Pack<'_>, Error> {
        self.trusted().map(|(pack, _)| pack)
    }

    /// The pack and its security counter: 0 where any pack may be used. With keys, the signature is verified first.
    pub(super) fn trusted(&self) -> Result<(Pack<'_>, u64), Error> {
        let opened = match &self.trust {
            None => Pack::open(&self.map).map(|pack| (pack, 0)),
            Some(trust) => trust.open(&self.map, self.least_counter),
        };
        opened.map_err(|e| Error::pack(&self.path, e))
    }

    /// Whether packs are used only where a key has signed them.
    pub(super) fn is_trusting(&self) -> bool {
        self.trust.is_some()
    }

    /// Stores the pack's security counter in a state folder, where it is higher than before: what comes after may
    /// use the pack.
    ///
    /// # Errors
    /// [`Error::Pack`] where another process has used a newer pack meanwhile; those of
    /// [`StateLock::raise_counter`].
    pub(super) fn raise_counter(&self, counter: u64, lock: &StateLock) -> Result<(), Error> {
        self.refuse_older(counter, lock)?;
        lock.raise_counter(counter)
    }

    /// Refuses the pack where another process has used a newer one meanwhile.
    ///
    /// # Errors
    /// [`Error::Pack`]; those of [`StateLock::counter`].
    pub(super) fn refuse_older(&self, found: u64, lock: &StateLock) -> Result<(), Error> {
        let least = lock.counter()?;
        if self.trust.is_some() && found < least {
            return Err(Error::pack(&self.path, headstart::Error::Downgrade { found, least }));
        }
        Ok(())
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Size of the file in bytes.
    pub fn bytes(&self) -> usize {
        self.map.len()
    }
}

/// The file's bytes at the start of a page of their own, which then cannot be written any more.
fn copy(path: &Path, file: &mut File, bytes: usize) -> Result<Mmap, Error> {
    let failed = || Error::machine(path, "reading the file to memory");
    let mut memory = MmapMut::map_anon(bytes).map_err(failed())?;
    file.read_exact(&mut memory).map_err(failed())?;
    memory.make_read_only().map_err(failed())
}

#[allow(unsafe_code, reason = "a map of a file has no safe form")]
fn map(path: &Path, file: &File) -> Result<Mmap, Error> {
    // SAFETY: the map is read-only and private, and lives as long as every borrow of it. Its bytes
    // could only change if another process wrote into the same inode; packs are replaced by rename,
    // which leaves this inode alone, and work with one that was written into does not begin.
    unsafe { Mmap::map(file) }.map_err(Error::machine(path, "mapping the file"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn a_copied_pack_stays_whatever_is_written_and_a_mapped_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.hspk");
        std::fs::write(&path, [7; 5000]).unwrap();
        let copied = PackFile::open_with(&path, 5001, || 0).unwrap();
        let mapped = PackFile::open_with(&path, 5000, || 19_999).unwrap();
        let roomy = PackFile::open_with(&path, 0, || 20_000).unwrap();
        assert_eq!((&copied.map[..], &mapped.map[..]), (&[7; 5000][..], &[7; 5000][..]));
        mapped.unchanged().unwrap();
        // Replaced by rename, both keep what they have.
        std::fs::write(folder.path().join("new"), [8; 10]).unwrap();
        std::fs::hard_link(&path, folder.path().join("old")).unwrap();
        std::fs::rename(folder.path().join("new"), &path).unwrap();
        assert_eq!(mapped.map[4999], 7);
        mapped.unchanged().unwrap();
        let old = File::options().write(true).open(folder.path().join("old")).unwrap();
        old.write_at(&[9; 10], 0).unwrap();
        old.set_len(4096).unwrap();
        assert_eq!(copied.map[..], [7; 5000]);
        assert_eq!(roomy.map[..], [7; 5000]);
        copied.unchanged().unwrap();
        roomy.unchanged().unwrap();
        let refused = mapped.unchanged().unwrap_err();
        assert_eq!(refused.exit_status(), 2);
        assert!(refused.to_string().contains("renaming"), "{refused}");
    }

    #[test]
    fn what_is_no_plain_file_of_a_packs_size_is_no_pack() {
        let folder = tempfile::tempdir().unwrap();
        for other in [folder.path(), Path::new("/dev/zero")] {
            assert!(PackFile::open(other).is_err(), "{}", other.display());
        }
        let sparse = folder.path().join("sparse");
        File::create(&sparse).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert!(PackFile::open(&sparse).unwrap_err().to_string().contains("sparse"));
    }
}
