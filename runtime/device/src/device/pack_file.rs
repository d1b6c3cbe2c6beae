//! A pack as a read-only map of its file.

use std::fs::File;
use std::path::{Path, PathBuf};

use headstart::pack::Pack;
use memmap2::Mmap;

use super::trust::Trust;
use crate::Error;
use crate::samples::SampleProblem;
use crate::state::{StateFolder, StateLock};

/// A mapped pack file: its bytes stay in the page cache, shared by every process that runs it.
///
/// The map assumes that nobody writes into the file while it is open. Replacing it by rename, as
/// package managers and our own tools do, is safe: the map keeps the old file's inode.
#[derive(Debug)]
pub struct PackFile {
    path: PathBuf,
    map: Mmap,
    /// Whose packs are used; anyone's without.
    trust: Option<Trust>,
    /// The highest security counter that was used before.
    least_counter: u64,
}

impl PackFile {
    /// Maps a file, whoever made it.
    ///
    /// # Errors
    /// [`Error::Sample`] for a file that is missing or not plain, [`Error::Pack`] for an empty one,
    /// [`Error::Machine`] where it cannot be mapped.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |e| Error::sample(path, SampleProblem::Unreadable(e));
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(Error::sample(path, SampleProblem::NotAPackFile));
        }
        if metadata.len() == 0 {
            return Err(Error::pack(path, headstart::Error::Truncated));
        }
        let file = File::open(path).map_err(unreadable)?;
        Ok(Self { path: path.to_owned(), map: map(path, &file)?, trust: None, least_counter: 0 })
    }

    /// Maps a file that one of these keys must have signed, and that must not be older than the packs that this
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

    /// Verifies the pack and borrows it from the map.
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

#[allow(unsafe_code, reason = "a map of a file has no safe form")]
fn map(path: &Path, file: &File) -> Result<Mmap, Error> {
    // SAFETY: the map is read-only and private, and lives as long as every borrow of it. Its bytes
    // could only change if another process wrote into the same inode; packs are replaced by rename,
    // which leaves this inode alone.
    unsafe { Mmap::map(file) }.map_err(Error::machine(path, "mapping the file"))
}
