//! Copies of the samples' files: what another backbone learns from.

use std::collections::{BTreeMap, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::folder::{FEATURES, HEAD};
use super::replace::{add, remove_leftovers, sync_folder};
use super::{FeatureCache, StateFolder, StateLock, StateProblem};
use crate::Error;
use crate::os::fs::{self, DirBuilder, DirBuilderExt};
use crate::samples::{self, InputShape, MAX_SAMPLES, Sample, SampleFile, SampleId, SampleProblem};

/// A state keeps samples as long as it has this folder: `ID.EXTENSION`, the bytes of the file that was learned.
const FOLDER: &str = "kept-samples";

/// Paths of the copies of kept samples, by the samples' ids.
pub type Kept = BTreeMap<SampleId, PathBuf>;

impl StateFolder {
    /// The name of the folder of copies, in the state folder.
    pub const KEPT: &str = FOLDER;

    /// Whether the folder is a state: something was learned in it.
    #[must_use]
    pub fn is_one(&self) -> bool {
        [HEAD, FEATURES].iter().any(|name| fs::is_file(&self.path().join(name)))
    }

    /// Whether this state keeps copies of its samples.
    ///
    /// # Errors
    /// [`Error::State`] where something else has that name; [`Error::Machine`] where it cannot be told.
    pub fn keeps_samples(&self) -> Result<bool, Error> {
        let path = self.kept_path();
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => Ok(true),
            Ok(_) => Err(Error::state(&path, StateProblem::NotAFolder)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            Err(e) => Err(Error::machine(&path, "looking for the folder")(e)),
        }
    }

    /// Lists the copies that are there, whether anything was learned from them or not; none in a state that keeps none.
    ///
    /// # Errors
    /// Those of [`keeps_samples`](Self::keeps_samples), and where the folder cannot be listed.
    pub fn kept(&self) -> Result<Kept, Error> {
        let mut kept = Kept::new();
        self.each_kept(|id, path| drop(kept.insert(id, path)))?;
        Ok(kept)
    }

    /// A sample may be there twice, with two extensions.
    fn each_kept(&self, mut each: impl FnMut(SampleId, PathBuf)) -> Result<(), Error> {
        if !self.keeps_samples()? {
            return Ok(());
        }
        let path = self.kept_path();
        let entries = fs::read_dir(&path).map_err(Error::machine(&path, "listing the folder"))?;
        for entry in entries.take(2 * MAX_SAMPLES) {
            let entry = entry.map_err(Error::machine(&path, "listing the folder"))?;
            if let Some(id) = id_of(&entry.path()) {
                each(id, entry.path());
            }
        }
        Ok(())
    }

    fn kept_path(&self) -> PathBuf {
        self.path().join(FOLDER)
    }
}

impl StateLock {
    /// Copies the files of these samples, those that are not kept yet. From then on the state keeps samples.
    ///
    /// They are durable when this returns, and count when a commit has learned them: until then the next lock removes
    /// them as strays.
    ///
    /// # Errors
    /// [`Error::Sample`] for a file that is no longer the sample, [`Error::Machine`].
    pub fn keep<'s, 'a: 's>(
        &self,
        input: &InputShape,
        samples: impl IntoIterator<Item = (SampleId, &'s Sample<'a>)>,
    ) -> Result<(), Error> {
        let path = self.folder.kept_path();
        if !self.folder.keeps_samples()? {
            DirBuilder::new()
                .mode(0o700)
                .create(&path)
                .map_err(Error::machine(&path, "creating the folder"))?;
            sync_folder(self.folder.path())?;
        }
        let mut kept: HashSet<SampleId> = self.folder.kept()?.into_keys().collect();
        for (at, (id, sample)) in samples.into_iter().enumerate() {
            if !kept.insert(id) {
                continue;
            }
            let file = sample.load(input, at)?;
            if file.id() != id {
                return Err(Error::sample(file.path(), SampleProblem::Changed));
            }
            add(&path, &name(&id, &file), file.content())?;
        }
        // Also the names that a killed process has left.
        sync_folder(&path)
    }

    /// Removes what a command that was cut off has left: copies of samples that nothing was learned from. Where it cannot
    /// be told what was learned, all stay.
    pub(super) fn remove_strays(&self) -> Result<(), Error> {
        let folder = &self.folder;
        if !folder.keeps_samples()? {
            return Ok(());
        }
        remove_leftovers(&folder.kept_path())?;
        match folder.any_features() {
            Ok(Some((_, cache))) => self.keep_only(&cache),
            // Nothing was committed. Where something was, and is lost, the copies bring it back.
            Ok(None) if !folder.has_head() && folder.numbers()?.is_empty() => {
                self.remove_kept(|_| true).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Removes copies and names of samples that are not in the cache which was committed: they were forgotten.
    pub(super) fn keep_only(&self, cache: &FeatureCache) -> Result<(), Error> {
        self.keep_names_of(cache)?;
        self.remove_kept(|id| !cache.contains(id)).map(drop)
    }

    /// Removes all copies, and the folder if nothing else is in it. Returns whether there were any.
    pub(super) fn forget_kept(&self) -> Result<bool, Error> {
        if !self.folder.keeps_samples()? {
            return Ok(false);
        }
        let found = self.remove_kept(|_| true)?;
        let _ = fs::remove_dir(self.folder.kept_path());
        Ok(found)
    }

    fn remove_kept(&self, which: impl Fn(&SampleId) -> bool) -> Result<bool, Error> {
        let mut names = Vec::new();
        self.folder.each_kept(|id, path| {
            if let Some(name) =
                path.file_name().and_then(|name| name.to_str()).filter(|_| which(&id))
            {
                names.push(format!("{FOLDER}/{name}"));
            }
        })?;
        let found = self.remove(names)?;
        if found {
            sync_folder(&self.folder.kept_path())?;
        }
        Ok(found)
    }
}

fn name(id: &SampleId, file: &SampleFile) -> String {
    format!("{}.{}", samples::hex(id), file.extension())
}

/// The sample that a file of this name is a copy of; `None` for a name that we do not give.
fn id_of(path: &Path) -> Option<SampleId> {
    let (stem, extension) = (path.file_stem()?.to_str()?, path.extension()?.to_str()?);
    let is_ours = samples::extensions().any(|ours| ours == extension)
        && !stem.contains(|c: char| c.is_ascii_uppercase());
    samples::id_from_hex(stem).filter(|_| is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(ids: &[SampleId]) -> FeatureCache {
        let mut cache = FeatureCache::new(1);
        cache.class("mug").unwrap();
        for id in ids {
            cache.insert(*id, 0, &[1]);
        }
        cache
    }

    const INPUT: InputShape =
        InputShape { height: 1, width: 1, channels: 3, channels_first: true, to_the_level: false };

    /// Three files and their ids.
    fn files(root: &Path) -> Vec<(SampleId, PathBuf)> {
        let file = |name: &str| {
            let path = root.join(name);
            std::fs::write(&path, name).unwrap();
            (SampleFile::read(&path).unwrap().id(), path)
        };
        ["a.JPEG", "b.png", "c.npy"].map(file).to_vec()
    }

    fn keep(lock: &StateLock, files: &[(SampleId, PathBuf)]) -> Result<(), Error> {
        let samples: Vec<_> = files.iter().map(|(id, path)| (*id, Sample::file(path))).collect();
        lock.keep(&INPUT, samples.iter().map(|(id, sample)| (*id, sample)))
    }

    #[test]
    fn what_is_kept_has_the_bytes_and_goes_with_its_features() {
        let root = tempfile::tempdir().unwrap();
        let files = files(root.path());
        let ids: Vec<SampleId> = files.iter().map(|(id, _)| *id).collect();
        let state = StateFolder::new(&root.path().join("state"));
        let lock = state.lock().unwrap();
        assert!(!state.keeps_samples().unwrap() && state.kept().unwrap().is_empty());
        keep(&lock, &files).unwrap();
        lock.commit(&cache(&ids), &[7; 32], b"head", "learn").unwrap();
        let kept = state.kept().unwrap();
        for (id, path) in &files {
            assert_eq!(std::fs::read(&kept[id]).unwrap(), std::fs::read(path).unwrap());
        }
        let extension = |at: usize| kept[&ids[at]].extension().unwrap().to_str().unwrap();
        assert_eq!([0, 1, 2].map(extension), ["jpg", "png", "npy"]);
        // What is not ours stays.
        let mine = state.kept_path().join("mine.jpg");
        std::fs::write(&mine, "").unwrap();
        lock.commit_alone(&cache(&ids[..1]), &[7; 32], b"head", "learn").unwrap();
        assert_eq!(state.kept().unwrap().into_keys().collect::<Vec<_>>(), ids[..1]);
        lock.forget().unwrap();
        assert!(mine.exists() && state.kept().unwrap().is_empty());
    }

    #[test]
    fn strays_are_removed_and_nothing_where_the_features_are_lost() {
        let root = tempfile::tempdir().unwrap();
        let files = files(root.path());
        let state = StateFolder::new(&root.path().join("state"));
        // Cut off before the first commit.
        keep(&state.lock().unwrap(), &files).unwrap();
        std::fs::write(state.kept_path().join(".headstart-x.tmp"), "").unwrap();
        let lock = state.lock().unwrap();
        assert_eq!(std::fs::read_dir(state.kept_path()).unwrap().count(), 0);
        keep(&lock, &files).unwrap();
        lock.commit(&cache(&[files[0].0]), &[7; 32], b"head", "learn").unwrap();
        assert_eq!(state.kept().unwrap().len(), 1);
        drop(lock);
        for damage in [Some("damaged"), None] {
            let features = state.path().join("features.hsfc");
            match damage {
                Some(bytes) => std::fs::write(features, bytes).unwrap(),
                None => std::fs::remove_file(features).unwrap(),
            }
            drop(state.lock().unwrap());
            assert_eq!(state.kept().unwrap().len(), 1, "{damage:?}");
        }
    }

    #[test]
    fn a_file_that_has_changed_meanwhile_is_refused_by_name() {
        let root = tempfile::tempdir().unwrap();
        let files = files(root.path());
        let lock = StateFolder::new(&root.path().join("state")).lock().unwrap();
        let error = keep(&lock, &[(files[1].0, files[0].1.clone())]).unwrap_err();
        assert!(error.to_string().contains("a.JPEG: has changed"), "{error}");
    }
}
