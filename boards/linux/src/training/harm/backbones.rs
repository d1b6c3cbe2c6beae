//! What is known, answered from the features of two backbones.

use std::collections::HashMap;

use super::Effect;
use super::answers::Answers;
use super::before::{held_out, ids, losses};
use super::side::Side;
use crate::samples::SampleId;
use crate::state::{FeatureCache, Problem};

/// What the step from the features in `old` to those in `new` does; `None` where no sample can be held out. Samples and
/// classes are the same, and so is the way of asking: each sample is answered by ridge heads that were learned without
/// it, of either backbone, each at its own temperature.
///
/// No label is new: [`Effect::harm`] then is a loss past [`MARGIN`](super::MARGIN).
///
/// # Errors
/// [`Problem::Training`].
pub fn between(old: &FeatureCache, new: &FeatureCache) -> Result<Option<Effect>, Problem> {
    let (old_side, new_side) = (Side::new(old)?, Side::new(new)?);
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
    let mut effect = Effect { known: old.len() as u32, ..Effect::default() };
    losses(&mut effect, &before, before.temperature()?, &after, after.temperature()?);
    effect.after = effect.after_among_known;
    Ok(Some(effect))
}

#[cfg(test)]
mod tests {
    use headstart::head::Random;

    use super::*;
    use crate::training::harm::Harm;

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
        let step = |old, new| between(old, new).unwrap().unwrap();
        let fine = step(&good, &other);
        assert_eq!((fine.harm(), fine.held_out, fine.new), (None, 36, 0), "{fine:?}");
        let worse = step(&good, &blind);
        assert_eq!((worse.harm(), worse.before), (Some(Harm::Loss), 36), "{worse:?}");
        assert!(worse.after < 24 && worse.loss > 0.2, "{worse:?}");
        let better = step(&blind, &good);
        assert!(better.harm().is_none() && better.loss < -0.2, "{better:?}");
        // The same features do nothing at all.
        let same = step(&good, &good);
        assert_eq!((same.loss, same.after), (0.0, same.before));
    }

    #[test]
    fn single_samples_cannot_be_held_out() {
        let mut cache = FeatureCache::new(1);
        for (id, name) in ["cup", "mug"].into_iter().enumerate() {
            let label = cache.class(name).unwrap();
            cache.insert([id as u8; 16], label, &[id as i8]);
        }
        assert_eq!(between(&cache, &cache).unwrap(), None);
    }
}
