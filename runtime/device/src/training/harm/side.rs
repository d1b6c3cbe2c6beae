//! What is known before an update or after it, and heads that are learned from it.

use headstart::head::{LinearHead, Samples, discriminants, ridge};

use crate::memory::filled;
use crate::state::FeatureCache;
use crate::training::TrainingProblem;
use crate::training::known::{Counted, Linear};
use crate::training::weights::{repeated, times};

pub(super) struct Side<'a> {
    pub(super) samples: Samples<'a>,
    classes: usize,
    /// Bytes that learning a head may take.
    memory: usize,
    /// Whether heads are those of many samples.
    pub(super) many: bool,
    /// How often each sample is learned.
    times: Vec<u16>,
}

impl<'a> Side<'a> {
    /// What is known, and whether its heads are learned as `auto` learns many samples.
    pub(super) fn new(
        cache: &'a FeatureCache,
        memory: usize,
        many: bool,
    ) -> Result<Self, TrainingProblem> {
        let samples = Samples::new(cache.features(), cache.labels(), cache.feature_len())?;
        let (classes, times) = (cache.classes().len(), times(cache));
        Ok(Self { samples, classes, memory, many, times })
    }

    /// Whether a sample of this side and one of another with the same classes are learned as one and the same.
    pub(super) fn is_same(&self, at: u32, other: &Side<'_>, theirs: u32) -> bool {
        let of =
            |side: &Side<'_>, at: u32| (side.samples.label(at as usize), side.times[at as usize]);
        of(self, at) == of(other, theirs)
            && self.samples.row(at as usize) == other.samples.row(theirs as usize)
    }

    pub(super) fn counted(&self) -> Counted<'_> {
        Counted { samples: self.samples, times: &self.times }
    }

    /// Samples of each class, each as often as it counts.
    pub(super) fn count(&self, which: &[u32]) -> Vec<u32> {
        let mut counts = vec![0; self.classes];
        self.counted().count(which, &mut counts);
        counts
    }

    /// The head of these of fewer samples; where memory is too small for them, of every second one, every third one, and so on, which are
    /// some of each class in the order of a cache.
    pub(super) fn head_of(&self, all: &[u32]) -> Result<Linear, TrainingProblem> {
        let features = self.samples.feature_len();
        let all = repeated(all, &self.times);
        let scratch_len =
            |samples: usize| discriminants::scratch_len(samples, features, self.classes);
        let (mut rest, mut step) = (all.clone(), 1);
        while scratch_len(rest.len())? > self.memory / size_of::<f32>() && rest.len() > self.classes
        {
            step += 1;
            rest = all.iter().copied().step_by(step).collect();
        }
        let samples = self.samples.select(&rest)?;
        let mut scratch = filled(0.0, scratch_len(rest.len())?)?;
        let (mut weights, mut bias) =
            (filled(0.0, self.classes * features)?, vec![0.0; self.classes]);
        discriminants::train(samples, ridge::PENALTY, &mut weights, &mut bias, &mut scratch)?;
        Ok(Linear { weights, bias })
    }

    /// What a head answers to some of the samples, `[sample, class]`.
    pub(super) fn answers(
        &self,
        head: &Linear,
        chosen: &[usize],
    ) -> Result<Vec<f32>, TrainingProblem> {
        let chosen: Vec<u32> = chosen.iter().map(|&at| at as u32).collect();
        let samples = self.samples.select(&chosen)?;
        if self.many {
            return head.answers(samples);
        }
        let linear = LinearHead::new(&head.weights, &head.bias, samples.feature_len())?;
        let classes = head.bias.len();
        let mut logits = filled(0.0, chosen.len() * classes)?;
        for (logits, (row, _)) in logits.chunks_exact_mut(classes).zip(samples.iter()) {
            linear.logits(row, logits)?;
        }
        Ok(logits)
    }

    /// Mean square distance of these samples of `other` from this side's mean, each feature in units of its
    /// spread here (or of one step of int8, if that is more), as a multiple of this side's own.
    pub(super) fn strangeness(&self, other: &Self, fresh: &[usize]) -> f64 {
        let (count, features) = (self.samples.len() as f64, self.samples.feature_len());
        let (mut sums, mut squares) = (vec![0_i64; features], vec![0_i64; features]);
        for at in 0..self.samples.len() {
            for ((sum, square), &q) in sums.iter_mut().zip(&mut squares).zip(self.samples.row(at)) {
                *sum += i64::from(q);
                *square += i64::from(i32::from(q) * i32::from(q));
            }
        }
        let means: Vec<f64> = sums.iter().map(|&sum| sum as f64 / count).collect();
        let spreads = squares.iter().zip(&means);
        let spreads = spreads.map(|(&square, mean)| (square as f64 / count - mean * mean).max(0.0));
        let spreads: Vec<f64> = spreads.collect();
        let distance = |row: &[i8]| {
            let each = row.iter().zip(&means).zip(&spreads);
            each.map(|((&q, mean), own)| (f64::from(q) - mean).powi(2) / (own + 1.0)).sum::<f64>()
        };
        // Of the samples themselves it is the spread.
        let own = spreads.iter().map(|own| own / (own + 1.0)).sum::<f64>();
        let found = fresh.iter().map(|&at| distance(other.samples.row(at))).sum::<f64>();
        // No distance at all where every known sample is the same.
        if own > 0.0 { found / fresh.len() as f64 / own } else { 0.0 }
    }
}
