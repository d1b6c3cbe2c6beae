//! What every training of a tail has: samples, the pack's tail, and the record at the end.

use headstart::graph::ValueId;
use headstart::head::{HeadParts, Learner, LinearHead, Random, Storage};
use headstart::pack::{Pack, TailStorage};
use headstart::tail::training::{LastLayer, Settings};
use headstart::tail::{Tail, TailRecord};

use super::TailOptions;
use super::augment::{Levels, augmented};
use crate::Head;
use crate::engine::{self, Backend, Learned, TailTrainer};
use crate::state::Augment;
use crate::state::FeatureCache;
use crate::training::TrainingProblem;

pub(super) struct Run<'a> {
    pub(super) cache: &'a FeatureCache,
    pub(super) pack: &'a Pack<'a>,
    pub(super) tail: Tail,
    pub(super) initial: Option<&'a Head>,
    pub(super) options: &'a TailOptions,
}

/// What held-out samples say of a head.
pub(super) struct Certainty {
    pub(super) temperature: f32,
    pub(super) unknown_threshold: f32,
    pub(super) held_out: Option<(u32, u32)>,
}

impl Run<'_> {
    /// The tail and its last layer on that engine; with `dice` for each place. `shown` is how often each class is, for a training in
    /// which all count the same.
    pub(super) fn trainer(
        &self,
        backend: Backend,
        settings: Settings,
        dice: Option<f32>,
        shown: impl FnOnce() -> Vec<f64>,
    ) -> Result<Box<dyn TailTrainer>, TrainingProblem> {
        let (graph, last) = (&self.tail.graph, self.last_layer());
        let mut trainer =
            engine::train_tail(backend, graph, &self.trained()?, (last, settings), dice)?;
        if self.options.balanced {
            trainer.weigh_classes(&balanced(&shown()))?;
        }
        Ok(trainer)
    }

    pub(super) fn levels(&self) -> Levels {
        let preprocessing = &self.pack.input().preprocessing;
        Levels { mean: preprocessing.mean, std: preprocessing.std }
    }

    /// The constants that gradients change: what `freeze` does not name, and what `train` names; without `freeze`
    /// what `train` names alone.
    fn trained(&self) -> Result<Vec<ValueId>, TrainingProblem> {
        let parameters = self.tail.parameters();
        let named = |pattern: &String| {
            let found: Vec<ValueId> =
                parameters.iter().copied().filter(|&id| self.tail.is_named(id, pattern)).collect();
            if found.is_empty() {
                Err(TrainingProblem::NoLayer(pattern.clone()))
            } else {
                Ok(found)
            }
        };
        let all = |patterns: &[String]| -> Result<Vec<ValueId>, TrainingProblem> {
            Ok(patterns.iter().map(named).collect::<Result<Vec<_>, _>>()?.concat())
        };
        let (train, freeze) = (&self.options.train, &self.options.freeze);
        let (mut trained, frozen) = (all(train)?, all(freeze)?);
        if train.is_empty() || !freeze.is_empty() {
            trained.extend(parameters.iter().filter(|id| !frozen.contains(id)));
        }
        trained.sort_unstable();
        trained.dedup();
        Ok(trained)
    }

    /// Zeros, but for the classes that the pack's own head knows.
    fn last_layer(&self) -> LastLayer {
        let (width, classes) = (self.pack.head_inputs(), self.cache.classes());
        let mut last =
            LastLayer { weights: vec![0.0; classes.len() * width], bias: vec![0.0; classes.len()] };
        let Some((head, linear)) = self.initial.and_then(|head| Some((head, head.last()?))) else {
            return last;
        };
        for (from, label) in head.labels().iter().enumerate() {
            let Some(to) = classes.iter().position(|class| class == label) else { continue };
            let row = &linear.weights()[from * width..][..width];
            last.weights[to * width..][..width].copy_from_slice(row);
            last.bias[to] = linear.bias()[from];
        }
        last
    }

    pub(super) fn append(
        &self,
        inputs: &mut [Vec<f32>],
        row: &[i8],
        augment: Option<(Augment, &mut Random)>,
    ) -> Result<(), TrainingProblem> {
        let wrong =
            headstart::Error::BufferLength { expected: self.pack.feature_len(), found: row.len() };
        let mut values = self.tail.inputs(row).ok_or(wrong)?;
        if let Some((augment, random)) = augment
            && augment.any()
            && let ([values], [input]) = (&mut values[..], &self.tail.graph.inputs[..])
        {
            let shape = &self.tail.graph.values[*input].shape;
            *values = augmented(values, shape, augment, self.levels(), random);
        }
        inputs.iter_mut().zip(values).for_each(|(all, own)| all.extend(own));
        Ok(())
    }

    /// The record of what was learned from so many samples a class.
    pub(super) fn write(
        &self,
        (constants, last): Learned,
        counts: &[u32],
        certainty: Certainty,
    ) -> Result<Vec<u8>, TrainingProblem> {
        let digest = self.pack.backbone_digest();
        let labels: Vec<&str> = self.cache.classes().iter().map(String::as_str).collect();
        let parts = HeadParts {
            head: LinearHead::new(&last.weights, &last.bias, self.pack.head_inputs())?,
            backbone_digest: digest,
            labels: &labels,
            samples: counts,
            learner: Learner::Other,
            storage: Storage::F32,
            temperature: certainty.temperature,
            unknown_threshold: certainty.unknown_threshold,
            held_out: certainty.held_out,
            prototypes: None,
        };
        let mut record = vec![0; parts.encoded_len()?];
        parts.emit(&mut record)?;
        let storage = if self.options.half { TailStorage::F16 } else { TailStorage::F32 };
        let tail = TailRecord { constants }.emit(&self.tail, &digest, storage)?;
        Ok([tail, record].concat())
    }
}

/// Weights with which every class counts the same: `n / (k · n of the class)` for `n` samples of `k` classes that have any.
fn balanced(counts: &[f64]) -> Vec<f32> {
    let (all, shown) = (counts.iter().sum::<f64>(), counts.iter().filter(|&&n| n > 0.0).count());
    let weight = |&n: &f64| if n > 0.0 { (all / (shown as f64 * n)) as f32 } else { 0.0 };
    counts.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::balanced;

    #[test]
    fn balanced_classes_weigh_the_same_in_all() {
        let counts = [30.0, 10.0, 0.0, 20.0];
        let weights = balanced(&counts);
        assert_eq!(weights[2], 0.0);
        for at in [0, 1, 3] {
            assert!((f64::from(weights[at]) * counts[at] - 20.0).abs() < 1e-5, "{weights:?}");
        }
    }
}
