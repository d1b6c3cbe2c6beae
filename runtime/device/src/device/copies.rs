//! Kept samples as features of a pack.

use std::path::PathBuf;

use super::handle::Device;
use crate::Error;
use crate::extract::{Extraction, Job};
use crate::observer::{Observer, Watched, Work};
use crate::samples::{Sample, SampleFile, SampleId};
use crate::state::{Bits, FeatureCache, MAX_VIEWS, StateProblem};

/// A sample whose features are computed again.
pub(super) struct Wanted {
    pub(super) id: SampleId,
    pub(super) class: String,
    /// How often it is shown.
    pub(super) views: usize,
    /// As how many samples it counts.
    pub(super) weight: u16,
    /// Its copy.
    pub(super) path: PathBuf,
}

impl Device {
    /// The features of these samples under their classes, in so many bits.
    ///
    /// # Errors
    /// [`Error::Sample`] for a copy that this pack cannot take, [`StateProblem::NotThatSample`], [`Error::Stopped`].
    pub(super) fn features_of(
        &self,
        wanted: &[Wanted],
        bits: Bits,
        extraction: &Extraction<'_>,
        observer: &dyn Observer,
    ) -> Result<FeatureCache, Error> {
        let mut cache = FeatureCache::new(extraction.pack().feature_len());
        // An empty cache takes any.
        let _ = cache.keep_in(bits);
        self.folder()?.refuse_samples(&cache, wanted.len())?;
        let watched = Watched::begin(observer, Work::FeaturesAgain, wanted.len());
        for views in 1..=MAX_VIEWS {
            let these: Vec<&Wanted> = wanted.iter().filter(|one| one.views == views).collect();
            let files: Vec<Sample<'_>> = these.iter().map(|one| Sample::file(&one.path)).collect();
            let job = Job { extraction, views, watched: &watched };
            let named = |_: usize, file: &SampleFile, rows: &[i8]| Ok((file.id(), rows.to_vec()));
            let found = job.all(&files, |_| true, &|_, _| Ok(()), named).map_err(Error::first)?;
            for (one, (id, rows)) in these.into_iter().zip(found) {
                let label = cache.class(&one.class).filter(|_| id == one.id);
                let other = || Error::state(&one.path, StateProblem::NotThatSample);
                cache.insert(id, label.ok_or_else(other)?, &rows);
                cache.set_weight(&id, one.weight);
            }
        }
        cache.sort();
        Ok(cache)
    }
}
