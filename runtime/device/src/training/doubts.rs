//! Samples that seem to be of another class than their label says.

use headstart::head::calibrate::HeldOut;
use headstart::head::{LinearHead, Samples, argmax, ridge, softmax};

use crate::state::FeatureCache;
use crate::training::TrainingProblem;

/// Parts of the samples; each is answered by a head of the others.
const PARTS: usize = 4;

/// A sample that is answered with another class by a head that was learned without it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Doubt {
    /// Index of the sample in the cache.
    pub sample: usize,
    /// The class that is answered instead.
    pub answer: u16,
    /// The probability of `answer`, 0 to 1.
    pub probability: f32,
}

/// Finds the samples whose labels look wrong, the surest first. The cache is in its order ([`FeatureCache::sort`]).
///
/// # Errors
/// [`TrainingProblem::Samples`].
pub fn doubts(cache: &FeatureCache) -> Result<Vec<Doubt>, TrainingProblem> {
    let (features, classes) = (cache.feature_len(), cache.classes().len());
    let samples = Samples::new(cache.features(), cache.labels(), features)?;
    // Samples stand class by class: every part has some of each.
    let (mut held, mut logits) = (Vec::new(), Vec::new());
    for part in 0..PARTS as u32 {
        let (test, train): (Vec<u32>, Vec<u32>) =
            (0..cache.len() as u32).partition(|at| at % PARTS as u32 == part);
        if test.is_empty() || train.is_empty() {
            continue;
        }
        let (mut weights, mut bias) = (vec![0.0; classes * features], vec![0.0; classes]);
        let mut scratch = vec![0.0; ridge::scratch_len(train.len(), features, classes)?];
        let rest = samples.select(&train)?;
        ridge::train(rest, ridge::PENALTY, &mut weights, &mut bias, &mut scratch)?;
        let head = LinearHead::new(&weights, &bias, features)?;
        for &at in &test {
            let start = logits.len();
            logits.resize(start + classes, 0.0);
            head.logits(samples.row(at as usize), &mut logits[start..])?;
        }
        held.extend(test);
    }
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let (temperature, _) = HeldOut::new(&logits, samples.select(&held)?, classes)?.temperature();
    let mut doubts = Vec::new();
    for (&at, logits) in held.iter().zip(logits.chunks_exact_mut(classes)) {
        softmax(logits, temperature);
        let answer = argmax(logits);
        if answer != usize::from(cache.labels()[at as usize]) {
            let probability = logits[answer];
            doubts.push(Doubt { sample: at as usize, answer: answer as u16, probability });
        }
    }
    doubts.sort_by(|a, b| b.probability.total_cmp(&a.probability).then(a.sample.cmp(&b.sample)));
    Ok(doubts)
}
