//! The tail of a pack that keeps one, trained and judged.

use std::time::Duration;

use super::lesson::Lesson;
use crate::observer::{Event, Watched, Work};
use crate::state::{FeatureCache, Optimiser, Settings, StateLock, TailSettings, TailWeights};
use crate::training::TrainingProblem;
use crate::training::tail::{self, Keep, TailOptions};
use crate::{Error, Head};

/// So much of a training is lost with the power, at most, and the time of an epoch.
const KEPT_EVERY: Duration = Duration::from_secs(30);
/// What of the last step goes into the next, with SGD.
const MOMENTUM: f32 = 0.9;

impl Lesson<'_> {
    /// The record of a trained tail.
    pub(super) fn train_tail(
        &self,
        cache: &FeatureCache,
        initial: Option<&Head>,
        lock: &StateLock,
    ) -> Result<Vec<u8>, TrainingProblem> {
        let pack = self.device.pack();
        let engine = self.device.compute.engine;
        let mut options = TailOptions { backend: engine, ..of_tail(self.settings, &pack) };
        let (trusted, apart) = tail::trusted(cache, &pack, initial, &options)?;
        if let (Some(wrong), Some(cpu), Some(apart)) = (options.backend, trusted, apart) {
            let (engine, instead) = (&*wrong.to_string(), &*cpu.to_string());
            self.observer.on(Event::Distrusted { engine, apart, instead });
        }
        options.backend = trusted;
        let watched = Watched::begin(self.observer, Work::Training, options.epochs);
        let keep = Some(Keep::new(lock, KEPT_EVERY));
        tail::train(cache, &pack, initial, &options, keep, &mut |done, loss| {
            self.observer.on(Event::Epoch { done, loss });
            if watched.is_stopped() { Err(TrainingProblem::Stopped) } else { Ok(()) }
        })
    }

    /// Why the tail that was trained does not take the place of the one before.
    pub(super) fn setback(
        &self,
        known: &FeatureCache,
        cache: &FeatureCache,
        heads: [&Head; 2],
    ) -> Result<Option<String>, Error> {
        let pack = self.device.pack();
        let path = self.device.folder()?.path();
        let found = tail::setback(known, cache, &pack, &of_tail(self.settings, &pack), heads)
            .map_err(|problem| Error::training(path, problem))?;
        Ok(found.map(|found| {
            let [before, after] = [found.before, found.after].map(|part| 100.0 * part);
            format!(
                "the tail that was trained answers {after:.0} % of {} known samples that it did not see, the one before {before:.0} % of such: train longer or with another rate",
                found.samples
            )
        }))
    }
}

/// How a tail of this pack is trained.
fn of_tail(settings: &Settings, pack: &headstart::pack::Pack<'_>) -> TailOptions {
    settings.tail.onto(TailOptions::usual_for(pack))
}

impl TailSettings {
    /// These options with what was set.
    fn onto(&self, mut options: TailOptions) -> TailOptions {
        if self.optimiser == Some(Optimiser::Sgd) {
            options = options.by_sgd(self.momentum.unwrap_or(MOMENTUM));
        }
        options.epochs = self.epochs.unwrap_or(options.epochs);
        options.batch = self.batch.unwrap_or(options.batch);
        options.patience = self.patience.unwrap_or(options.patience);
        options.rate = self.rate.unwrap_or(options.rate);
        options.warm_up = self.warm_up.unwrap_or(options.warm_up);
        options.weight_decay = self.weight_decay.unwrap_or(options.weight_decay);
        options.clip = self.clip.or(options.clip).filter(|&longest| longest > 0.0);
        options.label_smoothing = self.label_smoothing.unwrap_or(options.label_smoothing);
        options.balanced = self.balanced;
        options.held_out = self.held_out.unwrap_or(options.held_out);
        options.seed = self.seed.unwrap_or(options.seed);
        options.train.clone_from(&self.train);
        options.freeze.clone_from(&self.freeze);
        options.augment = self.augment;
        options.half = self.storage != Some(TailWeights::F32);
        options
    }
}
