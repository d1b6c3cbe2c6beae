//! Finds out whether a few samples count for little beside many others.

use std::collections::HashSet;
use std::path::Path;

use headstart::Error;

use super::{Choice, TrainingProblem, train};
use crate::Head;
use crate::samples::SampleId;
use crate::state::FeatureCache;

/// The others count so many times as much as these samples.
const OTHERS: usize = 4;
/// These are so many a class at least, and so many in all at most: more of them make themselves heard.
const LEAST: u32 = 3;
const MOST: usize = 5000;
/// A head that answers so many of the samples rightly that it was learned from has room for them.
const ENOUGH: f64 = 0.95;
/// What a head answers better of samples that it was learned from than of held-out ones, at least.
const GAIN: f64 = 0.03;

/// Measures how much the others count for each one that one of `ids` counts; the share of these that `head`, which was learned from all,
/// answers rightly; and the share of them, held out, that discriminants of them alone answer rightly. `None` where there is room for them:
/// a head should answer what it was learned from better than a head that has not seen it.
///
/// # Errors
/// [`TrainingProblem::Samples`].
pub fn outweighed(
    cache: &FeatureCache,
    ids: &[SampleId],
    head: &Head,
    backbone: [u8; 32],
) -> Result<Option<(f64, f64, f64)>, TrainingProblem> {
    let given: HashSet<&SampleId> = ids.iter().collect();
    let is_given = |at: &usize| given.contains(&cache.ids()[*at]);
    let these: Vec<usize> = (0..cache.len()).filter(is_given).collect();
    let weight = |at: usize| usize::from(cache.weights()[at]);
    let own: usize = these.iter().map(|&at| weight(at)).sum();
    let others = (0..cache.len()).map(weight).sum::<usize>() - own;
    if others < OTHERS * own || these.is_empty() || these.len() > MOST {
        return Ok(None);
    }
    let mut alone = FeatureCache::new(cache.feature_len());
    let mut right = 0;
    for &at in &these {
        let row = &cache.features()[at * cache.feature_len()..][..cache.feature_len()];
        let class = usize::from(cache.labels()[at]);
        let name = &cache.classes()[class];
        let answer = head.answer(row)?.class;
        right += usize::from(head.labels().get(answer) == Some(name));
        let label = alone.class(name).ok_or(Error::NotAHead)?;
        alone.insert(cache.ids()[at], label, row);
    }
    alone.sort();
    let together = right as f64 / these.len() as f64;
    let few = alone.classes().len() < 2 || alone.counts().iter().any(|&count| count < LEAST);
    if few || together >= ENOUGH {
        return Ok(None);
    }
    let record = train(&alone, None, Choice::Lda, backbone)?;
    let of_these = Head::parse(Path::new("head"), &record, &backbone)
        .map_err(|_| TrainingProblem::Samples(Error::NotAHead))?;
    let held_out = of_these.held_out_accuracy().filter(|alone| *alone > together - GAIN);
    Ok(held_out.map(|alone| (others as f64 / own as f64, together, alone)))
}

#[cfg(test)]
mod tests {
    use headstart::head::Random;

    use super::*;

    const BACKBONE: [u8; 32] = [7; 32];

    /// 240 samples whose class the first features tell, and 24 whose class the others tell and the first deny.
    fn two_places() -> (FeatureCache, Vec<SampleId>) {
        let mut random = Random::new(5);
        let mut cache = FeatureCache::new(8);
        let mut own = Vec::new();
        for sample in 0..264_u16 {
            let (class, is_own) = (sample % 2, sample >= 240);
            let sign = if class == 0 { 30_i32 } else { -30 };
            let row: Vec<i8> = (0..8)
                .map(|at| {
                    let mean = match (is_own, at < 4) {
                        (false, true) => sign,
                        (false, false) => 0,
                        (true, true) => -sign / 2,
                        (true, false) => sign,
                    };
                    (mean + random.below(81) as i32 - 40) as i8
                })
                .collect();
            let label = cache.class(["cup", "mug"][usize::from(class)]).unwrap();
            let mut id = [0; 16];
            id[..2].copy_from_slice(&sample.to_le_bytes());
            cache.insert(id, label, &row);
            own.extend(is_own.then_some(id));
        }
        cache.sort();
        (cache, own)
    }

    fn found(cache: &FeatureCache, own: &[SampleId]) -> Option<(f64, f64, f64)> {
        let record = train(cache, None, Choice::auto(), BACKBONE).unwrap();
        let head = Head::parse(Path::new("head"), &record, &BACKBONE).unwrap();
        outweighed(cache, own, &head, BACKBONE).unwrap()
    }

    #[test]
    fn few_samples_beside_many_are_told_until_they_count_as_much() {
        let (mut cache, own) = two_places();
        let (others, together, alone) = found(&cache, &own).unwrap();
        assert!(
            others == 10.0 && alone > together - GAIN && together < ENOUGH,
            "{together} {alone}"
        );
        own.iter().for_each(|id| cache.set_weight(id, 10));
        assert_eq!(found(&cache, &own), None);
        // Forgotten, they leave the head of those that never met them.
        let before = train(&two_places().0, None, Choice::Ridge, BACKBONE).unwrap();
        let weighted = train(&cache, None, Choice::Ridge, BACKBONE).unwrap();
        assert_ne!(before, weighted);
        cache.forget_samples(&own);
        let mut never = two_places().0;
        never.forget_samples(&own);
        for choice in [Choice::auto(), Choice::Ridge, Choice::Lda, Choice::Sgd, Choice::Imprint] {
            let heads = [&cache, &never].map(|cache| train(cache, None, choice, BACKBONE).unwrap());
            assert_eq!(heads[0], heads[1]);
        }
    }
}
