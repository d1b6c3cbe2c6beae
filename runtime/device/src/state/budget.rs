//! A feature cache within a number of bytes.

use std::collections::{BinaryHeap, HashSet};

use super::FeatureCache;
use super::reader::DIGEST_BYTES;
use crate::samples::SampleId;

impl FeatureCache {
    /// Size of the cache's file in bytes.
    #[must_use]
    pub fn file_bytes(&self) -> usize {
        let samples = (0..self.len()).map(|at| self.sample_bytes(at)).sum::<usize>();
        self.front_bytes() + samples
    }

    /// Drops samples until the file has at most `bytes`, each from the class that has most, and says how many. Of a class those with the
    /// least ids stay: ids are digests of the samples, so these are a random choice that the order of learning does not change, and a class
    /// that was cut once is cut the same way again.
    ///
    /// # Errors
    /// The bytes that one sample of each class takes, where that is too much; nothing is dropped then.
    pub fn fit(&mut self, bytes: usize) -> Result<usize, usize> {
        let mut by_class: Vec<Vec<usize>> = vec![Vec::new(); self.classes.len()];
        for (at, label) in self.labels.iter().enumerate() {
            by_class[usize::from(*label)].push(at);
        }
        let mut least = self.front_bytes();
        for samples in &mut by_class {
            samples.sort_by_key(|&at| self.ids[at]);
            least += samples.first().map_or(0, |&at| self.sample_bytes(at));
        }
        if least > bytes {
            return Err(least);
        }
        // Largest first; of equal ones that whose name comes last.
        let full = by_class.iter().enumerate().filter(|(_, samples)| !samples.is_empty());
        let mut largest: BinaryHeap<(usize, String, usize)> =
            full.map(|(class, s)| (s.len(), self.classes[class].clone(), class)).collect();
        let (mut now, mut dropped) = (self.file_bytes(), HashSet::<SampleId>::new());
        while now > bytes {
            let Some((count, name, class)) = largest.pop() else { break };
            let Some(at) = by_class[class].pop() else { continue };
            now -= self.sample_bytes(at);
            dropped.insert(self.ids[at]);
            if count > 1 {
                largest.push((count - 1, name, class));
            }
        }
        self.retain(|at, cache| !dropped.contains(&cache.ids[at]));
        Ok(dropped.len())
    }

    fn front_bytes(&self) -> usize {
        56 + self.classes.iter().map(|name| 2 + name.len()).sum::<usize>() + DIGEST_BYTES
    }

    fn sample_bytes(&self, at: usize) -> usize {
        self.bytes_of(1 + self.again[at].len() / self.feature_len)
    }

    /// Bytes that a sample with so many rows takes.
    #[must_use]
    pub fn bytes_of(&self, rows: usize) -> usize {
        rows.saturating_mul(self.bits.row_bytes(self.feature_len))
            .saturating_add(20 + 2 * usize::from(self.is_weighted()))
    }
}

#[cfg(test)]
mod tests {
    use headstart::head::Random;

    use super::*;

    fn learn(cache: &mut FeatureCache, sample: (u8, usize)) {
        let name = ["mug", "cup", "jar"][sample.1];
        let label = cache.class(name).unwrap();
        cache.insert([sample.0; 16], label, &[sample.0 as i8, 1, 2]);
    }

    #[test]
    fn a_budget_is_kept_and_the_classes_that_have_most_pay() {
        let mut cache = FeatureCache::new(3);
        for sample in 0..60 {
            learn(&mut cache, (sample, if sample < 50 { 0 } else { 1 + sample as usize % 2 }));
        }
        assert_eq!(cache.emit(&[0; 32]).len(), cache.file_bytes());
        let front = cache.front_bytes();
        assert_eq!(cache.fit(front + 23 * 20 + 22), Ok(40));
        assert_eq!((cache.counts(), cache.file_bytes()), (vec![10, 5, 5], front + 23 * 20));
        assert_eq!(cache.fit(front + 23 * 12), Ok(8));
        assert_eq!(cache.counts(), [4, 4, 4]);
        assert!((0..4).all(|id| cache.contains(&[id; 16])), "not the least ids");
        assert_eq!(cache.fit(front + 23 * 3 - 1), Err(front + 23 * 3));
        assert_eq!(cache.len(), 12);
    }

    #[test]
    fn the_order_of_learning_does_not_show_in_what_is_kept() {
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let mut samples: Vec<(u8, usize)> =
                (0..80).map(|id| (id, random.below(6).min(2) as usize)).collect();
            let budget = 56 + 15 + 32 + 23 * (3 + random.below(60) as usize);
            let mut kept = Vec::new();
            for _ in 0..3 {
                random.shuffle(&mut samples);
                let mut cache = FeatureCache::new(3);
                // All names are there from the start, as a pack's are.
                for name in ["cup", "jar", "mug"] {
                    cache.class(name);
                }
                for part in samples.chunks(1 + random.below(30) as usize) {
                    part.iter().for_each(|&sample| learn(&mut cache, sample));
                    cache.fit(budget).unwrap();
                }
                cache.sort();
                kept.push(cache.emit(&[0; 32]));
            }
            assert!(kept.iter().all(|bytes| *bytes == kept[0]), "seed {seed}");
        }
    }
}
