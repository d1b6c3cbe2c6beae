//! Answers to samples whose class is known, and how sure they are.

use headstart::head::calibrate::HeldOut;
use headstart::head::{Samples, argmax, softmax};

use crate::state::FeatureCache;
use crate::training::TrainingProblem;

/// A class is judged by so many samples at least.
const CLASS_SAMPLES: u32 = 3;

/// `σ` of half the lead of the right logit over the best other one, at a temperature.
pub(super) fn lead(logits: &[f32], label: usize, temperature: f32) -> f64 {
    let others = logits.iter().enumerate().filter(|(class, _)| *class != label);
    let best = others.map(|(_, logit)| *logit).fold(f32::NEG_INFINITY, f32::max);
    1.0 / (1.0 + (-f64::from((logits[label] - best) / (2.0 * temperature))).exp())
}

/// The best probability less the label's.
pub(super) fn preference(logits: &[f32], label: usize, temperature: f32) -> f64 {
    let mut probabilities = logits.to_vec();
    softmax(&mut probabilities, temperature);
    f64::from(probabilities[argmax(&probabilities)] - probabilities[label])
}

pub(super) fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// The mean of each class that has enough samples.
pub(super) fn by_class(labels: &[u16], numbers: &[f64], classes: usize) -> Vec<Option<f64>> {
    by_class_weighed(labels, numbers, &vec![1.0; numbers.len()], classes)
}

/// The weighted mean of each class that has enough samples.
pub(super) fn by_class_weighed(
    labels: &[u16],
    numbers: &[f64],
    weights: &[f64],
    classes: usize,
) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0.0, 0_u32); classes];
    for ((&label, number), own) in labels.iter().zip(numbers).zip(weights) {
        let (sum, weight, count) = &mut sums[usize::from(label)];
        (*sum, *weight, *count) = (*sum + own * number, *weight + own, *count + 1);
    }
    let means = sums.into_iter();
    means.map(|(sum, weight, count)| (count >= CLASS_SAMPLES).then(|| sum / weight)).collect()
}

/// Logits in the order of the classes before, and labels.
pub(super) struct Answers {
    pub(super) classes: usize,
    pub(super) logits: Vec<f32>,
    pub(super) labels: Vec<u16>,
}

impl Answers {
    pub(super) fn new(old: &FeatureCache) -> Self {
        Self { classes: old.classes().len(), logits: Vec::new(), labels: Vec::new() }
    }

    pub(super) fn push(&mut self, logits: &[f32], label: usize) {
        self.logits.extend(logits);
        self.labels.push(label as u16);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[f32], usize)> {
        let labels = self.labels.iter().map(|&label| usize::from(label));
        self.logits.chunks_exact(self.classes).zip(labels)
    }

    pub(super) fn right(&self) -> u32 {
        self.iter().map(|(logits, label)| u32::from(argmax(logits) == label)).sum()
    }

    /// That of least held-out loss.
    pub(super) fn temperature(&self) -> Result<f32, TrainingProblem> {
        // Only the labels count.
        let rows = vec![0; self.labels.len()];
        let samples = Samples::new(&rows, &self.labels, 1)?;
        Ok(HeldOut::new(&self.logits, samples, self.classes)?.temperature().0)
    }
}
