//! What is known before an update or after it, and heads that are learned from it.

use std::collections::HashSet;

use headstart::head::{LinearHead, Samples, discriminants, ridge};

use crate::samples::SampleId;
use crate::state::FeatureCache;
use crate::training::TrainingProblem;

pub(super) struct Side<'a> {
    pub(super) samples: Samples<'a>,
    classes: usize,
    /// Bytes that learning a head may take.
    memory: usize,
}

impl<'a> Side<'a> {
    pub(super) fn new(cache: &'a FeatureCache, memory: usize) -> Result<Self, TrainingProblem> {
        let samples = Samples::new(cache.features(), cache.labels(), cache.feature_len())?;
        Ok(Self { samples, classes: cache.classes().len(), memory })
    }

    /// The head of all samples but these; where memory is too small for them, of every second one, every third one,
    /// and so on, which are some of each class in the order of a cache.
    pub(super) fn without(
        &self,
        cache: &FeatureCache,
        held: &HashSet<SampleId>,
    ) -> Result<Linear, TrainingProblem> {
        let ids = (0_u32..).zip(cache.ids());
        let all: Vec<u32> = ids.filter(|(_, id)| !held.contains(*id)).map(|(at, _)| at).collect();
        let features = self.samples.feature_len();
        let scratch_len =
            |samples: usize| discriminants::scratch_len(samples, features, self.classes);
        let (mut rest, mut step) = (all.clone(), 1);
        while scratch_len(rest.len())? > self.memory / size_of::<f32>() && rest.len() > self.classes
        {
            step += 1;
            rest = all.iter().copied().step_by(step).collect();
        }
        let samples = self.samples.select(&rest)?;
        let mut scratch = vec![0.0; scratch_len(rest.len())?];
        let mut head =
            Linear { weights: vec![0.0; self.classes * features], bias: vec![0.0; self.classes] };
        let penalty = ridge::PENALTY;
        discriminants::train(samples, penalty, &mut head.weights, &mut head.bias, &mut scratch)?;
        Ok(head)
    }

    /// Mean square distance of these samples of `other` from this side's mean, each feature in units of its
    /// spread here (or of one step of int8, if that is more), as a multiple of this side's own.
    pub(super) fn strangeness(&self, other: &Self, fresh: &[usize]) -> f64 {
        let (count, features) = (self.samples.len() as f64, self.samples.feature_len());
        let (mut means, mut spreads) = (vec![0.0; features], vec![0.0; features]);
        for at in 0..self.samples.len() {
            for ((mean, spread), &q) in means.iter_mut().zip(&mut spreads).zip(self.samples.row(at))
            {
                *mean += f64::from(q) / count;
                *spread += f64::from(q).powi(2) / count;
            }
        }
        for (spread, mean) in spreads.iter_mut().zip(&means) {
            *spread = (*spread - mean * mean).max(0.0) + 1.0;
        }
        let distance = |row: &[i8]| {
            let each = row.iter().zip(&means).zip(&spreads);
            each.map(|((&q, mean), spread)| (f64::from(q) - mean).powi(2) / spread).sum::<f64>()
        };
        let own = (0..self.samples.len()).map(|at| distance(self.samples.row(at))).sum::<f64>();
        let found = fresh.iter().map(|&at| distance(other.samples.row(at))).sum::<f64>();
        // No distance at all where every known sample is the same.
        if own > 0.0 { found / fresh.len() as f64 / (own / count) } else { 0.0 }
    }
}

pub(super) struct Linear {
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Linear {
    pub(super) fn logits(&self, row: &[i8]) -> Result<Vec<f32>, TrainingProblem> {
        let mut logits = vec![0.0; self.bias.len()];
        LinearHead::new(&self.weights, &self.bias, row.len())?.logits(row, &mut logits)?;
        Ok(logits)
    }
}
