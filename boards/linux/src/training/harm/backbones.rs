//! What is known, answered from the features of two backbones.

use std::collections::HashMap;

use headstart::head::argmax;

use super::answers::Answers;
use super::before::{held_out, ids, losses};
use super::side::Side;
use super::{Effect, MARGIN};
use crate::samples::SampleId;
use crate::state::{FeatureCache, Problem};

/// Right answers that are lost count where they are so many standard errors.
const ERRORS: f64 = 2.0;

/// What the step to another backbone did to the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// Samples that were held out.
    pub held_out: u32,
    /// Right answers from the features before.
    pub before: u32,
    /// Right answers from those after.
    pub after: u32,
    /// Samples that were answered rightly before only.
    pub lost: u32,
    /// Those that are answered rightly after only.
    pub gained: u32,
    /// What the answers lost, as a part of them, each weighed by how sure it is; below 0 for a gain.
    pub loss: f64,
    /// The loss's standard error.
    pub error: f64,
}

impl Step {
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

/// What the step from the features in `old` to those in `new` does; `None` where no sample can be held out. Samples and
/// classes are the same, and so is the way of asking: each sample is answered by discriminants that were learned without
/// it, of either backbone, each at its own temperature. Heads are learned in so many bytes of `memory`.
///
/// # Errors
/// [`Problem::Training`].
pub fn between(
    old: &FeatureCache,
    new: &FeatureCache,
    memory: usize,
) -> Result<Option<Step>, Problem> {
    let (old_side, new_side) = (Side::new(old, memory)?, Side::new(new, memory)?);
    let places: HashMap<&SampleId, usize> = new.ids().iter().zip(0..).collect();
    let class = |name: &String| new.classes().iter().position(|other| other == name);
    let Some(classes) = old.classes().iter().map(class).collect::<Option<Vec<usize>>>() else {
        return Ok(None);
    };
    let (mut before, mut after) = (Answers::new(old), Answers::new(old));
    for part in held_out(old, new) {
        let held = ids(old, &part);
        let (old_head, new_head) = (old_side.without(old, &held)?, new_side.without(new, &held)?);
        for at in part {
            let Some(&place) = places.get(&old.ids()[at]) else { continue };
            let label = usize::from(old.labels()[at]);
            before.push(&old_head.logits(old_side.samples.row(at))?, label);
            let logits = new_head.logits(new_side.samples.row(place))?;
            let known: Vec<f32> = classes.iter().map(|&class| logits[class]).collect();
            after.push(&known, label);
        }
    }
    if before.labels.is_empty() {
        return Ok(None);
    }
    let mut effect = Effect::default();
    losses(&mut effect, &before, before.temperature()?, &after, after.temperature()?);
    let mut step = Step {
        held_out: effect.held_out,
        before: effect.before,
        after: effect.after_among_known,
        loss: effect.loss,
        error: effect.error,
        ..Step::default()
    };
    for ((before, label), (after, _)) in before.iter().zip(after.iter()) {
        let (was, is) = (argmax(before) == label, argmax(after) == label);
        step.lost += u32::from(was && !is);
        step.gained += u32::from(is && !was);
    }
    Ok(Some(step))
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
        let step = |old, new| between(old, new, usize::MAX).unwrap().unwrap();
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
        let fine = Step {
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
            (Step { loss: 0.07, ..fine }, true),
            // No more than chance.
            (Step { loss: 0.07, error: 0.08, ..fine }, false),
            (Step { lost: 9, gained: 5, ..fine }, false),
            (Step { lost: 25, gained: 1, loss: 0.04, ..fine }, true),
            // More than chance, and little.
            (Step { held_out: 1000, lost: 50, gained: 0, ..fine }, false),
            (Step { held_out: 1000, lost: 70, gained: 0, ..fine }, true),
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
        assert_eq!(between(&cache, &cache, usize::MAX).unwrap(), None);
    }
}
