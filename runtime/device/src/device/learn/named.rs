//! What became of the samples, by the names that people know.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::given::{Given, GivenAs, Near};
use super::lesson::Lesson;
use crate::Error;
use crate::samples::{Sample, SampleId, Thumbnail, hex};
use crate::state::{FeatureCache, StateLock};
use crate::training::near::near;

/// At most so many pairs are compared by their files.
const MOST_COMPARED: usize = 64;
/// So many features tell by themselves: two samples that differ are not near by chance.
const MANY_FEATURES: usize = 64;

impl Lesson<'_> {
    /// Keeps what the files of samples are called that are in the cache. Of the same sample the first file counts.
    pub(super) fn keep_names(
        &self,
        lock: &StateLock,
        cache: &FeatureCache,
        ids: &[SampleId],
    ) -> Result<(), Error> {
        let samples = ids.iter().zip(&self.samples.samples).rev();
        let named = samples.filter(|(id, _)| cache.contains(id)).filter_map(|(id, sample)| {
            let name = sample.name_in(&self.samples.origin)?;
            // A copy that a state keeps has no name of its own.
            (!name.starts_with(&hex(id))).then_some((*id, name))
        });
        lock.name_samples(named.collect::<BTreeMap<_, _>>(), cache)
    }

    /// The conflicts, each file with the class that it was given.
    pub(super) fn conflicts(&self, given: &Given) -> Result<Vec<Vec<GivenAs>>, Error> {
        let labels = self.device.labels(self.samples)?;
        let class = |at: usize| self.samples.classes.get(labels[at]).cloned();
        Ok(given.named(&self.samples.samples, class))
    }

    /// New samples that show the same as others, those with another class than these first. Features point at them, and the
    /// files tell: where one of the two is no longer there, only many features do.
    pub(super) fn near(
        &self,
        known: &FeatureCache,
        cache: &FeatureCache,
        ids: &[SampleId],
    ) -> Vec<Near> {
        let new = cache.ids().iter().filter(|id| !known.contains(id)).copied();
        let mut found = near(cache, &new.collect::<HashSet<_>>());
        found.truncate(MOST_COMPARED);
        let samples: HashMap<&SampleId, &Sample<'_>> =
            ids.iter().zip(&self.samples.samples).collect();
        let folder = self.device.state.as_ref();
        let kept = folder.and_then(|folder| folder.kept().ok()).unwrap_or_default();
        let copies: BTreeMap<_, _> =
            kept.iter().map(|(id, path)| (id, Sample::file(path))).collect();
        let input = self.device.input();
        let thumbnail = |id: &SampleId| {
            let sample = samples.get(id).copied().or_else(|| copies.get(id))?;
            let decoded = sample.load(&input, 0).ok()?.decode(&input).ok()?;
            Some(Thumbnail::of(&decoded))
        };
        found.retain(|(a, b)| match (thumbnail(a), thumbnail(b)) {
            (Some(a), Some(b)) => a.is_like(&b),
            _ => cache.feature_len() >= MANY_FEATURES,
        });
        if found.is_empty() {
            return Vec::new();
        }
        let names = self.device.state.as_ref().map(|folder| folder.sample_names());
        let names = names.unwrap_or_default();
        let samples = ids.iter().zip(&self.samples.samples).enumerate().rev();
        let files: HashMap<_, _> = samples
            .map(|(at, (id, sample))| (*id, sample.title(at).display().to_string()))
            .collect();
        let file = |id: &SampleId| {
            files.get(id).or_else(|| names.get(id)).cloned().unwrap_or_else(|| hex(id))
        };
        let class = |id: &SampleId| cache.name_of(id).unwrap_or_default().to_owned();
        let entry = |(a, b): (SampleId, SampleId)| Near {
            file: file(&a),
            class: class(&a),
            like: file(&b),
            like_class: class(&b),
        };
        let mut found: Vec<Near> = found.into_iter().map(entry).collect();
        found.sort_by_key(|near| near.class == near.like_class);
        found
    }
}
