//! What is known, answered from the features of two backbones.

use std::collections::HashMap;

use headstart::Error;
use headstart::head::argmax;

use super::answers::Answers;
use super::before::{held_out, losses};
use super::effect::{Effect, MARGIN};
use crate::Head;
use crate::samples::SampleId;
use crate::state::FeatureCache;
use crate::training::TrainingProblem;
use crate::training::{Choice, without};

/// Right answers that are lost count where they are so many standard errors.
const ERRORS: f64 = 2.0;
/// Heads that judge are bound to no backbone, and not kept.
const BACKBONE: [u8; 32] = [0; 32];

/// Effect of the step to another backbone on the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Adoption {
    /// Samples that were held out.
    pub held_out: u32,
    /// Right answers from the features before.
    pub before: u32,
    /// Right answers from the features after.
    pub after: u32,
    /// How many samples were answered rightly only before.
    pub lost: u32,
    /// How many samples are answered rightly only after.
    pub gained: u32,
    /// The part of the answers that was lost, each weighed by how sure it is; below 0 for a gain.
    pub loss: f64,
    /// The loss's standard error.
    pub error: f64,
}

impl Adoption {
    /// Whether the samples are answered worse by more than [`MARGIN`], and more than chance.
    ///
    /// Answers are counted too, other than for an update: where both backbones are unsure of everything, one that is mostly
    /// wrong loses little of what the other one was sure of.
    pub fn is_worse(&self) -> bool {
        let part = |count: f64| count / f64::from(self.held_out.max(1));
        let lost = part(f64::from(self.lost) - f64::from(self.gained));
        let error = part(f64::from(self.lost + self.gained).sqrt());
        self.loss > MARGIN.max(self.error) || lost > MARGIN.max(ERRORS * error)
    }
}

/// Measures the step from the features in `old` to those in `new`; `None` where no sample can be held out. Samples and classes are the
/// same, and so is the way of asking: each sample is answered by heads of this learner that were learned without it, of either backbone. A
/// step is rare, and may cost so many trainings; with few samples the learner itself, which sees crops of them too, tells far more than a
/// simpler one.
///
/// # Errors
/// [`TrainingProblem::Samples`].
pub fn between(
    old: &FeatureCache,
    new: &FeatureCache,
    choice: Choice,
) -> Result<Option<Adoption>, TrainingProblem> {
    let places: HashMap<&SampleId, usize> = new.ids().iter().zip(0..).collect();
    let (mut before, mut after) = (Answers::new(old), Answers::new(old));
    for part in held_out(old, new, false) {
        let held: Vec<SampleId> = part.iter().map(|&at| old.ids()[at]).collect();
        let head = |cache| without(cache, &held, choice, BACKBONE);
        let (old_head, new_head) = (head(old)?, head(new)?);
        for at in part {
            let Some(&place) = places.get(&old.ids()[at]) else { continue };
            let label = usize::from(old.labels()[at]);
            before.push(&answer(&old_head, old, at, old.classes())?, label);
            after.push(&answer(&new_head, new, place, old.classes())?, label);
        }
    }
    if before.labels.is_empty() {
        return Ok(None);
    }
    let mut effect = Effect::default();
    losses(&mut effect, &before, before.temperature()?, &after, after.temperature()?);
    let mut step = Adoption {
        held_out: effect.held_out,
        before: effect.before,
        after: effect.after_among_known,
        loss: effect.loss,
        error: effect.error,
        ..Adoption::default()
    };
    for ((before, label), (after, _)) in before.iter().zip(after.iter()) {
        let (was, is) = (argmax(before) == label, argmax(after) == label);
        step.lost += u32::from(was && !is);
        step.gained += u32::from(is && !was);
    }
    Ok(Some(step))
}

/// Logits of these classes at temperature 1, for a sample of the cache. A class that the head does not know is as unlikely as its least likely one.
fn answer(
    head: &Head,
    cache: &FeatureCache,
    at: usize,
    classes: &[String],
) -> Result<Vec<f32>, TrainingProblem> {
    let row = &cache.features()[at * cache.feature_len()..][..cache.feature_len()];
    let mut logits = vec![0.0; head.labels().len()];
    head.linear().ok_or(Error::NotAHead)?.logits(row, &mut logits)?;
    let least = logits.iter().copied().fold(f32::INFINITY, f32::min);
    let logit = |class: &String| {
        let place = head.labels().iter().position(|label| label == class);
        place.map_or(least, |place| logits[place]) / head.temperature()
    };
    Ok(classes.iter().map(logit).collect())
}

#[cfg(test)]
mod tests {
    use headstart::head::Random;

    use super::*;

    /// 36 samples of three classes, whose features lie so far apart.
    fn of(features: usize, apart: i8, seed: u64) -> FeatureCache {
        let mut cache = FeatureCache::new(features);
        let mut random = Random::new(seed);
        for sample in 0..36_u8 {
            let class = usize::from(sample) % 3;
            let label = cache.class(["cup", "jar", "mug"][class]).unwrap();
            let row: Vec<i8> = (0..features)
                .map(|at| if at % 3 == class { apart } else { 0 } + random.below(41) as i8 - 20)
                .collect();
            cache.insert([sample; 16], label, &row);
        }
        cache.sort();
        cache
    }

    #[test]
    fn features_that_tell_less_are_harm_and_others_are_not() {
        let (good, other, blind) = (of(16, 40, 1), of(30, 50, 2), of(24, 0, 3));
        let step = |old, new| between(old, new, Choice::auto()).unwrap().unwrap();
        let fine = step(&good, &other);
        assert_eq!((fine.is_worse(), fine.held_out), (false, 36), "{fine:?}");
        let worse = step(&good, &blind);
        assert_eq!((worse.is_worse(), worse.before), (true, 36), "{worse:?}");
        assert!(worse.after < 24 && worse.loss > 0.2, "{worse:?}");
        assert_eq!(worse.lost - worse.gained, worse.before - worse.after);
        let better = step(&blind, &good);
        assert!(!better.is_worse() && better.loss < -0.2, "{better:?}");
        // The same features do nothing at all.
        let same = step(&good, &good);
        assert_eq!((same.loss, same.after), (0.0, same.before));
    }

    #[test]
    fn each_limit_has_its_reason() {
        let fine = Adoption {
            held_out: 50,
            before: 30,
            after: 30,
            lost: 8,
            gained: 8,
            loss: 0.0,
            error: 0.03,
        };
        let cases = [
            (fine, false),
            (Adoption { loss: 0.07, ..fine }, true),
            // No more than chance.
            (Adoption { loss: 0.07, error: 0.08, ..fine }, false),
            (Adoption { lost: 9, gained: 5, ..fine }, false),
            (Adoption { lost: 25, gained: 1, loss: 0.04, ..fine }, true),
            // More than chance, and little.
            (Adoption { held_out: 1000, lost: 50, gained: 0, ..fine }, false),
            (Adoption { held_out: 1000, lost: 70, gained: 0, ..fine }, true),
        ];
        for (step, worse) in cases {
            assert_eq!(step.is_worse(), worse, "{step:?}");
        }
    }

    #[test]
    fn single_samples_cannot_be_held_out() {
        let mut cache = FeatureCache::new(1);
        for (id, name) in ["cup", "mug"].into_iter().enumerate() {
            let label = cache.class(name).unwrap();
            cache.insert([id as u8; 16], label, &[id as i8]);
        }
        assert_eq!(between(&cache, &cache, Choice::auto()).unwrap(), None);
    }
}
