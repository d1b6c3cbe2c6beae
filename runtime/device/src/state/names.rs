//! Names of the samples' files, for people, who know no digests. Nothing is learned from them.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::plain::{Kind, read};
use super::reader::{DIGEST_BYTES, Reader, newer_than};
use super::{FeatureCache, StateFolder, StateLock, StateProblem};
use crate::Error;
use crate::samples::{MAX_SAMPLES, SampleId};

pub(super) const FILE: &str = "names.hssn";
const MAGIC: [u8; 8] = *b"HSSN\r\n\x1a\n";
const VERSION: u16 = 1;
/// The longest name: what a byte counts.
const MAX_BYTES: usize = u8::MAX as usize;

/// A file of names: one of every sample that a state can have.
pub(super) const NAMES_FILE: Kind = Kind {
    limit: (48 + MAX_SAMPLES * (17 + MAX_BYTES) + DIGEST_BYTES) as u64,
    magic: &MAGIC,
    newer: |front| newer_than(front, &MAGIC, VERSION),
    longest: |_| None,
};

/// The names of samples' files, by sample.
///
/// As a file (`names.hssn`; integers little-endian):
///
/// ```text
/// offset  bytes
///      0      8  magic "HSSN\r\n\x1a\n"
///      8      2  version, 1
///     10     34  zero
///     44      4  N, samples
///     48         N times: 16 bytes sample id, 1 byte length (from 1), then UTF-8; ids rise
///    end     32  SHA-256 of all bytes before
/// ```
///
/// It stands beside the cache, not in it: a sample's name may change while its features stay, and a state without
/// the file is as good as one with it.
pub type Names = BTreeMap<SampleId, String>;

impl StateFolder {
    /// Reads the names that the samples' files had when they were learned last; none where that is not known, or cannot be read.
    #[must_use]
    pub fn sample_names(&self) -> Names {
        self.read_names().unwrap_or_default()
    }

    /// Reads the names, and does not take a file that the machine does not let be read for none: what follows would replace it.
    pub(crate) fn read_names(&self) -> Result<Names, Error> {
        match read(&self.path().join(FILE), &NAMES_FILE) {
            Err(error @ Error::State { problem: StateProblem::Unreadable(_), .. }) => Err(error),
            found => {
                let bytes = found.ok().flatten();
                Ok(bytes.and_then(|bytes| parse(&bytes).ok()).unwrap_or_default())
            }
        }
    }
}

impl StateLock {
    /// Keeps these names, and those of before, of samples that are in the cache which is about to be committed: so the file is the one
    /// of before or the one of after, wherever the commit is cut off.
    ///
    /// # Errors
    /// [`Error::Machine`].
    pub fn name_samples(
        &self,
        new: impl IntoIterator<Item = (SampleId, String)>,
        cache: &FeatureCache,
    ) -> Result<(), Error> {
        let before = self.folder.read_names()?;
        let mut names = before.clone();
        names.extend(new.into_iter().map(|(id, name)| (id, fitting(&name))));
        names.retain(|id, name| !name.is_empty() && cache.contains(id));
        if names.is_empty() || names == before { Ok(()) } else { self.replace(FILE, &emit(&names)) }
    }

    /// Forgets the names of samples that are not in the cache which was committed.
    pub(super) fn keep_names_of(&self, cache: &FeatureCache) -> Result<(), Error> {
        let mut names = self.folder.read_names()?;
        let before = names.len();
        names.retain(|id, _| cache.contains(id));
        match names.len() {
            0 => self.forget_names().map(drop),
            after if after < before => self.replace(FILE, &emit(&names)),
            _ => Ok(()),
        }
    }

    /// Removes all of them. Returns whether there were any.
    pub(super) fn forget_names(&self) -> Result<bool, Error> {
        self.remove([FILE.to_owned()])
    }
}

/// The name, or its end where it is longer than is kept: the file's own name stands there.
fn fitting(name: &str) -> String {
    let from = name.len().saturating_sub(MAX_BYTES);
    let from = (from..=name.len()).find(|&at| name.is_char_boundary(at)).unwrap_or(name.len());
    name[from..].to_owned()
}

fn emit(names: &Names) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend([0; 34]);
    bytes.extend((names.len() as u32).to_le_bytes());
    for (id, name) in names {
        bytes.extend(id);
        bytes.push(name.len() as u8);
        bytes.extend(name.as_bytes());
    }
    let digest = Sha256::digest(&bytes);
    bytes.extend(digest);
    bytes
}

fn parse(bytes: &[u8]) -> Result<Names, StateProblem> {
    let (mut reader, _, zero) = Reader::sealed(bytes, MAGIC, &[VERSION])?;
    if zero != [0; 32] {
        return Err(reader.broken("a reserved byte is not zero"));
    }
    let count = reader.count(MAX_SAMPLES)?;
    let mut names = Names::new();
    for _ in 0..count {
        let id = reader.array()?;
        let [length] = reader.array()?;
        let name = std::str::from_utf8(reader.take(length.into())?);
        let name = name.map_err(|_| reader.broken("a name is not UTF-8"))?;
        if name.is_empty() || names.last_key_value().is_some_and(|(last, _)| *last >= id) {
            return Err(reader.broken("a name is empty, or out of order"));
        }
        names.insert(id, name.to_owned());
    }
    if reader.at != reader.bytes.len() {
        return Err(reader.broken("bytes follow the last name"));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(ids: std::ops::Range<u8>) -> FeatureCache {
        let mut cache = FeatureCache::new(1);
        cache.class("mug");
        for id in ids {
            cache.insert([id; 16], 0, &[1]);
        }
        cache
    }

    fn name(id: u8, name: &str) -> (SampleId, String) {
        ([id; 16], name.to_owned())
    }

    #[test]
    fn names_go_with_their_samples_and_the_newest_stands() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(&root.path().join("state"));
        let lock = state.lock().unwrap();
        let long = format!("{}/é.jpg", "é".repeat(200));
        lock.name_samples([name(1, "mug/a.jpg"), name(2, &long), name(3, "")], &cache(0..4))
            .unwrap();
        lock.commit(&cache(0..4), &[7; 32], b"head", "learn").unwrap();
        let kept = state.sample_names();
        assert_eq!((kept.len(), &kept[&[1; 16]][..]), (2, "mug/a.jpg"));
        let end = &kept[&[2; 16]];
        assert!(end.len() == 255 || end.len() == 254, "{}", end.len());
        assert!(long.ends_with(end.as_str()));
        lock.name_samples([name(1, "mug/b.jpg")], &cache(0..4)).unwrap();
        assert_eq!(&state.sample_names()[&[1; 16]][..], "mug/b.jpg");
        // What is no longer learned has no name either, whatever took it away.
        lock.commit_alone(&cache(2..4), &[7; 32], b"head", "forget").unwrap();
        assert_eq!(state.sample_names().into_keys().collect::<Vec<_>>(), [[2; 16]]);
        lock.commit(&cache(3..4), &[7; 32], b"head", "rollback").unwrap();
        assert!(!root.path().join("state").join(FILE).exists());
        lock.name_samples([name(3, "x")], &cache(3..4)).unwrap();
        assert!(lock.forget().unwrap() && !state.path().exists());
    }

    #[test]
    fn what_is_damaged_is_as_if_it_was_not_there() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(root.path());
        let lock = state.lock().unwrap();
        lock.name_samples([name(1, "mug/a.jpg"), name(2, "mug/b.jpg")], &cache(0..4)).unwrap();
        let path = root.path().join(FILE);
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            std::fs::write(&path, changed).unwrap();
            assert!(state.sample_names().is_empty(), "byte {at}");
            std::fs::write(&path, &bytes[..at]).unwrap();
            assert!(state.sample_names().is_empty(), "cut to {at}");
        }
        lock.name_samples([name(1, "mug/a.jpg")], &cache(0..4)).unwrap();
        assert_eq!(state.sample_names().len(), 1);
    }
}
