//! Samples but for those that are held out, and their heads. A small update changes few of the sums that these follow from.

use std::collections::{HashMap, HashSet};

use super::side::Side;
use crate::samples::SampleId;
use crate::state::FeatureCache;
use crate::training::TrainingProblem;
use crate::training::known::{Known, Linear};

/// Of heads of many samples: in the middle of those that `auto` tries.
const PENALTY_OF_MANY: f32 = 5e-4;

/// Samples of a side, but for some that are held out.
pub(super) struct Rest<'a> {
    cache: &'a FeatureCache,
    side: &'a Side<'a>,
    /// Their places in the cache.
    places: Vec<u32>,
}

impl<'a> Rest<'a> {
    pub(super) fn new(
        cache: &'a FeatureCache,
        side: &'a Side<'a>,
        held: &HashSet<SampleId>,
    ) -> Self {
        let ids = (0_u32..).zip(cache.ids());
        let places = ids.filter(|(_, id)| !held.contains(*id)).map(|(at, _)| at).collect();
        Self { cache, side, places }
    }

    /// Their head.
    pub(super) fn head(&self) -> Result<Linear, TrainingProblem> {
        match self.side.many {
            true => Ok(self.sums()?.1),
            false => self.side.head_of(&self.places),
        }
    }

    /// The sums of many samples, and their head.
    pub(super) fn sums(&self) -> Result<(Known, Linear), TrainingProblem> {
        let counts = self.side.count(&self.places);
        let mut known = Known::new(self.cache.feature_len(), &counts)?;
        known.add(self.side.counted(), &self.places)?;
        let head = known.head(PENALTY_OF_MANY)?;
        Ok((known, head))
    }

    /// The head of many samples from the sums of those before: the same one as from none, and sooner where little changed.
    pub(super) fn head_after(
        &self,
        before: &Rest<'_>,
        known: &Known,
    ) -> Result<Linear, TrainingProblem> {
        if before.cache.classes() == self.cache.classes()
            && known.weighs(&self.side.count(&self.places))
            && let Some(Step { taken, added }) = Step::between(before, self)
        {
            let mut known = known.clone();
            known.take(before.side.counted(), &taken)?;
            known.add(self.side.counted(), &added)?;
            return known.head(PENALTY_OF_MANY);
        }
        self.head()
    }
}

/// What is taken off the samples before, and what is added of those after.
#[derive(Debug, PartialEq)]
struct Step {
    taken: Vec<u32>,
    added: Vec<u32>,
}

impl Step {
    /// The samples of two sides with the same classes that are not the same on both; `None` where that is most of them.
    fn between(before: &Rest<'_>, after: &Rest<'_>) -> Option<Self> {
        let ids = before.cache.ids();
        let mut left: HashMap<&SampleId, u32> =
            before.places.iter().map(|&at| (&ids[at as usize], at)).collect();
        let (mut taken, mut added) = (Vec::new(), Vec::new());
        for &at in &after.places {
            match left.remove(&after.cache.ids()[at as usize]) {
                Some(own) if before.side.is_same(own, after.side, at) => {}
                Some(own) => {
                    taken.push(own);
                    added.push(at);
                }
                None => added.push(at),
            }
        }
        taken.extend(left.into_values());
        taken.sort_unstable();
        (taken.len() + added.len() < after.places.len()).then_some(Self { taken, added })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [&str; 2] = ["cup", "jar"];

    /// Samples by number, class and weight.
    fn cache(samples: &[(u8, u16, u16)]) -> FeatureCache {
        let mut cache = FeatureCache::new(4);
        CLASSES.iter().for_each(|name| assert!(cache.class(name).is_some()));
        // Some that are never changed.
        let others = (100..110).map(|number| (number, 1, 1));
        for (number, label, weight) in samples.iter().copied().chain(others) {
            cache.insert([number; 16], label, &[number as i8; 4]);
            cache.set_weight(&[number; 16], weight);
        }
        cache.sort();
        cache
    }

    fn ids(cache: &FeatureCache, places: &[u32]) -> Vec<u8> {
        places.iter().map(|&at| cache.ids()[at as usize][0]).collect()
    }

    #[test]
    fn a_step_is_what_came_what_went_and_what_is_not_the_same() {
        let old =
            cache(&[(1, 0, 1), (2, 0, 1), (3, 1, 1), (4, 1, 2), (5, 1, 1), (6, 0, 1), (7, 0, 1)]);
        // The third one gets another class, the fourth another weight, the fifth goes; 2 and 8 are held out.
        let new = cache(&[
            (1, 0, 1),
            (2, 0, 1),
            (3, 0, 1),
            (4, 1, 3),
            (6, 0, 1),
            (7, 0, 1),
            (8, 0, 1),
            (9, 1, 1),
        ]);
        let sides = [&old, &new].map(|cache| Side::new(cache, usize::MAX, true).unwrap());
        let (of_old, of_new) = (HashSet::from([[2; 16]]), HashSet::from([[2; 16], [8; 16]]));
        let before = Rest::new(&old, &sides[0], &of_old);
        let after = Rest::new(&new, &sides[1], &of_new);
        let step = Step::between(&before, &after).unwrap();
        let (mut taken, mut added) = (ids(&old, &step.taken), ids(&new, &step.added));
        taken.sort_unstable();
        added.sort_unstable();
        assert_eq!((taken, added), (vec![3, 4, 5], vec![3, 4, 9]));
        assert_eq!(Step::between(&before, &before), Some(Step { taken: vec![], added: vec![] }));
        let mut other = FeatureCache::new(4);
        CLASSES.iter().for_each(|name| assert!(other.class(name).is_some()));
        other.insert([11; 16], 0, &[1; 4]);
        let side = Side::new(&other, usize::MAX, true).unwrap();
        assert_eq!(Step::between(&before, &Rest::new(&other, &side, &HashSet::new())), None);
    }
}
