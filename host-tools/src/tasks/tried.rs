//! The cuts that were tried, and why one of them was taken.

use serde_json::{Value, json};

use crate::cut::freeze::Candidate;

/// So many of the best cuts are shown, and of the cheapest that are about as good.
const BEST: usize = 10;
const CHEAPEST: usize = 3;

/// Parts of the right answers that a cut may give up to be about as good as the one that was chosen.
const GIVEN_UP: f64 = 0.01;

/// All cuts, best first, and the one that was taken.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The cuts, the best first.
    pub candidates: Vec<Candidate>,
    /// The one that was taken.
    pub chosen: Candidate,
    /// The grid that was asked for.
    pool: Option<u8>,
}

impl Tried {
    pub(super) fn new(candidates: Vec<Candidate>, chosen: Candidate, pool: Option<u8>) -> Self {
        Self { candidates, chosen, pool }
    }

    pub(super) fn as_json(&self) -> Value {
        self.candidates.iter().map(|candidate| self.row_as_json(candidate)).collect()
    }

    fn row_as_json(&self, candidate: &Candidate) -> Value {
        json!({
            "tensor": candidate.tensor,
            "node": candidate.node,
            "pool": candidate.grid,
            "features": candidate.features,
            "accuracy": candidate.accuracy,
            "spread": candidate.spread,
            "error": candidate.error.is_finite().then_some(candidate.error),
            "int8_accuracy": candidate.int8.map(|int8| int8.accuracy),
            "int8_error": candidate.int8.map(|int8| int8.error).filter(|error| error.is_finite()),
            "samples": candidate.samples,
            "multiply_accumulates": candidate.macs,
            "head_bytes": candidate.head_bytes,
            "ram_bytes": candidate.ram_bytes,
            "usual": candidate.usual,
            "chosen_because": (*candidate == self.chosen).then(|| self.rule()),
        })
    }

    /// Places of the rows that are worth showing, rising: the best, the chosen one, and of those that are about as good the ones that
    /// take the fewest products and the least memory.
    #[must_use]
    pub fn shown(&self) -> Vec<usize> {
        let all = 0..self.candidates.len();
        let is_good = |at: &usize| {
            let candidate = &self.candidates[*at];
            candidate.accuracy >= self.chosen.accuracy - GIVEN_UP
        };
        let mut shown: Vec<usize> = all.clone().take(BEST).collect();
        shown.extend(all.clone().find(|&at| self.candidates[at] == self.chosen));
        for cost in [|c: &Candidate| c.macs, |c: &Candidate| c.ram_bytes] {
            let mut good: Vec<usize> = all.clone().filter(is_good).collect();
            good.sort_by_key(|&at| (cost(&self.candidates[at]), at));
            shown.extend(good.into_iter().take(CHEAPEST));
        }
        shown.sort_unstable();
        shown.dedup();
        shown
    }

    /// Why the cut was taken, in a sentence.
    #[must_use]
    pub fn rule(&self) -> String {
        let Candidate { samples, usual, grid, .. } = self.chosen;
        let (accuracy, error) = worth(&self.chosen);
        let better = |other: &&Candidate| other.samples == samples && worth(other).1 < error;
        let features = if self.chosen.int8.is_some() { " on int8 features" } else { "" };
        let mut rule = if usual && self.candidates.iter().any(|other| better(&other)) {
            format!(
                "what the pretrained classifier reads: no other cut of less error answers more than its {:.1} % of \
                 the held-out samples right{features}",
                100.0 * accuracy
            )
        } else {
            format!(
                "the least squared error of held-out outputs{features}, {error:.3}: few samples measure it better than \
                 the share of right answers"
            )
        };
        if self.pool.is_some() {
            rule += &format!(", of the cuts on a grid of {grid} x {grid}");
        }
        rule
    }
}

/// Accuracy and squared error of a candidate's head: on int8 features, where that was measured.
fn worth(candidate: &Candidate) -> (f64, f64) {
    candidate.int8.map_or((candidate.accuracy, candidate.error), |int8| (int8.accuracy, int8.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(at: usize, accuracy: f64, macs: u64) -> Candidate {
        Candidate {
            tensor: format!("t{at}"),
            node: format!("n{at}"),
            value: at,
            order: None,
            grid: 1,
            features: 32,
            usual: false,
            accuracy,
            spread: 0.01,
            error: 0.1 + 0.01 * at as f64,
            int8: None,
            samples: 200,
            macs,
            head_bytes: 100,
            ram_bytes: 1000,
        }
    }

    #[test]
    fn the_best_ten_the_chosen_and_the_cheapest_good_ones_are_shown() {
        let mut all: Vec<Candidate> =
            (0..40).map(|at| candidate(at, 0.9, 1000 - at as u64)).collect();
        all[35].accuracy = 0.5;
        all[39].accuracy = 0.5;
        let tried = Tried::new(all.clone(), all[0].clone(), None);
        // The fewest products of those that are good, and the least memory, which all have.
        assert_eq!(tried.shown(), (0..10).chain([36, 37, 38]).collect::<Vec<_>>());
        assert!(tried.rule().contains("0.100"), "{}", tried.rule());
        let few = Tried::new(all[..4].to_vec(), all[2].clone(), Some(1));
        assert_eq!(few.shown(), [0, 1, 2, 3]);
        assert!(few.rule().contains("1 x 1"));
    }

    #[test]
    fn a_usual_cut_that_stays_is_said_to_stay() {
        let mut all: Vec<Candidate> = (0..3).map(|at| candidate(at, 0.9, 10)).collect();
        all[2].usual = true;
        all.rotate_right(1);
        let tried = Tried::new(all.clone(), all[0].clone(), None);
        assert!(tried.rule().contains("pretrained classifier"), "{}", tried.rule());
        let rows = tried.as_json();
        assert!(rows[0]["chosen_because"].is_string() && rows[1]["chosen_because"].is_null());
    }
}
