//! Training on the device's threads.

use headstart::head::pooled::on_threads;

use super::handle::Device;
use crate::Error;
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
}
