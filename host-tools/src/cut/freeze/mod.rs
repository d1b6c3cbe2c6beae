//! Chooses where to freeze a network, by a few of the user's own samples.
//!
//! Every freeze point and pooling grid is tried: the features of some samples are computed in one
//! forward pass each, and a closed-form head is cross-validated on them. All candidates are
//! screened on few samples, the best of them once more on many. They are ranked by the squared
//! error of the held-out outputs, which says the same as the accuracy with far less noise: with 20
//! samples a class the accuracies of the best dozen differ by less than their spread.

mod judge;
mod kernel;
mod memory;
mod pool;
mod validate;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use headstart::burn::backend::Flex;
use headstart::burn::{ExecuteError, Executor, Tensor};
use headstart::graph::{Graph, ValueId};
use rayon::prelude::*;

use crate::cut::inspect::{FreezeKind, FreezePoint};
use crate::float;
pub use judge::{OnInt8, judge};
pub use validate::Score;

/// Finest grid that is tried.
const MAX_GRID: usize = 4;

/// Most features that are tried: more fill no head on a small board.
const MAX_FEATURES: usize = 8192;

/// Fewest features that are tried, if the classifier itself has not fewer.
const MIN_FEATURES: usize = 32;

/// Samples on which all candidates are screened, and on which the finalists are compared.
const SCREENING_SAMPLES: usize = 200;
const FINAL_SAMPLES: usize = 800;

/// Candidates that are compared on [`FINAL_SAMPLES`].
const FINALISTS: usize = 12;

/// Different assignments to folds that are averaged.
const REPEATS: usize = 4;

/// Limits on what the chosen backbone and head may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Most bytes of the head's float32 weights and biases.
    pub max_head_bytes: Option<u64>,
    /// Most multiply-accumulates of the backbone.
    pub max_macs: Option<u64>,
}

/// One way to freeze the network, and how good its features are.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The tensor to freeze at.
    pub tensor: String,
    /// The name of the node that makes the tensor.
    pub node: String,
    /// The tensor's index in the graph.
    pub value: ValueId,
    /// The tensor's axes without the batch, places first and channels last; `None` for a tensor that is not pooled.
    pub order: Option<Vec<usize>>,
    /// The grid that the tensor is pooled to.
    pub grid: usize,
    /// How many features a sample has.
    pub features: usize,
    /// Whether this is the input of the pretrained classifier: the usual place to freeze.
    pub usual: bool,
    /// Cross-validated share of right answers.
    pub accuracy: f64,
    /// Standard deviation of that share over the folds.
    pub spread: f64,
    /// Cross-validated squared error of the outputs (targets ±1, summed over the classes).
    pub error: f64,
    /// The same on int8 features, where it was measured.
    pub int8: Option<OnInt8>,
    /// How many samples these numbers come from.
    pub samples: usize,
    /// Multiply-accumulates of the backbone.
    pub macs: u64,
    /// Bytes of a float32 head for the classes of the samples.
    pub head_bytes: u64,
    /// Bytes of int8 activations that are alive at once, at most (an estimate).
    pub ram_bytes: u64,
}

/// A reason why no freeze point was chosen.
#[derive(Debug, thiserror::Error)]
pub enum FreezeError<E> {
    /// There are too few samples to compare anything.
    #[error(
        "cuts are compared on at least two classes with two samples each; {classes} classes have that"
    )]
    TooFewSamples {
        /// How many classes have two samples or more.
        classes: usize,
    },
    /// There is nothing to compare.
    #[error("there is no freeze point to compare")]
    NoPoint,
    /// No freeze point gives a number of features that is tried.
    #[error("no freeze point gives {MIN_FEATURES} to {MAX_FEATURES} features")]
    Features,
    /// Every candidate is past the budget.
    #[error("no freeze point is within the budget")]
    Budget,
    /// The float graph does not run.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// A sample could not be loaded.
    #[error(transparent)]
    Sample(E),
}

/// Lists all candidates within the budget, the chosen one first, the others by their error. Of those that give the very same features under
/// several names there is one.
///
/// `graph` is simplified and has one input; `points` are those of its freeze points that may be chosen. Sample `i` has the class `labels[i]`, classes are
/// numbered from 0, and `load(i)` gives the input's values; not every sample need be asked for.
/// `progress` is told how many of how many steps are done. The result depends on nothing else:
/// neither on the number of threads nor on chance.
///
/// The usual cut is kept unless another one answers more of the held-out samples right.
///
/// # Errors
///
/// [`FreezeError`].
pub fn auto<E: Send>(
    graph: &Graph,
    points: &[FreezePoint],
    labels: &[usize],
    load: impl Fn(usize) -> Result<Vec<f32>, E> + Sync,
    budget: &Budget,
    progress: impl Fn(usize, usize) + Sync,
) -> Result<Vec<Candidate>, FreezeError<E>> {
    let usable = class_sizes(labels).into_iter().filter(|&size| size >= 2).count();
    if usable < 2 {
        return Err(FreezeError::TooFewSamples { classes: usable });
    }
    if points.is_empty() {
        return Err(FreezeError::NoPoint);
    }
    let mut candidates = candidates(graph, points, labels, budget);
    if candidates.is_empty() {
        let any = self::candidates(graph, points, labels, &Budget::default());
        return Err(if any.is_empty() { FreezeError::Features } else { FreezeError::Budget });
    }
    let finals = finals(labels);
    let screening = balanced(labels, SCREENING_SAMPLES);
    let rescored = finals.len() > screening.len();
    let later = if rescored { finals.len() + FINALISTS.min(candidates.len()) } else { 0 };
    let (done, total) = (AtomicUsize::new(0), screening.len() + candidates.len() + later);
    let step = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
    let search = Search { graph, labels, executor: Executor::new(graph, &Default::default())? };

    search.score(&mut candidates, &screening, &load, &step)?;
    candidates.sort_by(|a, b| a.error.total_cmp(&b.error));
    leave_out_ties(&mut candidates);
    if rescored {
        // The usual cut is always compared to the end.
        if let Some(usual) = candidates.iter().position(|c| c.usual).filter(|&i| i >= FINALISTS) {
            let candidate = candidates.remove(usual);
            candidates.insert(FINALISTS - 1, candidate);
        }
        let finalists = FINALISTS.min(candidates.len());
        search.score(&mut candidates[..finalists], &finals, &load, &step)?;
        candidates[..finalists].sort_by(|a, b| a.error.total_cmp(&b.error));
    }
    if let Some(usual) = candidates.iter().position(|candidate| candidate.usual)
        && candidates[usual].samples == candidates[0].samples
        && candidates[usual].accuracy >= candidates[0].accuracy
    {
        candidates[..=usual].rotate_right(1);
    }
    Ok(candidates)
}

/// Keeps one of neighbours that cannot be told apart by what they are worth: the usual cut, or the one that costs least.
fn leave_out_ties(candidates: &mut Vec<Candidate>) {
    let worth =
        |c: &Candidate| (c.features, c.error.to_bits(), c.accuracy.to_bits(), c.spread.to_bits());
    candidates.dedup_by(|next, kept| {
        let is_tie = next.error.is_finite() && worth(next) == worth(kept);
        if is_tie && !kept.usual && (next.usual || next.macs < kept.macs) {
            std::mem::swap(next, kept);
        }
        is_tie
    });
}

/// Names the samples that [`auto`] asks for, by their labels.
#[must_use]
pub fn asked_for(labels: &[usize]) -> Vec<usize> {
    let mut asked = balanced(labels, SCREENING_SAMPLES);
    asked.extend(balanced(labels, FINAL_SAMPLES));
    asked.sort_unstable();
    asked.dedup();
    asked
}

/// The samples, by their labels, on which the best cuts are compared.
#[must_use]
pub fn finals(labels: &[usize]) -> Vec<usize> {
    balanced(labels, FINAL_SAMPLES)
}

/// Measures by cross-validation what a closed-form head reaches on features, one row a sample; `None` if they are not finite.
#[must_use]
pub fn cross_validate(features: Vec<Vec<f32>>, labels: &[usize]) -> Option<Score> {
    validate::validate(features, labels, &validate::folds(labels, REPEATS))
}

struct Search<'a> {
    graph: &'a Graph,
    labels: &'a [usize],
    executor: Executor<Flex>,
}

impl Search<'_> {
    /// Fills in what `candidates` reach on `samples`.
    fn score<E: Send>(
        &self,
        candidates: &mut [Candidate],
        samples: &[usize],
        load: &(impl Fn(usize) -> Result<Vec<f32>, E> + Sync),
        step: &(impl Fn() + Sync),
    ) -> Result<(), FreezeError<E>> {
        let labels: Vec<usize> = samples.iter().map(|&sample| self.labels[sample]).collect();
        let rows = samples
            .par_iter()
            .map(|&sample| {
                let rows = self.features(candidates, load(sample).map_err(FreezeError::Sample)?)?;
                step();
                Ok(rows)
            })
            .collect::<Result<Vec<Vec<Vec<f32>>>, FreezeError<E>>>()?;
        // From sample by candidate to candidate by sample.
        let mut tables: Vec<Vec<Vec<f32>>> =
            candidates.iter().map(|_| Vec::with_capacity(samples.len())).collect();
        for row in rows {
            row.into_iter().zip(&mut tables).for_each(|(features, table)| table.push(features));
        }
        let folds = validate::folds(&labels, REPEATS);
        candidates.par_iter_mut().zip(tables).for_each(|(candidate, table)| {
            // Features that are not finite, or that nothing can be told from, are the last choice.
            let worst =
                Score { accuracy: 0.0, spread: 0.0, error: f64::INFINITY, answers: Vec::new() };
            let score = validate::validate(table, &labels, &folds).unwrap_or(worst);
            candidate.accuracy = score.accuracy;
            candidate.spread = score.spread;
            candidate.error = score.error;
            candidate.samples = labels.len();
            step();
        });
        Ok(())
    }

    /// The features of one sample for each of the candidates, in one pass.
    fn features(
        &self,
        candidates: &[Candidate],
        input: Vec<f32>,
    ) -> Result<Vec<Vec<f32>>, ExecuteError> {
        let mut wanted: Vec<ValueId> = candidates.iter().map(|candidate| candidate.value).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut positions: BTreeMap<ValueId, Vec<usize>> = BTreeMap::new();
        for (position, candidate) in candidates.iter().enumerate() {
            positions.entry(candidate.value).or_default().push(position);
        }
        let shape = self.graph.values[self.graph.inputs[0]].shape.clone();
        let mut rows = vec![Vec::new(); candidates.len()];
        self.executor.observe(&[Tensor { shape, data: input }], &wanted, |id, tensor| {
            for &position in positions.get(&id).into_iter().flatten() {
                let Candidate { order, grid, .. } = &candidates[position];
                rows[position] = float::pool(&tensor.shape, &tensor.data, order.as_deref(), *grid);
            }
        })?;
        Ok(rows)
    }
}

/// Every freeze point on every grid within the budget, not scored yet.
fn candidates(
    graph: &Graph,
    points: &[FreezePoint],
    labels: &[usize],
    budget: &Budget,
) -> Vec<Candidate> {
    let classes = class_sizes(labels).len() as u64;
    let mut candidates = Vec::new();
    for point in points {
        let usual = point.kind == FreezeKind::Classifier;
        let batch_of_one = (2..=4).contains(&point.shape.len()) && point.shape[0] == 1;
        if !batch_of_one || budget.max_macs.is_some_and(|most| point.macs > most) {
            continue;
        }
        let ram_bytes = memory::peak_bytes(graph, point.value);
        for grid in (1..=MAX_GRID).filter(|&grid| pool::allows(point, grid)) {
            let features = pool::count(point, grid);
            let head_bytes = classes * (features as u64 + 1) * 4;
            let sized = usual || (MIN_FEATURES..=MAX_FEATURES).contains(&features);
            if sized && budget.max_head_bytes.is_none_or(|most| head_bytes <= most) {
                candidates.push(unscored(point, grid, features, [head_bytes, ram_bytes]));
            }
        }
    }
    candidates
}

fn unscored(
    point: &FreezePoint,
    grid: usize,
    features: usize,
    [head_bytes, ram_bytes]: [u64; 2],
) -> Candidate {
    Candidate {
        tensor: point.tensor.clone(),
        node: point.node.clone(),
        value: point.value,
        order: point.order.clone(),
        grid,
        features,
        usual: point.kind == FreezeKind::Classifier,
        accuracy: 0.0,
        spread: 0.0,
        error: f64::INFINITY,
        int8: None,
        samples: 0,
        macs: point.macs,
        head_bytes,
        ram_bytes,
    }
}

fn class_sizes(labels: &[usize]) -> Vec<usize> {
    let mut sizes = BTreeMap::new();
    labels.iter().for_each(|&label| *sizes.entry(label).or_insert(0) += 1);
    sizes.into_values().collect()
}

/// At most `count` samples, as many of each class as possible and spread over the class's own; in
/// their own order.
fn balanced(labels: &[usize], count: usize) -> Vec<usize> {
    if labels.len() <= count {
        return (0..labels.len()).collect();
    }
    let mut of_class: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (sample, &label) in labels.iter().enumerate() {
        of_class.entry(label).or_default().push(sample);
    }
    let share = (count / of_class.len()).max(2);
    let mut chosen: Vec<usize> = of_class
        .values()
        .flat_map(|samples| {
            let take = share.min(samples.len());
            (0..take).map(move |i| samples[i * samples.len() / take])
        })
        .collect();
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
pub(crate) mod tests {
    use std::convert::Infallible;

    use headstart::graph::{Activation, Conv, Gemm, Op, Window};

    use super::*;
    use crate::cut::inspect::freeze_points;

    /// A candidate of this value and squared error.
    pub(crate) fn candidate(value: ValueId, error: f64) -> Candidate {
        Candidate {
            tensor: format!("t{value}"),
            node: format!("n{value}"),
            value,
            order: None,
            grid: 1,
            features: 32,
            usual: false,
            accuracy: 0.9,
            spread: 0.01,
            error,
            int8: None,
            samples: 200,
            macs: 1000,
            head_bytes: 100,
            ram_bytes: 1000,
        }
    }

    /// `x [1, 2, 8, 8] → relu of 32 shifted copies → 2 → classifier`: what tells the samples
    /// apart, the side on which channel 0 is bright, is lost where everything is averaged.
    fn network() -> Graph {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 2, 8, 8]);
        graph.inputs.push(x);
        let point = Window::new(&[1; 2]);
        let conv = |graph: &mut Graph, name: &str, x, outputs: usize, inputs: usize| {
            let data = (0..outputs * inputs).map(|i| (i % 7) as f32 / 7.0 + 0.1).collect();
            let shape = vec![outputs, inputs, 1, 1];
            let weight = graph.add_constant(format!("{name}.w"), shape, data).unwrap();
            let op = Op::Conv(Conv { window: point.clone(), groups: 1 });
            let y = graph.add_node(name, op, vec![x, weight], format!("{name}.y")).unwrap();
            let relu = Op::Activation(Activation::Relu);
            graph.add_node(format!("{name}.relu"), relu, vec![y], format!("{name}.out")).unwrap()
        };
        let early = conv(&mut graph, "early", x, 32, 2);
        let late = conv(&mut graph, "late", early, 2, 32);
        let pool = graph.add_node("pool", Op::GlobalAveragePool, vec![late], "pooled").unwrap();
        let flat = Op::Reshape { shape: vec![1, 2] };
        let flat = graph.add_node("flat", flat, vec![pool], "features").unwrap();
        let matrix = graph.add_constant("matrix", vec![3, 2], vec![0.5; 6]).unwrap();
        let gemm = Op::Gemm(Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: true });
        let logits = graph.add_node("fc", gemm, vec![flat, matrix], "logits").unwrap();
        graph.outputs.push(logits);
        graph
    }

    /// Bright on the left (class 0) or on the right (class 1), with some noise.
    fn sample(index: usize) -> Result<Vec<f32>, Infallible> {
        let value = |i: usize| {
            let noise = ((i * 31 + index * 17) % 13) as f32 / 13.0;
            let bright = (i % 8 < 4) == (index.is_multiple_of(2));
            noise + f32::from(u8::from(bright))
        };
        Ok((0..128).map(value).collect())
    }

    fn choose(budget: &Budget) -> Result<Vec<Candidate>, FreezeError<Infallible>> {
        let labels: Vec<usize> = (0..30).map(|i| i % 2).collect();
        let graph = network();
        auto(&graph, &freeze_points(&graph), &labels, sample, budget, |_, _| ())
    }

    #[test]
    fn the_cut_that_still_tells_the_samples_apart_is_chosen() {
        let found = choose(&Budget::default()).unwrap();
        assert_eq!(found[0].tensor, "early.out");
        assert!(found[0].grid > 1 && found[0].accuracy > 0.95, "{:?}", found[0]);
        let usual = found.iter().find(|candidate| candidate.usual).unwrap();
        assert!(usual.accuracy < found[0].accuracy);
        assert_eq!(found, choose(&Budget::default()).unwrap());
    }

    #[test]
    fn the_same_features_under_two_names_are_one_cut() {
        let graph = network();
        let points = freeze_points(&graph);
        let mut twice = points.clone();
        twice.extend(
            points
                .iter()
                .filter(|point| point.tensor == "early.out")
                .cloned()
                .map(|point| FreezePoint { tensor: "dear".into(), macs: point.macs + 1, ..point }),
        );
        // The cheaper one stays wherever it stands.
        twice.rotate_right(1);
        let labels: Vec<usize> = (0..30).map(|i| i % 2).collect();
        let found = |points: &[FreezePoint]| -> Vec<Candidate> {
            auto(&graph, points, &labels, sample, &Budget::default(), |_, _| ()).unwrap()
        };
        assert_eq!(found(&twice), found(&points));
        assert!(found(&points).iter().any(|candidate| candidate.tensor == "early.out"));
    }

    #[test]
    fn nothing_past_the_budget_is_offered() {
        let budget = Budget { max_head_bytes: Some(600), ..Budget::default() };
        let found = choose(&budget).unwrap();
        assert!(!found.is_empty() && found.iter().all(|c| c.head_bytes <= 600));
        let budget = Budget { max_macs: Some(1), ..Budget::default() };
        assert!(matches!(choose(&budget), Err(FreezeError::Budget)));
    }

    #[test]
    fn no_budget_is_blamed_where_there_is_nothing_to_choose_from() {
        let graph = network();
        let labels: Vec<usize> = (0..30).map(|i| i % 2).collect();
        let found = |points: &[FreezePoint]| {
            auto(&graph, points, &labels, sample, &Budget::default(), |_, _| ()).unwrap_err()
        };
        assert!(matches!(found(&[]), FreezeError::NoPoint));
        let mut few = freeze_points(&graph);
        few.retain(|point| point.kind == FreezeKind::Trunk && point.shape == [1, 2, 8, 8]);
        few.iter_mut().for_each(|point| point.order = None);
        assert!(!few.is_empty());
        few.iter_mut().for_each(|point| point.shape = vec![1, 2]);
        assert!(matches!(found(&few), FreezeError::Features));
    }

    #[test]
    fn one_class_is_too_few() {
        let graph = network();
        let points = freeze_points(&graph);
        let found = auto(&graph, &points, &[0; 9], sample, &Budget::default(), |_, _| ());
        assert!(matches!(found, Err(FreezeError::TooFewSamples { classes: 1 })));
    }

    #[test]
    fn a_part_of_the_samples_has_all_classes_evenly() {
        let labels: Vec<usize> = (0..100).map(|i| usize::from(i >= 80)).collect();
        let chosen = balanced(&labels, 20);
        assert_eq!(chosen.iter().filter(|&&sample| labels[sample] == 1).count(), 10);
        assert_eq!(chosen.len(), 20);
        assert_eq!(balanced(&labels, 100).len(), 100);
    }
}
