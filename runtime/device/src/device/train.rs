//! Training as the state's settings want it, on the device's threads.

use headstart::head::pooled::on_threads;

use super::handle::Device;
use crate::Error;
use crate::request::RequestProblem;
use crate::state::{FeatureCache, Settings};
use crate::training::Choice;
use crate::training::settled::{Bases, Threshold, train_by};

impl Device {
    /// Trains a head for this pack as the settings want it, and gives its record.
    ///
    /// # Errors
    /// [`Error::Training`], or [`Error::Request`] for a device without a state.
    pub(super) fn train(
        &self,
        settings: &Settings,
        cache: &FeatureCache,
        bases: Bases<'_>,
        choice: Choice,
    ) -> Result<(Vec<u8>, Threshold), Error> {
        let path = self.folder()?.path();
        let digest = self.pack().backbone_digest();
        let work = || train_by(settings, cache, bases, choice, digest);
        on_threads(self.compute.threads, work).map_err(|problem| Error::training(path, problem))
    }

    /// Keeps a cache within the bytes that the settings allow, and says how many samples that cost.
    ///
    /// # Errors
    /// [`RequestProblem::Budget`] where one sample of each class is too much.
    pub(super) fn fit(
        &self,
        cache: &mut FeatureCache,
        settings: &Settings,
    ) -> Result<usize, Error> {
        let Some(bytes) = settings.max_bytes else { return Ok(0) };
        let limit = usize::try_from(bytes).unwrap_or(usize::MAX);
        cache.fit(limit).map_err(|least| self.refuse(RequestProblem::Budget { bytes, least }))
    }
}
