//! How many samples of classes that were never taught are answered as if they were of one that was.
//!
//! Nobody has such samples, but every class is one to a head that was learned without it. So each class is left out in
//! turn, and the head of the others is asked for it. Right answers to known samples come from heads without these
//! samples, a quarter of each class at a time.

use super::{Choice, without};
use crate::samples::SampleId;
use crate::state::FeatureCache;
use crate::training::TrainingProblem;

/// Parts in which known samples are held out.
const PARTS: usize = 4;
/// The fewest classes for which strangers can be measured, each left out in turn.
pub const LEAST_CLASSES: usize = 3;

/// Best probabilities, ascending: of samples of classes that the head did not know (strangers), and of right answers to held-out samples of
/// classes that it did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Strangers {
    strangers: Vec<f32>,
    known: Vec<f32>,
}

/// A threshold for "unknown" and its effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// The threshold: best probabilities below it mean "unknown", 0 to 1.
    pub threshold: f32,
    /// Part of the strangers that is answered.
    pub answered: f64,
    /// Part of the right answers to known samples that becomes "unknown".
    pub given_up: f64,
}

impl Strangers {
    /// Trains one head for each class and each part.
    ///
    /// # Errors
    /// [`TrainingProblem::FewClasses`] below [`LEAST_CLASSES`] classes with samples; those of [`train`](super::train).
    pub fn measure(
        cache: &FeatureCache,
        choice: Choice,
        backbone: [u8; 32],
    ) -> Result<Self, TrainingProblem> {
        let counts = cache.counts();
        let found = counts.iter().filter(|&&count| count > 0).count();
        if found < LEAST_CLASSES {
            return Err(TrainingProblem::FewClasses { found, least: LEAST_CLASSES });
        }
        let mut all = Self::default();
        for class in (0..counts.len()).filter(|&class| counts[class] > 0) {
            let left_out = |at: usize| usize::from(cache.labels()[at]) == class;
            let (probabilities, _) = asked(cache, choice, backbone, left_out)?;
            all.strangers.extend(probabilities);
        }
        let mut seen = vec![0; counts.len()];
        let part_of = cache.labels().iter().map(|&label| {
            let seen = &mut seen[usize::from(label)];
            *seen += 1;
            (*seen - 1) % PARTS
        });
        let part_of: Vec<usize> = part_of.collect();
        for part in 0..PARTS {
            // A class of one sample would be left out whole.
            let held =
                |at: usize| part_of[at] == part && counts[usize::from(cache.labels()[at])] > 1;
            let (probabilities, right) = asked(cache, choice, backbone, held)?;
            let right = probabilities.into_iter().zip(right).filter(|(_, right)| *right);
            all.known.extend(right.map(|(probability, _)| probability));
        }
        all.strangers.sort_by(f32::total_cmp);
        all.known.sort_by(f32::total_cmp);
        Ok(all)
    }

    /// The lowest threshold that lets at most this part of the strangers be answered, 0 to 1; 1, and what that does,
    /// where more of them are answered with certainty.
    #[must_use]
    pub fn limit(&self, part: f64) -> Limit {
        let most = (part * self.strangers.len() as f64) as usize;
        let first_refused = self.strangers.iter().rev().nth(most);
        let threshold = first_refused.map_or(0.0, |probability| probability.next_up()).min(1.0);
        let below = |all: &[f32]| all.partition_point(|probability| *probability < threshold);
        let share = |count: usize, all: &[f32]| count as f64 / all.len().max(1) as f64;
        Limit {
            threshold,
            answered: share(self.strangers.len() - below(&self.strangers), &self.strangers),
            given_up: share(below(&self.known), &self.known),
        }
    }
}

/// Best probabilities of the samples that are left out, by a head of all others, and whether it is right.
fn asked(
    cache: &FeatureCache,
    choice: Choice,
    backbone: [u8; 32],
    left_out: impl Fn(usize) -> bool,
) -> Result<(Vec<f32>, Vec<bool>), TrainingProblem> {
    let chosen: Vec<usize> = (0..cache.len()).filter(|&at| left_out(at)).collect();
    let ids: Vec<SampleId> = chosen.iter().map(|&at| cache.ids()[at]).collect();
    let head = without(cache, &ids, choice, backbone)?;
    let (mut probabilities, mut right) = (Vec::new(), Vec::new());
    for at in chosen {
        let row = &cache.features()[at * cache.feature_len()..][..cache.feature_len()];
        let answer = head.answer(row)?;
        probabilities.push(answer.probability);
        let class = &cache.classes()[usize::from(cache.labels()[at])];
        right.push(head.labels().get(answer.class) == Some(class));
    }
    Ok((probabilities, right))
}

#[cfg(test)]
mod tests {
    use headstart::head::Random;

    use super::*;

    #[test]
    fn the_threshold_lets_as_many_strangers_pass_as_it_says() {
        let all = Strangers {
            strangers: vec![0.2, 0.3, 0.4, 0.5, 0.6, 0.6, 0.7, 0.8, 0.9, 1.0],
            known: vec![0.5, 0.65, 0.95, 1.0],
        };
        let limit = all.limit(0.4);
        assert_eq!((limit.threshold, limit.answered), (0.6_f32.next_up(), 0.4));
        assert_eq!(limit.given_up, 0.25);
        // Two are as sure: neither passes.
        assert_eq!(all.limit(0.5).answered, 0.4);
        assert_eq!(all.limit(1.0).threshold, 0.0);
        // One is certain.
        assert_eq!((all.limit(0.0).threshold, all.limit(0.0).answered), (1.0, 0.1));
        assert_eq!(Strangers::default().limit(0.1).threshold, 0.0);
    }

    #[test]
    fn classes_far_apart_are_strange_to_each_other() {
        let mut cache = FeatureCache::new(8);
        let mut random = Random::new(5);
        for sample in 0..40_u8 {
            let class = usize::from(sample) % 4;
            let label = cache.class(["cup", "jar", "mug", "pot"][class]).unwrap();
            let row: Vec<i8> = (0..8)
                .map(|at| if at % 4 == class { 60 } else { -20 } + random.below(9) as i8 - 4)
                .collect();
            cache.insert([sample; 16], label, &row);
        }
        cache.sort();
        let all = Strangers::measure(&cache, Choice::auto(), [7; 32]).unwrap();
        assert_eq!((all.strangers.len(), all.known.len()), (40, 40));
        let limit = all.limit(0.05);
        assert!(limit.answered <= 0.05 && limit.given_up < 0.2, "{limit:?}");
        cache.forget_class("cup");
        cache.forget_class("jar");
        cache.drop_empty_classes(&[]);
        let refused = Strangers::measure(&cache, Choice::auto(), [7; 32]).unwrap_err();
        assert!(refused.to_string().contains("2 classes"), "{refused}");
    }
}
