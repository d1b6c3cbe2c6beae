//! The step from one set of samples to another: a small update changes few of the sums that its heads follow from.

use std::collections::{HashMap, HashSet};

use super::side::Side;
use crate::samples::SampleId;
use crate::state::FeatureCache;

/// Samples of a side, but for some that are held out.
#[derive(Clone, Copy)]
pub(super) struct Rest<'a> {
    pub(super) cache: &'a FeatureCache,
    pub(super) side: &'a Side<'a>,
    pub(super) held: &'a HashSet<SampleId>,
}

impl Rest<'_> {
    /// Their places in the cache.
    pub(super) fn places(&self) -> Vec<u32> {
        let ids = (0_u32..).zip(self.cache.ids());
        ids.filter(|(_, id)| !self.held.contains(*id)).map(|(at, _)| at).collect()
    }
}

/// What is taken off the samples before, and what is added of those after.
#[derive(Debug, PartialEq)]
pub(super) struct Step {
    pub(super) taken: Vec<u32>,
    pub(super) added: Vec<u32>,
}

impl Step {
    /// The samples of two sides with the same classes that are not the same on both; `None` where that is most of them.
    pub(super) fn between(before: Rest<'_>, after: Rest<'_>) -> Option<Self> {
        let ids = before.cache.ids();
        let mut left: HashMap<&SampleId, u32> =
            before.places().into_iter().map(|at| (&ids[at as usize], at)).collect();
        let places = after.places();
        let (mut taken, mut added) = (Vec::new(), Vec::new());
        for &at in &places {
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
        (taken.len() + added.len() < places.len()).then_some(Self { taken, added })
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
        let rest = |cache, side, held| Rest { cache, side, held };
        let before = rest(&old, &sides[0], &of_old);
        let after = rest(&new, &sides[1], &of_new);
        let step = Step::between(before, after).unwrap();
        let (mut taken, mut added) = (ids(&old, &step.taken), ids(&new, &step.added));
        taken.sort_unstable();
        added.sort_unstable();
        assert_eq!((taken, added), (vec![3, 4, 5], vec![3, 4, 9]));
        assert_eq!(Step::between(before, before), Some(Step { taken: vec![], added: vec![] }));
        let none = HashSet::new();
        let mut other = FeatureCache::new(4);
        CLASSES.iter().for_each(|name| assert!(other.class(name).is_some()));
        other.insert([11; 16], 0, &[1; 4]);
        let side = Side::new(&other, usize::MAX, true).unwrap();
        assert_eq!(Step::between(before, rest(&other, &side, &none)), None);
    }
}
