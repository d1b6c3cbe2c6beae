//! Samples that show the same to the backbone, though their files differ: a picture that was saved again or scaled, frames
//! of one moment.
//!
//! They are told, not refused: they teach little, and held-out accuracy is too good where one of two is held out.

use std::collections::HashSet;

use crate::samples::SampleId;
use crate::state::FeatureCache;

/// Two samples are near whose features lie closer than this part of the median square distance of two samples of one class.
pub const NEAR: f64 = 0.02;
/// At most so many pairs are compared: of 4,000 new samples all, of more the first.
const MOST_PAIRS: usize = 1 << 23;
/// At most so many pairs tell how far apart samples of a class lie.
const MEASURED: usize = 2048;
/// So many features are compared before it is asked whether they are too far apart already.
const STRIDE: usize = 32;

/// New samples, each with the nearest one that it is near to, known or new; of two that are new one is named.
#[must_use]
pub fn near(cache: &FeatureCache, new: &HashSet<SampleId>) -> Vec<(SampleId, SampleId)> {
    let limit = (NEAR * spread(cache) as f64) as u64;
    let rows = || cache.features().chunks_exact(cache.feature_len());
    let fresh: Vec<bool> = cache.ids().iter().map(|id| new.contains(id)).collect();
    let all: Vec<(usize, &[i8])> = rows().enumerate().collect();
    let known: Vec<_> = all.iter().filter(|(at, _)| !fresh[*at]).copied().collect();
    let mut seen = known;
    let (mut found, mut pairs) = (Vec::new(), 0);
    for (at, row) in all.into_iter().filter(|(at, _)| fresh[*at]) {
        pairs += seen.len();
        if pairs > MOST_PAIRS {
            break;
        }
        let mut nearest: Option<(u64, usize)> = None;
        for &(other, theirs) in &seen {
            let limit =
                nearest.map_or(limit, |(distance, _)| distance.saturating_sub(1).min(limit));
            if let Some(distance) =
                within(row, theirs, limit).filter(|d| nearest.is_none_or(|(n, _)| *d < n))
            {
                nearest = Some((distance, other));
            }
        }
        found.extend(nearest.map(|(_, other)| (cache.ids()[at], cache.ids()[other])));
        seen.push((at, row));
    }
    found
}

/// The square of their distance, unless it is more than `limit`.
fn within(a: &[i8], b: &[i8], limit: u64) -> Option<u64> {
    let mut sum = 0_u64;
    for (a, b) in a.chunks(STRIDE).zip(b.chunks(STRIDE)) {
        let part = a.iter().zip(b).map(|(&a, &b)| (i32::from(a) - i32::from(b)).pow(2) as u32);
        sum += u64::from(part.sum::<u32>());
        if sum > limit {
            return None;
        }
    }
    Some(sum)
}

/// The median square distance of two samples of one class: a few samples under a wrong class do not show in it.
fn spread(cache: &FeatureCache) -> u64 {
    let rows: Vec<&[i8]> = cache.features().chunks_exact(cache.feature_len()).collect();
    // Ids are digests, so neighbours in their order are a random choice.
    let pairs = rows.windows(2).zip(cache.labels().windows(2));
    let pairs: Vec<_> = pairs.filter(|(_, labels)| labels[0] == labels[1]).collect();
    let step = pairs.len().div_ceil(MEASURED).max(1);
    let some = pairs.into_iter().step_by(step);
    let mut distances: Vec<u64> =
        some.filter_map(|(rows, _)| within(rows[0], rows[1], u64::MAX)).collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use headstart::head::Random;

    use super::*;

    const FEATURES: usize = 24;

    fn row(random: &mut Random, class: usize) -> Vec<i8> {
        let one = |at: usize| if at % 3 == class { 40 } else { -20 };
        (0..FEATURES).map(|at| one(at) + random.below(41) as i8 - 20).collect()
    }

    #[test]
    fn what_was_saved_again_is_near_and_another_sample_of_its_class_is_not() {
        let mut random = Random::new(3);
        let mut cache = FeatureCache::new(FEATURES);
        let mut rows = Vec::new();
        for id in 0..90 {
            let label = cache.class(["cup", "jar", "mug"][usize::from(id) % 3]).unwrap();
            rows.push(row(&mut random, usize::from(id) % 3));
            cache.insert([id; 16], label, &rows[usize::from(id)]);
        }
        // A step or two from a known one, from a new one, and the very same features under another class.
        let moved = |row: &[i8], by: i8| row.iter().map(|q| q + by).collect::<Vec<_>>();
        for (id, class, row) in
            [(100, 0, moved(&rows[3], 1)), (101, 1, moved(&rows[70], 2)), (102, 2, rows[1].clone())]
        {
            cache.insert([id; 16], class, &row);
        }
        cache.sort();
        let new: HashSet<SampleId> = (60..103).map(|id| [id; 16]).collect();
        let mut found = near(&cache, &new);
        found.iter_mut().for_each(|(a, b)| {
            if a < b {
                std::mem::swap(a, b)
            }
        });
        found.sort_unstable();
        assert_eq!(found, [(100, 3), (101, 70), (102, 1)].map(|(a, b)| ([a; 16], [b; 16])));
        // What is known was told before.
        assert_eq!(near(&cache, &HashSet::new()), []);
    }

    #[test]
    fn one_sample_a_class_is_near_to_none_but_its_like() {
        let mut cache = FeatureCache::new(2);
        for (id, row) in [(1, [0, 0]), (2, [0, 1]), (3, [0, 1])] {
            let label = cache.class(["a", "b", "c"][id as usize - 1]).unwrap();
            cache.insert([id; 16], label, &row);
        }
        let new = HashSet::from([[1; 16], [2; 16], [3; 16]]);
        assert_eq!(near(&cache, &new), [([3; 16], [2; 16])]);
    }
}
