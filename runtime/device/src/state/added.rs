//! What was learned since the feature cache was last written whole: a few samples that come to many are written alone.
//!
//! `added-….hsfc` is a cache of the samples that `features.hsfc` does not have, under the names of all classes. Its name
//! begins with the check sum at the end of that file: once that is replaced, what was added to it no longer counts, and is
//! removed.

use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use super::folder::FEATURES;
use super::plain::{open, read};
use super::reader::DIGEST_BYTES;
use super::stored::{Digest, Stored};
use super::waiting::waiting_name;
use super::{FeatureCache, StateFolder, StateLock, StateProblem};
use crate::Error;
use crate::samples::{SampleId, hex};

/// Caches below this are written whole.
const LEAST_BYTES: usize = 64 << 10;
/// What was added is written alone up to this part of the whole, so that both together are at most so much longer.
const PART: usize = 8;
/// How the names of these files begin and end.
const NAME: (&str, &str) = ("added-", ".hsfc");
/// Bytes of the check sum in the name.
const NAMED: usize = 16;
/// So often another process may replace the cache while it is read.
const TRIES: usize = 16;

impl FeatureCache {
    /// The samples that the stored cache lacks, and the check sum of that one. `None` where it is to be written whole: because it
    /// is small, nothing is new or much, something of it was changed or forgotten, or this one has another order.
    fn added(&self) -> Option<(Digest, Self)> {
        let whole = self.stored.as_ref().filter(|whole| whole.bytes >= LEAST_BYTES)?;
        let has_class = |name| self.classes.contains(name);
        let kept = self.has_all(whole) && whole.classes.iter().all(has_class);
        if !kept || !self.is_sorted() {
            return None;
        }
        let old: HashSet<_> = whole.samples.iter().map(|(id, _)| id).collect();
        let added = self.only(|at| !old.contains(&self.ids[at]));
        let is_part = !added.is_empty() && added.file_bytes() <= whole.bytes / PART;
        is_part.then_some((whole.digest, added))
    }

    /// Whether every sample of the stored file is here under the same class.
    fn has_all(&self, whole: &Stored) -> bool {
        let is_same = |(id, label): &(SampleId, u16)| {
            self.name_of(id) == Some(&whole.classes[usize::from(*label)])
        };
        whole.samples.iter().all(is_same)
    }

    /// The check sum of the stored cache, where this one has all that it has and all that was added to it.
    fn grown_from(&self) -> Option<Digest> {
        let whole = self.stored.as_ref().filter(|whole| self.has_all(whole))?;
        let is_same = |(id, name): &(SampleId, String)| self.name_of(id) == Some(name);
        whole.added.iter().all(is_same).then_some(whole.digest)
    }

    /// Takes over what was added; `None` where it does not belong to this cache.
    fn extend(&mut self, added: &Self) -> Option<()> {
        let known = self.len();
        self.merge(added)?;
        for name in &added.classes {
            self.class(name)?;
        }
        (added.bits == self.bits && self.len() == known + added.len()).then_some(())?;
        self.sort();
        Some(())
    }
}

impl StateFolder {
    /// The cache with what was added to it, and the digest of its backbone; `None` where there is none.
    pub(super) fn stored(
        &self,
        expected: Option<(&[u8; 32], usize)>,
    ) -> Result<Option<([u8; 32], FeatureCache)>, Error> {
        if let Some(name) = self.waiting()? {
            let path = self.path().join(name);
            if let Some(bytes) = read(&path, &self.cache_kind())? {
                let found = FeatureCache::read(&bytes, expected);
                return found.map(Some).map_err(|problem| Error::state(&path, problem));
            }
        }
        let path = self.path().join(FEATURES);
        let mut last = None;
        for _ in 0..TRIES {
            let Some(bytes) = read(&path, &self.cache_kind())? else { return Ok(None) };
            let (backbone, mut cache) = FeatureCache::read(&bytes, expected)
                .map_err(|problem| Error::state(&path, problem))?;
            let digest = *bytes.last_chunk().unwrap_or(&[0; DIGEST_BYTES]);
            let samples = cache.ids.iter().copied().zip(cache.labels.iter().copied()).collect();
            let classes = cache.classes.clone();
            let mut stored =
                Stored { digest, bytes: bytes.len(), classes, samples, added: Vec::new() };
            let path = self.path().join(name(&digest));
            if let Some(bytes) = read(&path, &self.cache_kind())? {
                let refuse = |problem| Error::state(&path, problem);
                let added = FeatureCache::read(&bytes, Some((&backbone, cache.feature_len())))
                    .map_err(refuse)?;
                let reason = "it does not belong to features.hsfc";
                cache.extend(&added.1).ok_or(refuse(StateProblem::Cache { at: 0, reason }))?;
                let name = |label: &u16| added.1.classes[usize::from(*label)].clone();
                let names = added.1.labels.iter().map(name);
                stored.added = added.1.ids.iter().copied().zip(names).collect();
                cache.stored = Some(Arc::new(stored));
                return Ok(Some((backbone, cache)));
            }
            cache.stored = Some(Arc::new(stored));
            last = Some((backbone, cache));
            // Another process may have written it whole meanwhile, and removed what was added.
            if self.stored_digest()? == Some(digest) {
                break;
            }
        }
        Ok(last)
    }

    /// The check sum at the end of the cache that is stored; `None` where there is none.
    fn stored_digest(&self) -> Result<Option<Digest>, Error> {
        let path = self.path().join(FEATURES);
        let Some((mut file, bytes)) = open(&path)? else { return Ok(None) };
        let mut digest = [0; DIGEST_BYTES];
        // What is shorter was damaged, and is none that anything was added to.
        if let Some(start) = bytes.checked_sub(DIGEST_BYTES as u64) {
            file.seek(SeekFrom::Start(start))
                .and_then(|_| file.read_exact(&mut digest))
                .map_err(|e| Error::state(&path, StateProblem::Unreadable(e)))?;
        }
        Ok(Some(digest))
    }

    /// Names of files of what was added, to whichever cache.
    pub(super) fn added_names(&self) -> Result<Vec<String>, Error> {
        self.names_around(NAME, NAMED)
    }
}

impl StateLock {
    /// The file that makes the stored cache this one when `head` is there, and its bytes.
    pub(super) fn file_of(
        &self,
        cache: &FeatureCache,
        backbone: &[u8; 32],
        head: &[u8],
    ) -> Result<(String, Vec<u8>), Error> {
        let stored = self.folder.stored_digest()?;
        if let Some((digest, added)) = cache.added()
            && stored == Some(digest)
        {
            return Ok((name(&digest), added.emit(backbone)));
        }
        // The head before finds all that it was learned from in a cache that has grown.
        let has_all = stored.is_none() || stored == cache.grown_from();
        let name = if has_all { FEATURES.to_owned() } else { waiting_name(head) };
        Ok((name, cache.emit(backbone)))
    }

    /// Removes what was added to a cache that was replaced, as a command that was cut off leaves it. Where the cache is damaged or lost, it
    /// stays: it is what is left.
    pub(super) fn end_additions(&self) -> Result<(), Error> {
        let folder = &self.folder;
        let names = folder.added_names()?;
        let current = folder.stored_digest()?.map(|digest| name(&digest));
        if names.iter().all(|name| Some(name) == current.as_ref()) {
            return Ok(());
        }
        let path = folder.path().join(FEATURES);
        let outdated = match read(&path, &folder.cache_kind())? {
            Some(bytes) => FeatureCache::parse_any(&bytes).is_ok(),
            // What is left where forgetting everything was cut off.
            None => !folder.has_head() && folder.numbers()?.is_empty(),
        };
        if outdated { self.remove_outdated().map(drop) } else { Ok(()) }
    }

    /// Removes what was added to a cache that is no longer there; all of it where there is none.
    pub(super) fn remove_outdated(&self) -> Result<bool, Error> {
        let names = self.folder.added_names()?;
        if names.is_empty() {
            return Ok(false);
        }
        let current = self.folder.stored_digest()?.map(|digest| name(&digest));
        self.remove(names.into_iter().filter(|name| Some(name) != current.as_ref()))
    }
}

fn name(digest: &Digest) -> String {
    format!("{}{}{}", NAME.0, hex(&digest[..NAMED]), NAME.1)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use headstart::head::Random;

    use super::*;

    const BACKBONE: [u8; 32] = [7; 32];
    const FEATURES_OF_ONE: usize = 1024;

    fn row(id: u16) -> (SampleId, Vec<i8>) {
        let mut sample = [0; 16];
        sample[..2].copy_from_slice(&id.to_le_bytes());
        (sample, (0..FEATURES_OF_ONE).map(|at| (at * usize::from(id)) as i8).collect())
    }

    fn teach(cache: &mut FeatureCache, class: &str, ids: std::ops::Range<u16>) {
        for id in ids {
            let label = cache.class(class).unwrap();
            let (id, row) = row(id);
            cache.insert(id, label, &row);
        }
        cache.sort();
    }

    /// A state of a hundred samples, and its cache as it is read.
    fn state() -> (tempfile::TempDir, StateFolder, FeatureCache) {
        let root = tempfile::tempdir().unwrap();
        let folder = StateFolder::new(root.path());
        let mut cache = FeatureCache::new(FEATURES_OF_ONE);
        teach(&mut cache, "cup", 0..50);
        teach(&mut cache, "mug", 50..100);
        folder.lock().unwrap().commit(&cache, &BACKBONE, b"1", "").unwrap();
        let read = read_again(&folder);
        assert_eq!(read, cache);
        (root, folder, read)
    }

    fn read_again(folder: &StateFolder) -> FeatureCache {
        let cache = folder.features(&BACKBONE, FEATURES_OF_ONE).unwrap().unwrap();
        assert_eq!(folder.any_features().unwrap(), Some((BACKBONE, cache.clone())));
        cache
    }

    fn commit(folder: &StateFolder, cache: &FeatureCache) -> [usize; 2] {
        let before = std::fs::read(folder.path().join(FEATURES)).unwrap();
        folder.lock().unwrap().commit(cache, &BACKBONE, b"2", "").unwrap();
        assert_eq!(read_again(folder), *cache);
        let after = std::fs::read(folder.path().join(FEATURES)).unwrap();
        [usize::from(before != after), folder.added_names().unwrap().len()]
    }

    const WHOLE: [usize; 2] = [1, 0];
    const ALONE: [usize; 2] = [0, 1];

    #[test]
    fn few_samples_are_written_alone_and_many_whole() {
        let (_root, folder, mut cache) = state();
        teach(&mut cache, "mug", 100..105);
        assert_eq!(commit(&folder, &cache), ALONE);
        // More of them, of a class whose name stands in front of all others; and one is corrected.
        let mut cache = read_again(&folder);
        teach(&mut cache, "bowl", 104..107);
        assert_eq!(commit(&folder, &cache), ALONE);
        let (path, bytes) = (folder.path().join(FEATURES), cache.file_bytes());
        assert!(std::fs::metadata(path).unwrap().len() < bytes as u64 - 7 * 1024);
        let mut cache = read_again(&folder);
        teach(&mut cache, "mug", 107..120);
        assert_eq!(commit(&folder, &cache), WHOLE);
        // Nothing is new.
        let cache = read_again(&folder);
        assert_eq!(commit(&folder, &cache), [0, 0]);
    }

    #[test]
    fn what_is_changed_or_forgotten_is_written_whole_and_leaves_no_trace() {
        type Change = fn(&mut FeatureCache);
        let changes: [Change; 6] = [
            |cache| teach(cache, "cup", 60..61),
            |cache| assert!(cache.forget_sample(&row(3).0)),
            |cache| assert!(cache.forget_sample(&row(102).0)),
            |cache| assert!(cache.rename("mug", "dark mug")),
            |cache| assert!(cache.keep_in(super::super::Bits::Four)),
            |cache| assert_eq!(cache.set_end(&row(4).0, &[1, 2]), Some(true)),
        ];
        for change in changes {
            let (_root, folder, mut cache) = state();
            teach(&mut cache, "mug", 100..105);
            assert_eq!(commit(&folder, &cache), ALONE);
            let mut cache = read_again(&folder);
            change(&mut cache);
            cache.sort();
            assert_eq!(commit(&folder, &cache), WHOLE);
        }
        let (_root, folder, mut cache) = state();
        teach(&mut cache, "mug", 100..105);
        assert_eq!(commit(&folder, &cache), ALONE);
        let mut rest = read_again(&folder);
        rest.forget_sample(&row(102).0);
        folder.lock().unwrap().commit_alone(&rest, &BACKBONE, b"3", "").unwrap();
        assert_eq!((read_again(&folder), folder.added_names().unwrap().len()), (rest, 0));
        let mut cache = read_again(&folder);
        teach(&mut cache, "mug", 105..109);
        assert_eq!(commit(&folder, &cache), ALONE);
        assert!(folder.lock().unwrap().forget().unwrap());
        assert!(!folder.path().exists());
    }

    #[test]
    fn a_cut_between_two_files_leaves_a_cache_that_is_whole() {
        let (_root, folder, mut cache) = state();
        teach(&mut cache, "mug", 100..105);
        commit(&folder, &cache);
        // The cache was written whole, and what was added to the one before is still there.
        let path = folder.path().join(FEATURES);
        teach(&mut cache, "mug", 105..106);
        std::fs::write(&path, cache.emit(&BACKBONE)).unwrap();
        assert_eq!(read_again(&folder), cache);
        assert_eq!(folder.added_names().unwrap().len(), 1);
        drop(folder.lock().unwrap());
        assert_eq!(folder.added_names().unwrap().len(), 0);
        assert_eq!(read_again(&folder), cache);
        // Another process has replaced the cache since this one was read.
        let (_root, folder, mut stale) = state();
        teach(&mut cache, "mug", 100..101);
        std::fs::write(folder.path().join(FEATURES), cache.emit(&BACKBONE)).unwrap();
        teach(&mut stale, "mug", 100..101);
        assert_eq!(commit(&folder, &stale), WHOLE);
    }

    #[test]
    fn what_was_added_is_refused_by_name_where_it_is_damaged_or_of_another_cache() {
        let (_root, folder, mut cache) = state();
        teach(&mut cache, "mug", 100..102);
        commit(&folder, &cache);
        let path = folder.path().join(&folder.added_names().unwrap()[0]);
        let bytes = std::fs::read(&path).unwrap();
        let (mut damaged, mut other) = (bytes.clone(), FeatureCache::new(FEATURES_OF_ONE));
        damaged[300] ^= 1;
        teach(&mut other, "mug", 7..8);
        let fewer = FeatureCache::new(3);
        for bytes in [
            damaged,
            bytes[..bytes.len() - 1].to_vec(),
            other.emit(&BACKBONE),
            other.emit(&[8; 32]),
            fewer.emit(&BACKBONE),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let error = folder.features(&BACKBONE, FEATURES_OF_ONE).unwrap_err().to_string();
            assert!(error.contains("added-"), "{error}");
        }
    }

    #[test]
    fn what_was_added_stays_where_the_cache_is_damaged_or_lost() {
        type Damage = fn(&std::path::Path, &[u8]);
        let damages: [Damage; 4] = [
            |path, _| std::fs::remove_file(path).unwrap(),
            |path, bytes| std::fs::write(path, &bytes[..bytes.len() - 1]).unwrap(),
            |path, bytes| std::fs::write(path, [bytes, &[0; 50]].concat()).unwrap(),
            |path, _| File::options().write(true).open(path).unwrap().set_len(1 << 31).unwrap(),
        ];
        for damage in damages {
            let (_root, folder, mut cache) = state();
            teach(&mut cache, "mug", 100..105);
            assert_eq!(commit(&folder, &cache), ALONE);
            let path = folder.path().join(FEATURES);
            damage(&path, &std::fs::read(&path).unwrap());
            drop(folder.lock().unwrap());
            let pieces = folder.pieces(&BACKBONE, FEATURES_OF_ONE).unwrap();
            assert_eq!(pieces[0].ids(), (100..105).map(|id| row(id).0).collect::<Vec<_>>());
        }
        // Where nothing else is left, forgetting was cut off.
        let (root, folder, mut cache) = state();
        teach(&mut cache, "mug", 100..105);
        commit(&folder, &cache);
        for name in folder.names().unwrap().iter().filter(|name| !name.starts_with("added")) {
            std::fs::remove_file(root.path().join(name)).unwrap();
        }
        drop(folder.lock().unwrap());
        assert_eq!(folder.added_names().unwrap().len(), 0);
    }

    #[test]
    fn any_history_is_read_as_it_was_committed() {
        for seed in 0..20 {
            let (_root, folder, mut cache) = state();
            let mut random = Random::new(seed);
            let mut alone = 0;
            for _ in 0..12 {
                let first = random.below(200) as u16;
                let count = 1 + random.below(4) as u16;
                match random.below(8) {
                    0 => drop(cache.forget_sample(&row(first).0)),
                    1 => drop(cache.rename("mug", "jar")),
                    2 => teach(&mut cache, "mug", first..first + count),
                    _ => teach(&mut cache, "bowl", 200 + first..200 + first + count),
                }
                cache.sort();
                alone += usize::from(commit(&folder, &cache) == ALONE);
                cache = read_again(&folder);
            }
            assert!(alone > 0, "{seed}");
        }
    }
}
