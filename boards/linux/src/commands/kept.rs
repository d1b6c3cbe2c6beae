//! A state that was learned with another backbone, and its kept samples as features of a pack.

use std::path::Path;

use headstart::pack::Pack;
use headstart_device::extract::{Compute, Job};
use headstart_device::samples::SampleId;
use headstart_device::state::{
    Commit, FeatureCache, Kept, MAX_VIEWS, Problem, StateFolder, StateLock, Way,
};
use headstart_device::{Error, Head, PackFile};

use crate::output;

/// The copies of samples that the cache holds.
pub(super) fn of(folder: &StateFolder, cache: &FeatureCache) -> Result<Kept, Error> {
    let mut kept = folder.kept()?;
    kept.retain(|id, _| cache.contains(id));
    Ok(kept)
}

/// What they take; one that is gone meanwhile takes nothing.
pub(super) fn bytes(kept: &Kept) -> u64 {
    kept.values().filter_map(|path| std::fs::metadata(path).ok()).map(|file| file.len()).sum()
}

/// What leads from the state's head to a pack with this backbone, as far as it can be told.
pub(super) fn way(folder: &StateFolder, backbone: &[u8; 32]) -> Way {
    let cache = folder.any_features().ok().flatten().map(|(_, cache)| cache);
    let kept = cache.as_ref().and_then(|cache| of(folder, cache).ok());
    let (Some(cache), Some(kept)) = (cache, kept) else { return Way::Forget };
    let commits = folder.commits().unwrap_or_default();
    let can_return = |(digest, commit): &&([u8; 32], Commit)| {
        digest == backbone && commit.samples.iter().all(|(id, _)| kept.contains_key(id))
    };
    if let Some((_, commit)) = commits.iter().rfind(can_return) {
        return Way::Return(commit.number);
    }
    if kept.is_empty() { Way::Forget } else { Way::Adopt { kept: kept.len(), of: cache.len() } }
}

/// A state of another backbone, locked.
pub(super) struct Foreign<'a> {
    path: &'a Path,
    pub(super) lock: StateLock,
    pub(super) head: Head,
    /// Features of the other backbone, in their order.
    pub(super) cache: FeatureCache,
    /// Copies of its samples.
    pub(super) kept: Kept,
}

impl<'a> Foreign<'a> {
    /// Locks the folder and reads what is there.
    ///
    /// # Errors
    /// [`Problem::NoSamples`], [`Problem::NoFeatures`], [`Problem::TailAdopt`] for a pack with a tail; those of the files.
    pub(super) fn begin(path: &'a Path, file: &PackFile) -> Result<Self, Error> {
        let (pack, counter) = file.trusted()?;
        let refuse = |problem| Error::State { path: path.to_owned(), problem };
        if pack.tail().is_some() {
            return Err(refuse(Problem::TailAdopt));
        }
        let folder = StateFolder::new(path);
        let lock = folder.lock()?;
        file.refuse_older(counter, &lock)?;
        let bytes = folder.head()?.ok_or_else(|| refuse(Problem::NoSamples))?;
        let features = folder.any_features()?.ok_or_else(|| refuse(Problem::NoFeatures))?;
        let (digest, mut cache) = features;
        let head = Head::parse(&folder.head_path(), &bytes, &digest)?;
        // No pack says how many features there are, but the head does.
        let expected =
            head.layers().next().map_or(0, |layer| layer.weights.len() / layer.bias.len().max(1));
        let found = cache.feature_len();
        if found != expected {
            let problem = Problem::Head(headstart::Error::BufferLength { expected, found });
            return Err(Error::State { path: folder.head_path(), problem });
        }
        cache.sort();
        let kept = of(&folder, &cache)?;
        Ok(Self { path, lock, head, cache, kept })
    }

    pub(super) fn refuse(&self, problem: Problem) -> Error {
        Error::State { path: self.path.to_owned(), problem }
    }

    /// Features that the pack's backbone gives for these samples, all of which are kept: with their classes, as often
    /// as they are shown, and in as many bits as before.
    ///
    /// # Errors
    /// [`Error::Sample`] for a copy that this pack cannot take, [`Problem::NotThatSample`].
    pub(super) fn features(
        &self,
        samples: &[SampleId],
        pack: Pack<'_>,
        compute: Compute,
    ) -> Result<FeatureCache, Error> {
        let mut cache = FeatureCache::new(pack.feature_len());
        // An empty cache takes any.
        let _ = cache.keep_in(self.cache.bits());
        StateFolder::new(self.path).refuse_samples(&cache, samples.len())?;
        let bar = output::progress("learning again", samples.len());
        let extraction = compute.open_exact(pack);
        for views in 1..=MAX_VIEWS {
            let is_so = |id: &&SampleId| self.cache.views(id) == Some(views);
            let paths = samples.iter().filter(is_so).filter_map(|id| self.kept.get(id));
            let paths: Vec<&Path> = paths.map(AsRef::as_ref).collect();
            let job = Job { extraction: &extraction, views, done: &|| bar.inc(1) };
            let found = job.all(&paths, |_| true, |file, rows| Ok((file.id(), rows.to_vec())))?;
            for (path, (id, rows)) in paths.into_iter().zip(found) {
                let name = self
                    .cache
                    .name_of(&id)
                    .filter(|_| self.kept.get(&id).is_some_and(|kept| kept == path));
                let label = name.and_then(|name| cache.class(name));
                let problem = Problem::NotThatSample;
                let label = label.ok_or(Error::State { path: path.to_owned(), problem })?;
                cache.insert(id, label, &rows);
            }
        }
        bar.finish_and_clear();
        cache.sort();
        Ok(cache)
    }
}
