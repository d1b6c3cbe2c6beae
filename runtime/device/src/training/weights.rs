//! Samples that count as several: as if they had been given so often.

use headstart::head::Samples;

use crate::state::FeatureCache;

/// How often each sample is learned: its weight, divided by what all weights have in common, so that equal weights cost nothing.
pub(super) fn times(cache: &FeatureCache) -> Vec<u16> {
    let common = cache.weights().iter().fold(0, |common, weight| divisor(common, *weight));
    cache.weights().iter().map(|weight| weight / common.max(1)).collect()
}

fn divisor(a: u16, b: u16) -> u16 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// Rows that show samples again, `[row, feature]`, and which samples: their crops, and all of their rows as often as they count
/// beyond the first time.
pub(super) fn again(
    samples: Samples<'_>,
    crops: &(Vec<i8>, Vec<u32>),
    times: &[u16],
) -> (Vec<i8>, Vec<u32>) {
    if times.iter().all(|times| *times == 1) {
        return crops.clone();
    }
    let (mut rows, mut shown) = (Vec::new(), Vec::new());
    let mut add = |row: &[i8], owner: u32, count: u16| {
        rows.extend(std::iter::repeat_n(row, count.into()).flatten());
        shown.extend(std::iter::repeat_n(owner, count.into()));
    };
    for ((owner, times), (row, _)) in (0..).zip(times).zip(samples.iter()) {
        add(row, owner, times - 1);
    }
    for (row, &owner) in crops.0.chunks_exact(samples.feature_len()).zip(&crops.1) {
        add(row, owner, times[owner as usize]);
    }
    (rows, shown)
}

/// How many rows [`again`] has.
pub(super) fn again_len(cache: &FeatureCache) -> usize {
    let times = times(cache);
    let views = cache.ids().iter().map(|id| cache.views(id).unwrap_or(1));
    views.zip(times).map(|(views, times)| views * usize::from(times) - 1).sum()
}

/// These samples, each as often as it is learned.
pub(super) fn repeated(samples: &[u32], times: &[u16]) -> Vec<u32> {
    let of = |sample: u32| times.get(sample as usize).copied().unwrap_or(1);
    samples.iter().flat_map(|&sample| std::iter::repeat_n(sample, of(sample).into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(cache: &FeatureCache) -> (Vec<i8>, Vec<u32>) {
        let samples = Samples::new(cache.features(), cache.labels(), cache.feature_len()).unwrap();
        super::again(samples, &cache.again(), &times(cache))
    }

    #[test]
    fn a_sample_that_counts_thrice_is_the_same_as_three() {
        let mut cache = FeatureCache::new(2);
        let label = cache.class("mug").unwrap();
        cache.insert([1; 16], label, &[1, 2, 3, 4]);
        cache.insert([2; 16], label, &[5, 6]);
        assert_eq!(again(&cache), (vec![3, 4], vec![0]));
        cache.set_weight(&[1; 16], 3);
        let rows = vec![1, 2, 1, 2, 3, 4, 3, 4, 3, 4];
        assert_eq!(again(&cache), (rows, vec![0; 5]));
        assert_eq!(again_len(&cache), 5);
        assert_eq!(repeated(&[1, 0], &times(&cache)), [1, 0, 0, 0]);
        // What all have in common changes nothing.
        cache.set_weight(&[1; 16], 6);
        cache.set_weight(&[2; 16], 6);
        assert_eq!(again(&cache), (vec![3, 4], vec![0]));
    }
}
