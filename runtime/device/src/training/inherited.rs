//! What was known before: a pack's head, brought to the classes that there are now.

use std::borrow::Cow;

use headstart::Error;
use headstart::head::Learner;

use super::stand_in::stand_ins;
use crate::Head;
use crate::state::FeatureCache;

/// What the initial head says about the cache's classes; zeros for classes that it does not know.
pub(super) struct Inherited {
    /// Weights and bias, logits at temperature 1; `None` without an initial head.
    pub(super) head: Option<(Vec<f32>, Vec<f32>)>,
    pub(super) learner: Learner,
    /// Best probabilities below this are unknown to it; 0 without an initial head.
    pub(super) unknown_threshold: f32,
    /// Samples of each class that the initial head was learned from.
    pub(super) samples: Vec<u32>,
    /// Whether the initial head knows the class.
    known: Vec<bool>,
    /// `[class][feature]`.
    stand_ins: Vec<i8>,
}

impl Inherited {
    pub(super) fn new(cache: &FeatureCache, initial: Option<&Head>) -> Result<Self, Error> {
        let (classes, feature_len) = (cache.classes().len(), cache.feature_len());
        let mut inherited = Self {
            head: None,
            learner: Learner::Other,
            unknown_threshold: 0.0,
            samples: vec![0; classes],
            known: vec![false; classes],
            stand_ins: vec![0; classes * feature_len],
        };
        let Some(head) = initial else { return Ok(inherited) };
        inherited.learner = head.learner();
        inherited.unknown_threshold = head.unknown_threshold();
        let (mut weights, mut bias) = (vec![0.0; classes * feature_len], vec![0.0; classes]);
        let linear = head.linear().ok_or(Error::NotAHead)?;
        let stand_ins = stand_ins(head, &mean(cache))?;
        for (from, label) in head.labels().iter().enumerate() {
            let Some(to) = cache.classes().iter().position(|name| name == label) else { continue };
            let (from_row, to_row) = (from * feature_len, to * feature_len);
            for at in 0..feature_len {
                weights[to_row + at] = linear.weights()[from_row + at] / head.temperature();
                inherited.stand_ins[to_row + at] = stand_ins[from_row + at];
            }
            // That of a class that is never the answer stays the least number.
            bias[to] = (linear.bias()[from] / head.temperature()).max(f32::MIN);
            inherited.samples[to] = head.samples()[from];
            inherited.known[to] = true;
        }
        inherited.head = Some((weights, bias));
        Ok(inherited)
    }

    /// Features and labels of the cache, and a stand-in for each known class that it has no sample
    /// of.
    pub(super) fn with_stand_ins<'c>(
        &self,
        cache: &'c FeatureCache,
    ) -> (Cow<'c, [i8]>, Cow<'c, [u16]>) {
        let (mut features, mut labels) =
            (Cow::Borrowed(cache.features()), Cow::Borrowed(cache.labels()));
        let rows = self.stand_ins.chunks_exact(cache.feature_len());
        for (class, (row, count)) in rows.zip(cache.counts()).enumerate() {
            if self.known[class] && count == 0 {
                features.to_mut().extend_from_slice(row);
                labels.to_mut().push(class as u16);
            }
        }
        (features, labels)
    }

    /// The mean of each class's samples, those before (at least one, where the class was known) and
    /// those now.
    pub(super) fn prototypes(&self, cache: &FeatureCache) -> Vec<i8> {
        let feature_len = cache.feature_len();
        let mut sums = vec![0_i64; self.stand_ins.len()];
        let mut counts = vec![0_i64; self.known.len()];
        for (class, row) in self.stand_ins.chunks_exact(feature_len).enumerate() {
            if self.known[class] {
                let count = i64::from(self.samples[class].max(1));
                let sums = &mut sums[class * feature_len..][..feature_len];
                sums.iter_mut().zip(row).for_each(|(sum, q)| *sum += count * i64::from(*q));
                counts[class] += count;
            }
        }
        for (row, label) in cache.features().chunks_exact(feature_len).zip(cache.labels()) {
            let class = usize::from(*label);
            let sums = &mut sums[class * feature_len..][..feature_len];
            sums.iter_mut().zip(row).for_each(|(sum, q)| *sum += i64::from(*q));
            counts[class] += 1;
        }
        let means = sums.chunks_exact(feature_len).zip(counts);
        means
            .flat_map(|(sums, count)| {
                sums.iter().map(move |sum| (*sum as f64 / count.max(1) as f64).round() as i8)
            })
            .collect()
    }
}

/// The mean of all samples.
fn mean(cache: &FeatureCache) -> Vec<f32> {
    let mut sums = vec![0_i64; cache.feature_len()];
    for row in cache.features().chunks_exact(cache.feature_len()) {
        sums.iter_mut().zip(row).for_each(|(sum, q)| *sum += i64::from(*q));
    }
    sums.into_iter().map(|sum| sum as f32 / cache.len() as f32).collect()
}
