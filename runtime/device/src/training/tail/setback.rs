//! Measures whether a tail that was trained answers worse than the one before it: too large steps, too few of them.
//!
//! [`harm`](crate::training::harm) judges samples, by heads of its own; this judges what training made of them. Both tails are measured on
//! samples that they were not trained on: the one before by the part that it held out then, the new one by what was known of the
//! part that it held out now. Samples that are new do not count, for they may be harder.

use headstart::pack::Pack;

use super::super::harm::{MARGIN, MARGIN_OF_NEW_CLASSES};
use super::TailOptions;
use super::train::{run, task};
use crate::Head;
use crate::state::FeatureCache;
use crate::training::TrainingProblem;

/// Standard errors of the difference that come on top of the margin: a small held-out part tells little.
const ERRORS: f64 = 2.0;

/// How often two tails are right on held-out samples, where the later one is worse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setback {
    /// Share of samples that the tail before answers rightly.
    pub before: f64,
    /// Share of samples that the tail that was trained answers rightly.
    pub after: f64,
    /// Samples that `after` was measured on.
    pub samples: usize,
}

/// The loss in answers between one tail and another, if it is more than [`MARGIN`] and chance explain. `known` are the samples of before,
/// `cache` those that `after` was trained on with these `options`.
///
/// # Errors
/// [`TrainingProblem::Samples`].
pub fn setback(
    known: &FeatureCache,
    cache: &FeatureCache,
    pack: &Pack<'_>,
    options: &TailOptions,
    [before, after]: [&Head; 2],
) -> Result<Option<Setback>, TrainingProblem> {
    let Some((right_before, of_before)) = before.held_out() else { return Ok(None) };
    let run = run(cache, pack, None, options)?;
    let task = task(&run)?;
    let mut held = task.held().to_vec();
    held.retain(|&sample| known.contains(&cache.ids()[sample]));
    let (right, of) = task.right(after, &held)?;
    if of == 0 {
        return Ok(None);
    }
    let counted_before = task.independent(of_before, held.len());
    let [before_part, after_part] =
        [(right_before, of_before), (right, of)].map(|(r, n)| f64::from(r) / f64::from(n));
    let new_classes = cache.classes().len() > before.labels().len();
    let margin = if new_classes { MARGIN + MARGIN_OF_NEW_CLASSES } else { MARGIN };
    let error = standard_error([(before_part, counted_before), (after_part, held.len())]);
    let setback = Setback { before: before_part, after: after_part, samples: held.len() };
    Ok((before_part - after_part > margin + ERRORS * error).then_some(setback))
}

/// Of the difference of two parts of so many samples, with one more right and one more wrong answer in each, so that all
/// right of a few is not certain.
fn standard_error(parts: [(f64, usize); 2]) -> f64 {
    let variance = |(part, count): (f64, usize)| {
        let count = count as f64 + 2.0;
        let part = (part * (count - 2.0) + 1.0) / count;
        part * (1.0 - part) / count
    };
    parts.map(variance).iter().sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::standard_error;

    #[test]
    fn few_samples_are_less_certain_than_many() {
        // 50 of 100 and of 100: √(2 · ¼ / 102).
        let many = standard_error([(0.5, 100), (0.5, 100)]);
        assert!((many - (0.5_f64 / 102.0).sqrt()).abs() < 1e-12, "{many}");
        let few = standard_error([(1.0, 3), (1.0, 3)]);
        assert!(few > many && few < 0.5, "{few}");
    }
}
