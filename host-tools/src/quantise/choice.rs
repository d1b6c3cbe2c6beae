//! Chooses the rules of calibration by what they do to the features of samples that had no part in the ranges.

use headstart::graph::Graph;
use headstart::pack::Pack;
use rayon::prelude::*;

use crate::cut::layout::orders;
use crate::error::Error;
use crate::float::{FloatGraph, pool};
use crate::quantise::compare::{compare_tensor, int8_features, run_int8};
use crate::quantise::lowered::Lowered;
use crate::quantise::rules::Rules;
use crate::quantise::sample::Sample;

/// Another setting replaces the usual one only where it leaves less than this part of the error: less may be chance.
const GAIN: f64 = 0.98;

/// Most samples by which rules are compared, and most bytes of their float features, which are kept.
const COMPARED: usize = 32;
const KEPT_BYTES: usize = 64 << 20;

/// Rules that were tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tried {
    /// The rules.
    pub rules: Rules,
    /// The squared error of the int8 features of held-out samples, beside the squares of the float ones; 0 is best.
    pub error: f64,
}

/// Tries the usual rules and, choice by choice, others in their place; gives what was made by the best, and all that were tried, the best
/// first. `make` packs by some rules and measures their error.
///
/// # Errors
///
/// Whatever `make` says.
pub(super) fn choose<N>(
    has_scales: bool,
    mut make: impl FnMut(Rules) -> Result<(f64, N), Error>,
) -> Result<(N, Vec<Tried>), Error> {
    let usual = Rules::default();
    let (error, mut made) = make(usual)?;
    let mut best = Tried { rules: usual, error };
    let mut tried = vec![best];
    for choice in 0..usual.variants().len() {
        for &rules in &best.rules.variants()[choice] {
            if rules.channel_scales != best.rules.channel_scales && !has_scales {
                continue;
            }
            let (error, other) = make(rules)?;
            tried.push(Tried { rules, error });
            if error < GAIN * best.error {
                (best, made) = (Tried { rules, error }, other);
            }
        }
    }
    let at = tried.iter().position(|tried| *tried == best).unwrap_or(0);
    tried[..=at].rotate_right(1);
    Ok((made, tried))
}

/// Samples that had no part in the ranges, and what the float graph makes of them.
pub(super) struct HeldOut<'a> {
    graph: &'a Graph,
    samples: Vec<&'a Sample>,
    /// Of each sample the outputs of the graph, each pooled as the device does it.
    real: Vec<Vec<Vec<f32>>>,
    /// Whether a tail reads the outputs as they are.
    is_read_by_tail: bool,
}

impl<'a> HeldOut<'a> {
    /// Runs the samples through the float graph, as many as may be kept. `grid` is that of the features; `None` where a tail reads them.
    ///
    /// # Errors
    ///
    /// [`Error::Execute`].
    pub(super) fn new(
        graph: &'a Graph,
        float: &FloatGraph,
        samples: &'a [Sample],
        grid: Option<usize>,
    ) -> Result<Self, Error> {
        let elements = |&id: &usize| graph.values[id].shape.iter().product::<usize>();
        let most = KEPT_BYTES / (4 * graph.outputs.iter().map(elements).sum::<usize>()).max(1);
        let step = samples.len().div_ceil(most.clamp(1, COMPARED)).max(1);
        let samples: Vec<&Sample> = samples.iter().step_by(step).collect();
        let orders = orders(graph);
        let run = |sample: &&Sample| {
            let mut found = vec![Vec::new(); graph.outputs.len()];
            float.run_for(&graph.outputs, &sample.values(), &mut |id, data| {
                let Some(at) = graph.outputs.iter().position(|&output| output == id) else {
                    return;
                };
                found[at] = match grid {
                    Some(grid) => pool(&graph.values[id].shape, data, orders[id].as_deref(), grid),
                    None => data.to_vec(),
                };
            })?;
            Ok(found)
        };
        let mut real = Vec::with_capacity(samples.len());
        // No more runs at a time than memory allows.
        for wave in samples.chunks(float.most_at_once()) {
            real.extend(wave.par_iter().map(run).collect::<Result<Vec<_>, Error>>()?);
        }
        Ok(Self { graph, samples, real, is_read_by_tail: grid.is_none() })
    }

    /// The squared error of a pack's features, beside the squares of the float ones. `lowered` is what the pack was made of.
    ///
    /// # Errors
    ///
    /// What the pack refuses.
    pub(super) fn error(&self, pack: &Pack<'_>, lowered: &Lowered) -> Result<f64, Error> {
        let both = self.samples.par_iter().zip(&self.real);
        let each = both.map(|(sample, real)| match self.is_read_by_tail {
            true => self.of_tensors(pack, lowered, sample, real),
            false => {
                let int8 = int8_features(pack, &sample.values())?;
                let mut sums = [0.0; 2];
                for (&real, &found) in real.iter().flatten().zip(&int8) {
                    let (real, found) = (f64::from(real), f64::from(found));
                    sums = [sums[0] + (real - found).powi(2), sums[1] + real * real];
                }
                Ok(sums)
            }
        });
        let each = each.collect::<Result<Vec<[f64; 2]>, Error>>()?;
        let sums = each.iter().fold([0.0; 2], |all, part| [all[0] + part[0], all[1] + part[1]]);
        Ok(sums[0] / sums[1].max(f64::MIN_POSITIVE))
    }

    /// The squares of what the outputs' integers lack, and of the outputs.
    fn of_tensors(
        &self,
        pack: &Pack<'_>,
        lowered: &Lowered,
        sample: &Sample,
        real: &[Vec<f32>],
    ) -> Result<[f64; 2], Error> {
        let views: Vec<_> =
            self.graph.outputs.iter().map(|&output| lowered.views[output].as_ref()).collect();
        let mut stored = vec![Vec::new(); views.len()];
        let mut values = vec![None; views.len()];
        run_int8(pack, &sample.values(), |index, value, row, data| {
            for (at, view) in views.iter().enumerate() {
                if view.is_some_and(|view| view.value as usize == index) {
                    // Values may come in strips of rows.
                    stored[at].resize(value.elements() as usize, 0);
                    stored[at][row * value.row_bytes()..][..data.len()].copy_from_slice(data);
                    values[at] = Some(*value);
                }
            }
        })?;
        let mut sums = [0.0; 2];
        for (at, view) in views.into_iter().enumerate() {
            let (Some(view), Some(value)) = (view, values[at]) else { continue };
            let [error, square] =
                compare_tensor(view, &value, &stored[at], &real[at], false).squares();
            sums = [sums[0] + error, sums[1] + square];
        }
        Ok(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantise::rules::RangeRule;

    /// Runs the choice where each rule has an error that `of` says.
    fn chosen(has_scales: bool, of: impl Fn(Rules) -> f64) -> Vec<Tried> {
        let (made, tried) = choose(has_scales, |rules| Ok((of(rules), rules))).unwrap();
        assert_eq!(made, tried[0].rules);
        tried
    }

    #[test]
    fn each_choice_is_made_by_the_error_and_the_best_comes_first() {
        let usual = Rules::default();
        let tried = chosen(true, |_| 1.0);
        assert_eq!((tried[0].rules, tried.len()), (usual, 5));
        let tried = chosen(true, |rules| match rules {
            Rules { ranges: RangeRule::Extremes, channel_scales: false, .. } => 0.5,
            Rules { ranges: RangeRule::Extremes, .. } => 0.7,
            Rules { ranges: RangeRule::Percentile, .. } => 0.8,
            _ => 1.0,
        });
        let best = Rules { ranges: RangeRule::Extremes, channel_scales: false, ..usual };
        assert_eq!(tried[0], Tried { rules: best, error: 0.5 });
        // The last choice is tried with what the earlier ones gave.
        assert_eq!(tried[4].rules, Rules { bias_correction: false, ..best });
    }

    #[test]
    fn what_may_be_chance_changes_nothing() {
        let usual = Rules::default();
        let tried = chosen(true, |rules| if rules == usual { 1.0 } else { 0.99 });
        assert_eq!(tried[0].rules, usual);
    }

    #[test]
    fn scales_that_no_tensor_has_are_not_tried() {
        let tried = chosen(false, |_| 1.0);
        assert!(tried.iter().all(|tried| tried.rules.channel_scales), "{tried:?}");
    }
}
