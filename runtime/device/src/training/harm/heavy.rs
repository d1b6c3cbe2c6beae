//! New samples that were asked to count as several.
//!
//! Who lets new samples count as several says that what they gain is worth as much of what was known: where a hundred count as
//! much as 2,500, a loss of the many is the price, and the wish. Judged by the many alone the wish would be refused nearly each time:
//! of six speakers of digits, whose 100 clips counted as much as 2,500 of five others, four were rejected for a loss of 6 to 11 %, while
//! their own answers gained 8 to 17 points. So such samples are held out as well, and the loss is that of all answers, each weighed
//! as its sample counts. What they gain says nothing where their labels are wrong, so these labels are held to all of their
//! contradiction, as those of large updates are: whoever teaches just what the head before denies has to insist.

use super::parts::{PARTS, in_parts};
use crate::state::FeatureCache;

/// What samples count together.
pub(super) struct Weights {
    /// Labels for known classes that an update brings: new samples and corrections.
    pub(super) new: f64,
    /// Known samples.
    pub(super) known: f64,
    /// New samples that were asked to count as several.
    heavy: f64,
}

/// New samples of known classes that count as several.
pub(super) struct Heavy {
    /// In parts to hold out.
    pub(super) parts: Vec<Vec<usize>>,
    /// `None` where each sample counts once.
    pub(super) weights: Option<Weights>,
}

impl Heavy {
    pub(super) fn new(old: &FeatureCache, new: &FeatureCache) -> Self {
        if new.weights().iter().all(|&weight| weight == 1) {
            return Self { parts: vec![Vec::new(); PARTS], weights: None };
        }
        let is_known: Vec<bool> =
            new.classes().iter().map(|name| old.classes().contains(name)).collect();
        let counts = new.counts();
        let is_heavy = |at: usize, label: usize| {
            let is_new = !old.contains(&new.ids()[at]);
            is_new && new.weights()[at] > 1 && is_known[label] && counts[label] > 1
        };
        let mut weights = Weights { new: 0.0, known: 0.0, heavy: 0.0 };
        for (at, id) in new.ids().iter().enumerate() {
            let (label, weight) = (usize::from(new.labels()[at]), f64::from(new.weights()[at]));
            let before = old.name_of(id);
            if before.is_some() {
                weights.known += weight;
            }
            if is_known[label] && before != Some(&new.classes()[label]) {
                weights.new += weight;
            }
            if is_heavy(at, label) {
                weights.heavy += weight;
            }
        }
        Self { parts: in_parts(new, PARTS, is_heavy), weights: Some(weights) }
    }

    /// What each answer weighs: known samples as they count, and behind them so many heavy ones; both stand for all of their kind.
    pub(super) fn balance(&self, known: &[f64], heavy: usize) -> Vec<f64> {
        let Some(weights) = &self.weights else { return known.to_vec() };
        let share = weights.known / known.iter().sum::<f64>();
        let of_heavy = weights.heavy / heavy.max(1) as f64;
        let known = known.iter().map(|weight| weight * share);
        known.chain(std::iter::repeat_n(of_heavy, heavy)).collect()
    }
}
