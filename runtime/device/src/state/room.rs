//! What is written can be read again: files that would be too large are refused before anything is changed.

use std::collections::HashSet;

use super::commit::MAX_HEAD_BYTES;
use super::folder::FEATURES;
use super::{FeatureCache, StateFolder, StateProblem};
use crate::Error;
use crate::samples::{InputShape, MAX_SAMPLES, Sample, SampleId};

impl StateFolder {
    /// Refuses samples whose features would make the feature cache too large, before the backbone runs on them. Each
    /// counts once; where they are shown more often, the commit tells. Samples that `max_bytes` will drop are no reason.
    ///
    /// They are read for it only where they might be too many.
    ///
    /// # Errors
    /// [`Error::State`] with what to do.
    pub fn refuse_files(
        &self,
        cache: &FeatureCache,
        samples: &[Sample<'_>],
        input: &InputShape,
        max_bytes: Option<u64>,
    ) -> Result<(), Error> {
        if max_bytes.is_some_and(|bytes| bytes <= self.limit)
            || self.fits(cache, samples.len()).is_ok()
        {
            return Ok(());
        }
        // The same sample may be there twice, or known.
        let mut new = HashSet::<SampleId>::new();
        for (at, sample) in samples.iter().enumerate() {
            // Whoever learns it says what is wrong with it.
            let Ok(file) = sample.load(input, at) else { continue };
            let id = file.id();
            if !cache.contains(&id) {
                new.insert(id);
            }
        }
        self.fits(cache, new.len())
    }

    /// Refuses so many samples more, before the backbone runs on them.
    ///
    /// # Errors
    /// [`Error::State`] with what to do.
    pub fn refuse_samples(&self, cache: &FeatureCache, more: usize) -> Result<(), Error> {
        self.fits(cache, more)
    }

    /// Refuses a commit that could not be read again.
    ///
    /// # Errors
    /// [`Error::State`] with what to do.
    pub(super) fn refuse_commit(&self, cache: &FeatureCache, head: &[u8]) -> Result<(), Error> {
        self.fits(cache, 0)?;
        self.refuse_head(head)
    }

    /// Refuses a head that would be too large to be read again.
    ///
    /// # Errors
    /// [`Error::State`] with what to do.
    pub(super) fn refuse_head(&self, head: &[u8]) -> Result<(), Error> {
        if head.len() <= MAX_HEAD_BYTES {
            return Ok(());
        }
        let problem = StateProblem::HeadTooLarge { bytes: head.len(), limit: MAX_HEAD_BYTES };
        Err(Error::state(&self.head_path(), problem))
    }

    /// Whether the cache can be read again with so many more samples.
    fn fits(&self, cache: &FeatureCache, more: usize) -> Result<(), Error> {
        let found = cache.len().saturating_add(more);
        let more = more.saturating_mul(cache.bytes_of(1));
        let bytes = cache.file_bytes().saturating_add(more) as u64;
        let problem = if found > MAX_SAMPLES {
            StateProblem::TooManySamples { found, limit: MAX_SAMPLES }
        } else if bytes > self.limit {
            StateProblem::WouldBeTooLarge { bytes, limit: self.limit }
        } else {
            return Ok(());
        };
        Err(Error::state(&self.path().join(FEATURES), problem))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::samples::SampleFile;

    const INPUT: InputShape =
        InputShape { height: 1, width: 1, channels: 3, channels_first: true, to_the_level: false };

    const BACKBONE: [u8; 32] = [7; 32];

    /// A folder that reads files of so many bytes.
    fn limited(path: &Path, limit: usize) -> StateFolder {
        let mut folder = StateFolder::new(path);
        folder.limit = limit as u64;
        folder
    }

    fn cache(samples: u8) -> FeatureCache {
        let mut cache = FeatureCache::new(100);
        for id in 0..samples {
            let label = cache.class(["mug", "cup"][usize::from(id) % 2]).unwrap();
            cache.insert([id; 16], label, &[0; 100]);
        }
        cache
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let root = tempfile::tempdir().unwrap();
        let limit = cache(8).file_bytes();
        let state = limited(root.path(), limit);
        let lock = state.lock().unwrap();
        lock.commit(&cache(8), &BACKBONE, b"head", "learn").unwrap();
        let names = || std::fs::read_dir(root.path()).unwrap().count();
        let before = names();
        let refused = |result: Result<(), Error>, words: &str| {
            let error = result.unwrap_err();
            assert_eq!(error.exit_status(), 1);
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(state.features(&BACKBONE, 100).unwrap(), Some(cache(8)));
            assert_eq!((state.head().unwrap().unwrap(), names()), (b"head".to_vec(), before));
        };
        let advice = format!("a budget of {limit} bytes");
        refused(lock.commit(&cache(9), &BACKBONE, b"new", "learn"), &advice);
        refused(lock.commit_alone(&cache(9), &BACKBONE, b"new", "learn"), &advice);
        let head = vec![0; MAX_HEAD_BYTES + 1];
        refused(lock.commit(&cache(7), &BACKBONE, &head, "learn"), "head.hshr");
    }

    #[test]
    fn too_many_files_are_refused_before_the_backbone_and_only_then() {
        let root = tempfile::tempdir().unwrap();
        let files: Vec<_> = (0..4).map(|file| root.path().join(format!("{file}.png"))).collect();
        let samples: Vec<Sample<'_>> = files.iter().map(Sample::file).collect();
        let contents = |contents: [&str; 4]| {
            files
                .iter()
                .zip(contents)
                .for_each(|(file, content)| std::fs::write(file, content).unwrap());
        };
        contents(["a", "b", "c", "d"]);
        let limit = cache(2).file_bytes() + 3 * cache(2).bytes_of(1);
        let state = limited(&root.path().join("state"), limit);
        assert!(state.refuse_files(&cache(2), &samples[..3], &INPUT, None).is_ok());
        let refused =
            state.refuse_files(&cache(2), &samples, &INPUT, None).unwrap_err().to_string();
        assert!(refused.contains("features.hsfc") && refused.contains("a budget of"), "{refused}");
        // What is dropped again, what is there twice and what is known takes no room.
        let budget = |bytes| state.refuse_files(&cache(2), &samples, &INPUT, Some(bytes)).is_ok();
        assert_eq!((budget(limit as u64), budget(limit as u64 + 1)), (true, false));
        contents(["a", "b", "c", "a"]);
        assert!(state.refuse_files(&cache(2), &samples, &INPUT, None).is_ok());
        contents(["a", "b", "c", "d"]);
        let mut knows = cache(1);
        knows.insert(SampleFile::read(&files[3]).unwrap().id(), 0, &[0; 100]);
        assert!(state.refuse_files(&knows, &samples, &INPUT, None).is_ok());
    }
}
