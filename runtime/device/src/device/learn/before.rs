//! What there is before learning.

use std::collections::HashSet;

use super::lesson::Lesson;
use crate::request::RequestProblem;
use crate::samples::SampleProblem;
use crate::state::{Bits, FeatureCache, Settings, StateProblem};
use crate::training::{LEAST_CLASSES, TrainingProblem};
use crate::{Error, Head};

/// Heads and features from before.
pub(super) struct Before {
    pub(super) of_state: Option<Head>,
    pub(super) of_pack: Option<Head>,
    /// In how many bits features were kept.
    pub(super) bits: Bits,
    pub(super) cache: FeatureCache,
}

impl Lesson<'_> {
    /// Reads it, and refuses what cannot come of it with these samples and options.
    pub(super) fn before(&self) -> Result<Before, Error> {
        let (folder, pack) = (self.device.folder()?, self.device.pack());
        // First, since it says what to do with another backbone.
        let of_state = self.device.state_head()?;
        let features = folder.features(&pack.backbone_digest(), pack.feature_len())?;
        if of_state.is_some() && features.is_none() {
            return Err(Error::state(folder.path(), StateProblem::NoFeatures));
        }
        let of_pack = self.device.pack_head()?;
        let mut cache = features.unwrap_or_else(|| FeatureCache::new(pack.feature_len()));
        let bits = cache.bits();
        if self.options.kept_bits.is_some_and(|bits| !cache.keep_in(bits)) {
            return Err(self.device.refuse(RequestProblem::KeptBits));
        }
        if self.options.limit().is_some() && of_pack.is_some() {
            return Err(self.device.refuse(RequestProblem::Strangers));
        }
        let before = Before { of_state, of_pack, bits, cache };
        self.refuse_count(&before)?;
        Ok(before)
    }

    /// The settings of the state before, where this is its head, and those from now on.
    pub(super) fn settings_on(
        &self,
        of_state: Option<&Head>,
    ) -> Result<(Option<Settings>, Settings), Error> {
        let folder = self.device.folder()?;
        let was = of_state.map(|head| folder.settings(head));
        let engine = self.device.compute.engine;
        let settings = self.options.settings(was.clone().unwrap_or_default(), engine);
        if let Some((setting, found, allowed)) = settings.tail.out_of_range() {
            let problem = RequestProblem::OutOfRange { setting, found, allowed };
            return Err(self.device.refuse(problem));
        }
        Ok((was, settings))
    }

    /// A head that knows one class only would answer it for everything, and one of more classes
    /// than the pack plans for would not fit the memory of the boards that it was packed for.
    fn refuse_count(&self, before: &Before) -> Result<(), Error> {
        let path = self.device.folder()?.path();
        let limit = self.device.pack().plan().max_classes as usize;
        let heads = before.of_state.iter().chain(&before.of_pack);
        let known = heads.flat_map(Head::labels).chain(before.cache.classes());
        let names = known.chain(&self.samples.classes);
        match names.collect::<HashSet<_>>().len() {
            ..2 => Err(Error::sample(&self.samples.origin, SampleProblem::OneClass)),
            found if self.options.limit().is_some() && found < LEAST_CLASSES => {
                let problem = TrainingProblem::FewClasses { found, least: LEAST_CLASSES };
                Err(Error::training(path, problem))
            }
            found if found > limit => {
                Err(Error::state(path, StateProblem::UnplannedClasses { found, limit }))
            }
            _ => Ok(()),
        }
    }
}
