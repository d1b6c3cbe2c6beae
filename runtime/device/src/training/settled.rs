//! Trains a head as the settings of its state want it.

use super::{
    Choice, LEAST_CLASSES, Limit, Strangers, TrainingProblem, compact, train, with_threshold,
};
use crate::Head;
use crate::state::{FeatureCache, Settings};

/// The heads that an update is learned on top of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bases<'a> {
    /// The head before, whose threshold stands where none can be measured.
    pub before: Option<&'a Head>,
    /// The head that the pack ships, to begin with; see [`train`].
    pub initial: Option<&'a Head>,
}

/// Outcome of setting a head's threshold for "unknown".
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Threshold {
    /// The threshold's measured effect, where it was measured.
    pub limit: Option<Limit>,
    /// Whether the threshold of before stands, because none can be measured any more.
    pub is_kept: bool,
}

/// Whether a threshold can be measured: classes are left out in turn, so there must be some, with samples of their own.
#[must_use]
pub fn is_measurable(cache: &FeatureCache, initial: Option<&Head>) -> bool {
    let found = cache.counts().into_iter().filter(|&count| count > 0).count();
    initial.is_none() && found >= LEAST_CLASSES
}

/// Trains a head and writes its record as these settings want it.
///
/// # Errors
/// Those of [`train`].
pub fn train_by(
    settings: &Settings,
    cache: &FeatureCache,
    bases: Bases<'_>,
    choice: Choice,
    backbone: [u8; 32],
) -> Result<(Vec<u8>, Threshold), TrainingProblem> {
    let record = train(cache, bases.initial, choice, backbone)?;
    settle(record, settings, cache, bases, choice, backbone)
}

/// The record of a head that was trained, as the settings want it.
fn settle(
    mut record: Vec<u8>,
    settings: &Settings,
    cache: &FeatureCache,
    bases: Bases<'_>,
    choice: Choice,
    backbone: [u8; 32],
) -> Result<(Vec<u8>, Threshold), TrainingProblem> {
    let mut threshold = Threshold::default();
    if let Some(part) = settings.false_accepts {
        let number = if is_measurable(cache, bases.initial) {
            let limit = Strangers::measure(cache, choice, backbone)?.limit(part.into());
            threshold.limit = Some(limit);
            Some(limit.threshold)
        } else {
            threshold.is_kept = bases.before.is_some();
            bases.before.map(Head::unknown_threshold)
        };
        if let Some(number) = number {
            record = with_threshold(&record, backbone, number)?;
        }
    }
    if settings.half {
        record = compact(&record, backbone)?;
    }
    Ok((record, threshold))
}
