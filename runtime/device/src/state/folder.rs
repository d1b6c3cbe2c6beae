//! Reading a state folder.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::plain::{CACHE, COMMIT_FILE, COUNTER_FILE, COUNTER_MAGIC, HEAD_FILE, Kind, read};
use super::{Commit, FeatureCache, StateProblem};
use crate::os::fs;
use crate::{Error, head};

pub(super) const HEAD: &str = "head.hshr";
/// The cache of the backbone that is being changed to.
pub(super) const ADOPTED: &str = "adopted.hsfc";
pub(super) const FEATURES: &str = "features.hsfc";
pub(super) const REJECTED: &str = "rejected.hsco";
/// How far the training of a tail has come.
pub(super) const TRAINING: &str = "training.hstp";
/// The highest security counter of a signed pack that was used here. Forgetting keeps it.
pub(super) const COUNTER: &str = "counter.hsct";
/// How the files of commits begin and end, with eight digits in between.
const COMMIT: (&str, &str) = ("commit-", ".hsco");

/// A commit's number, and its content: the digest of its backbone, and the commit.
pub type Found = (u32, Result<([u8; 32], Commit), Error>);

/// A state folder, which need not exist yet. Reading takes no lock: files change in one step.
#[derive(Clone, Debug)]
pub struct StateFolder {
    path: PathBuf,
    /// The most bytes of a file: what is written can be read again.
    pub(super) limit: u64,
}

impl StateFolder {
    /// Names a folder; touches nothing.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), limit: CACHE.limit }
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the folder exists, or something in its place.
    ///
    /// # Errors
    /// [`Error::Machine`] where that cannot be told: "nothing is there" would be a guess.
    pub fn exists(&self) -> Result<bool, Error> {
        fs::exists(&self.path).map_err(Error::machine(&self.path, "looking for the folder"))
    }

    /// Path of the head record.
    pub fn head_path(&self) -> PathBuf {
        self.path.join(HEAD)
    }

    /// Reads the bytes of the head record, unchecked; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::State`] where the file cannot be read or is too large.
    pub fn head(&self) -> Result<Option<Vec<u8>>, Error> {
        read(&self.head_path(), &HEAD_FILE)
    }

    /// Whether something has the head's name, whatever it is.
    pub(crate) fn has_head(&self) -> bool {
        fs::symlink_metadata(self.head_path()).is_ok()
    }

    /// Whether something has the features' name, whatever it is.
    pub(crate) fn has_features(&self) -> bool {
        fs::symlink_metadata(self.path.join(FEATURES)).is_ok()
    }

    /// A cache that this folder reads.
    pub(super) fn cache_kind(&self) -> Kind {
        Kind { limit: self.limit, ..CACHE }
    }

    /// Reads the feature cache, checked; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::State`] for a damaged cache, or one of another backbone.
    pub fn features(
        &self,
        backbone: &[u8; 32],
        feature_len: usize,
    ) -> Result<Option<FeatureCache>, Error> {
        let stored = || {
            let stored = self.stored(Some((backbone, feature_len)))?;
            Ok(stored.map(|(_, cache)| cache))
        };
        match stored() {
            // An adoption was cut off behind its head, or is about to end.
            Err(refused) if is_other(&refused) => {
                let adopted = self.adopted(backbone, feature_len)?.map(Ok);
                let again = || match stored() {
                    Err(error) if is_other(&error) => Err(refused),
                    found => found,
                };
                adopted.map_or_else(again, |found| found.map(Some))
            }
            found => found,
        }
    }

    pub(super) fn cache(
        &self,
        name: &str,
        backbone: &[u8; 32],
        feature_len: usize,
    ) -> Result<Option<FeatureCache>, Error> {
        let path = self.path.join(name);
        let Some(bytes) = read(&path, &self.cache_kind())? else { return Ok(None) };
        FeatureCache::parse(&bytes, backbone, feature_len)
            .map(Some)
            .map_err(|problem| Error::state(&path, problem))
    }

    /// Reads the feature cache of whatever backbone, and its digest; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::State`] for a damaged cache.
    pub fn any_features(&self) -> Result<Option<([u8; 32], FeatureCache)>, Error> {
        self.stored(None)
    }

    /// Lists the commits that are kept, oldest first, each read when it is asked for: one is as large as its head. A damaged one is found
    /// as its error, which names the file.
    ///
    /// # Errors
    /// [`Error::Machine`] where the folder cannot be listed.
    pub fn commits(&self) -> Result<impl DoubleEndedIterator<Item = Found> + '_, Error> {
        let found = |number| match self.commit(number) {
            // Another process may have removed the oldest one meanwhile.
            Ok(None) => None,
            Ok(Some(commit)) => Some((number, Ok(commit))),
            Err(damage) => Some((number, Err(damage))),
        };
        Ok(self.numbers()?.into_iter().filter_map(found))
    }

    /// Reads the commit of that number with the digest of its backbone; `None` where it is not kept.
    ///
    /// # Errors
    /// [`Error::State`] for a damaged one, and one of a later program.
    pub fn commit(&self, number: u32) -> Result<Option<([u8; 32], Commit)>, Error> {
        let path = self.path.join(commit_name(number));
        let Some(bytes) = read(&path, &COMMIT_FILE)? else { return Ok(None) };
        let (backbone, commit) =
            Commit::parse_any(&bytes).map_err(|problem| of_commit(&path, problem))?;
        refuse_newer_head(&path, &commit)?;
        Ok(Some((backbone, Commit { number, ..commit })))
    }

    /// Reads the highest security counter of a signed pack that was used here; 0 before the first.
    ///
    /// # Errors
    /// [`Error::State`] for a file that is no counter: taking it for 0 would let any old pack in.
    pub fn counter(&self) -> Result<u64, Error> {
        let path = self.path.join(COUNTER);
        let Some(bytes) = read(&path, &COUNTER_FILE)? else { return Ok(0) };
        let counter = bytes.strip_prefix(&COUNTER_MAGIC).and_then(|rest| rest.split_first_chunk());
        match counter {
            Some((counter, check)) if check == counter_check(counter) => {
                Ok(u64::from_le_bytes(*counter))
            }
            _ => Err(Error::state(&path, StateProblem::Counter)),
        }
    }

    /// Reads the last candidate that was rejected and the digest of its backbone; `None` where the last one was not.
    ///
    /// # Errors
    /// [`Error::State`] for a damaged one.
    pub fn rejected(&self) -> Result<Option<([u8; 32], Commit)>, Error> {
        let path = self.path.join(REJECTED);
        let Some(bytes) = read(&path, &COMMIT_FILE)? else { return Ok(None) };
        let found = Commit::parse_any(&bytes).map_err(|problem| of_commit(&path, problem))?;
        refuse_newer_head(&path, &found.1)?;
        Ok(Some(found))
    }

    /// Numbers of the commits that are kept, rising.
    pub(super) fn numbers(&self) -> Result<Vec<u32>, Error> {
        let mut numbers: Vec<u32> = Vec::new();
        for name in self.names()? {
            let digits = name.strip_prefix(COMMIT.0).and_then(|rest| rest.strip_suffix(COMMIT.1));
            let number = digits.and_then(|digits| digits.parse().ok());
            numbers.extend(number.filter(|&number| commit_name(number) == name));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Names of files that have a digest's first bytes between these two ends, so many in hexadecimal.
    pub(super) fn names_around(
        &self,
        (before, behind): (&str, &str),
        bytes: usize,
    ) -> Result<Vec<String>, Error> {
        let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        let is_digest = |digits: &str| digits.len() == 2 * bytes && digits.bytes().all(is_digit);
        let mut names = self.names()?;
        names.retain(|name| {
            let digits = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
            digits.is_some_and(is_digest)
        });
        Ok(names)
    }

    /// The names in the folder, but for those that are no text: they are not ours. None where there is no folder.
    pub(super) fn names(&self) -> Result<Vec<String>, Error> {
        let listing = || Error::machine(&self.path, "listing the folder");
        let entries = match fs::read_dir(&self.path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) if e.kind() == ErrorKind::NotADirectory => {
                return Err(Error::state(&self.path, StateProblem::NotAFolder));
            }
            entries => entries.map_err(listing())?,
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry.map_err(listing())?.file_name().into_string());
        }
        Ok(names)
    }
}

fn is_other(error: &Error) -> bool {
    matches!(error, Error::State { problem: StateProblem::OtherBackbone { .. }, .. })
}

/// Refuses a commit whose head a later program wrote.
fn refuse_newer_head(path: &Path, commit: &Commit) -> Result<(), Error> {
    match head::newer(&commit.head) {
        Some(found) => Err(Error::state(path, StateProblem::CacheVersion { found })),
        None => Ok(()),
    }
}

fn of_commit(path: &Path, problem: StateProblem) -> Error {
    let problem = match problem {
        StateProblem::Cache { at, reason } => StateProblem::Commit { at, reason },
        problem => problem,
    };
    Error::state(path, problem)
}

/// The file of a security counter.
pub(super) fn sealed_counter(counter: u64) -> Vec<u8> {
    let number = counter.to_le_bytes();
    [&COUNTER_MAGIC[..], &number, &counter_check(&number)].concat()
}

fn counter_check(number: &[u8; 8]) -> [u8; 8] {
    let digest = Sha256::new_with_prefix(COUNTER_MAGIC).chain_update(number).finalize();
    std::array::from_fn(|at| digest[at])
}

pub(super) fn commit_name(number: u32) -> String {
    format!("{}{number:08}{}", COMMIT.0, COMMIT.1)
}
