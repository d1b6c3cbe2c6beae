//! What a map's places should answer, from the masks in a cache.

use headstart::pack::Pack;

use crate::segmentation::{VOID, mask_len};
use crate::state::FeatureCache;

/// The masks in the rows of a cache, behind the features.
pub(super) struct Masks<'a> {
    cache: &'a FeatureCache,
    features: usize,
    /// Rows and columns of a mask.
    extents: [usize; 2],
    /// Rows and columns of the map.
    pub(super) map: [usize; 2],
    pub(super) classes: usize,
}

impl<'a> Masks<'a> {
    pub(super) fn new(cache: &'a FeatureCache, pack: &Pack<'_>, map: [usize; 2]) -> Self {
        let extents = [pack.input().height as usize, pack.input().width as usize];
        let features = cache.feature_len() - mask_len(pack);
        Self { cache, features, extents, map, classes: cache.classes().len() }
    }

    fn row(&self, sample: usize) -> (&'a [i8], &'a [i8]) {
        let row = self.cache.feature_len();
        self.cache.features()[sample * row..][..row].split_at(self.features)
    }

    pub(super) fn features(&self, sample: usize) -> &'a [i8] {
        self.row(sample).0
    }

    /// Shares of the classes, `[place][class]`; zeros where most pixels have no class. `view` shows the mask, of
    /// shape `[1, 1, rows, columns]`, otherwise.
    pub(super) fn targets(
        &self,
        sample: usize,
        view: impl FnOnce(&[f32], &[usize; 4]) -> Vec<f32>,
    ) -> Vec<f32> {
        let ([height, width], [rows, columns]) = (self.extents, self.map);
        let mask = self.row(sample).1.iter().map(|class| f32::from(class.cast_unsigned()));
        let mask = view(&mask.collect::<Vec<f32>>(), &[1, 1, height, width]);
        let bin = |at: usize, of: usize, extent: usize| {
            at * extent / of..((at + 1) * extent).div_ceil(of)
        };
        let mut targets = Vec::with_capacity(rows * columns * self.classes);
        let mut counts = vec![0_u32; self.classes];
        for row in 0..rows {
            for column in 0..columns {
                counts.fill(0);
                let (ys, xs) = (bin(row, rows, height), bin(column, columns, width));
                let pixels = (ys.len() * xs.len()) as u32;
                for line in ys.map(|y| &mask[y * width..][..width]) {
                    for &class in &line[xs.clone()] {
                        if let Some(count) = counts.get_mut(class as usize) {
                            *count += 1;
                        }
                    }
                }
                let sum: u32 = counts.iter().sum();
                let share = if 2 * sum > pixels { 1.0 / sum as f32 } else { 0.0 };
                targets.extend(counts.iter().map(|&count| count as f32 * share));
            }
        }
        targets
    }

    /// How many places show each class in some pictures, each by its share.
    pub(super) fn shown(&self, samples: &[usize]) -> Vec<f64> {
        let mut counts = vec![0.0; self.classes];
        for &sample in samples {
            let targets = self.targets(sample, |mask, _| mask.to_vec());
            for row in targets.chunks_exact(self.classes) {
                counts.iter_mut().zip(row).for_each(|(count, &part)| *count += f64::from(part));
            }
        }
        counts
    }

    /// Pictures that show each class.
    pub(super) fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.classes];
        for sample in 0..self.cache.len() {
            let mut seen = vec![false; usize::from(VOID) + 1];
            self.row(sample).1.iter().for_each(|c| seen[usize::from(c.cast_unsigned())] = true);
            for (count, seen) in counts.iter_mut().zip(seen) {
                *count += u32::from(seen);
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_shares_of_pixels_and_void_does_not_count() {
        let mut cache = FeatureCache::new(2 + 16);
        for name in ["background", "dog", "cat"] {
            cache.class(name);
        }
        let void = VOID.cast_signed();
        let mask = [0, 0, 1, 1, 0, 1, 1, 1, void, void, 2, 2, void, 2, 2, void];
        cache.insert([1; 16], 0, &[&[5, 6][..], &mask].concat());
        let masks = Masks { cache: &cache, features: 2, extents: [4; 2], map: [2; 2], classes: 3 };
        let targets = masks.targets(0, |mask, shape| {
            assert_eq!(shape, &[1, 1, 4, 4]);
            mask.to_vec()
        });
        let third = 1.0 / 3.0;
        let expected = [0.75, 0.25, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0 * third];
        assert_eq!(targets, expected);
        assert_eq!(masks.features(0), [5, 6]);
        assert_eq!(masks.counts(), [1, 1, 1]);
    }
}
