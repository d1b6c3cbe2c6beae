//! Corrections of a feature cache: what is forgotten leaves no trace.

use std::collections::HashSet;

use super::FeatureCache;
use crate::samples::SampleId;

/// Outcome of [`FeatureCache::merge`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// How many samples were not here before.
    pub new: usize,
    /// How many samples were here with the same class.
    pub known: usize,
    /// How many samples were here with another class, which stands.
    pub disputed: usize,
}

impl FeatureCache {
    /// Sorts the cache: classes by name, samples by class and then by id. So the same samples make the same cache, and the same head,
    /// whatever order they came in.
    pub fn sort(&mut self) {
        if self.is_sorted() {
            return;
        }
        let stored = std::mem::take(&mut self.stored);
        let mut names: Vec<usize> = (0..self.classes.len()).collect();
        names.sort_by(|&a, &b| self.classes[a].cmp(&self.classes[b]));
        let mut places = vec![0; names.len()];
        names.iter().enumerate().for_each(|(to, &from)| places[from] = to as u16);
        let mut samples: Vec<usize> = (0..self.len()).collect();
        samples.sort_by_key(|&at| (places[usize::from(self.labels[at])], self.ids[at]));
        let mut sorted = Self { bits: self.bits, ..Self::new(self.feature_len) };
        sorted.classes = names.iter().map(|&at| std::mem::take(&mut self.classes[at])).collect();
        for at in samples {
            let label = places[usize::from(self.labels[at])];
            sorted.push(self.ids[at], label, &self.rows(at), self.weights[at]);
        }
        *self = Self { stored, ..sorted };
    }

    /// Whether this is the order of [`sort`](Self::sort).
    pub(super) fn is_sorted(&self) -> bool {
        let samples = || self.labels.iter().zip(&self.ids);
        self.classes.is_sorted() && samples().is_sorted()
    }

    /// Puts the classes in this order; those that are not in it stand behind. Samples are sorted by their ids.
    ///
    /// Where classes are numbered by something else, as in masks, their order is no matter of names.
    pub fn order(&mut self, names: &[String]) {
        let stored = std::mem::take(&mut self.stored);
        let mut classes = names.to_vec();
        classes.extend(self.classes.iter().filter(|name| !names.contains(name)).cloned());
        let mut samples: Vec<usize> = (0..self.len()).collect();
        samples.sort_by_key(|&at| self.ids[at]);
        let mut sorted = Self { bits: self.bits, ..Self::new(self.feature_len) };
        for at in samples {
            let name = &self.classes[usize::from(self.labels[at])];
            let label = classes.iter().position(|class| class == name).unwrap_or_default();
            sorted.push(self.ids[at], label as u16, &self.rows(at), self.weights[at]);
        }
        sorted.classes = classes;
        *self = Self { stored, ..sorted };
    }

    /// Forgets a sample. Returns whether it was there.
    pub fn forget_sample(&mut self, id: &SampleId) -> bool {
        let before = self.len();
        self.retain(|at, cache| cache.ids[at] != *id);
        self.len() < before
    }

    /// Forgets all of these samples that are there.
    pub fn forget_samples(&mut self, ids: &[SampleId]) {
        let ids: HashSet<&SampleId> = ids.iter().collect();
        self.retain(|at, cache| !ids.contains(&cache.ids[at]));
    }

    /// Forgets all samples of a class. Returns how many there were.
    pub fn forget_class(&mut self, name: &str) -> usize {
        let before = self.len();
        self.retain(|at, cache| cache.classes[usize::from(cache.labels[at])] != name);
        before - self.len()
    }

    /// Drops classes that have no sample, but for those in `kept`.
    pub fn drop_empty_classes(&mut self, kept: &[String]) {
        let counts = self.counts();
        let mut places = Vec::new();
        let mut names = Vec::new();
        for (name, count) in std::mem::take(&mut self.classes).into_iter().zip(counts) {
            places.push(names.len() as u16);
            if count > 0 || kept.contains(&name) {
                names.push(name);
            }
        }
        self.classes = names;
        self.labels.iter_mut().for_each(|label| *label = places[usize::from(*label)]);
    }

    /// Gives a class another name; where that is a class already, the two become one. Returns
    /// whether the class was there.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        let Some(old) = self.classes.iter().position(|name| name == from) else { return false };
        match self.classes.iter().position(|name| name == to) {
            Some(new) if new != old => {
                for label in self.labels.iter_mut().filter(|label| usize::from(**label) == old) {
                    *label = new as u16;
                }
                self.classes.remove(old);
                for label in self.labels.iter_mut().filter(|label| usize::from(**label) > old) {
                    *label -= 1;
                }
            }
            Some(_) => {}
            None => to.clone_into(&mut self.classes[old]),
        }
        true
    }

    /// Takes over what another device with the same backbone learned; `None` past the limit of
    /// classes.
    pub fn merge(&mut self, other: &Self) -> Option<Merged> {
        let mut merged = Merged::default();
        for at in 0..other.len() {
            let label = self.class(&other.classes[usize::from(other.labels[at])])?;
            match self.places.get(&other.ids[at]) {
                None => {
                    self.push(other.ids[at], label, &other.rows(at), other.weights[at]);
                    merged.new += 1;
                }
                Some(&place) if self.labels[place] == label => merged.known += 1,
                Some(_) => merged.disputed += 1,
            }
        }
        Some(merged)
    }

    /// Keeps only the samples of these ids, under these class names.
    pub fn keep(&mut self, samples: &[(SampleId, String)]) -> Option<()> {
        let mut kept = Self { bits: self.bits, ..Self::new(self.feature_len) };
        for (id, name) in samples {
            let (&place, label) = (self.places.get(id)?, kept.class(name)?);
            kept.push(*id, label, &self.rows(place), self.weights[place]);
        }
        *self = kept;
        Some(())
    }

    /// The samples' ids, in their order in the cache.
    pub fn ids(&self) -> &[SampleId] {
        &self.ids
    }

    /// The class of a sample; `None` where it is not there.
    pub fn name_of(&self, id: &SampleId) -> Option<&str> {
        let place = *self.places.get(id)?;
        Some(&self.classes[usize::from(self.labels[place])])
    }

    /// How many rows show a sample; `None` where it is not there.
    pub fn views(&self, id: &SampleId) -> Option<usize> {
        let place = *self.places.get(id)?;
        Some(1 + self.again[place].len() / self.feature_len)
    }

    /// All rows that show a sample.
    fn rows(&self, at: usize) -> Vec<i8> {
        let whole = &self.features[at * self.feature_len..][..self.feature_len];
        [whole, &self.again[at]].concat()
    }

    pub(super) fn retain(&mut self, keep: impl Fn(usize, &Self) -> bool) {
        *self = self.only(|at| keep(at, self));
    }

    /// Those samples, under the same classes.
    pub(super) fn only(&self, which: impl Fn(usize) -> bool) -> Self {
        let mut only = Self { bits: self.bits, ..Self::new(self.feature_len) };
        only.classes.clone_from(&self.classes);
        for at in (0..self.len()).filter(|&at| which(at)) {
            only.push(self.ids[at], self.labels[at], &self.rows(at), self.weights[at]);
        }
        only
    }
}

#[cfg(test)]
mod tests {
    use headstart::head::Random;

    use super::*;

    type Known = std::collections::BTreeMap<SampleId, (String, Vec<i8>)>;

    const NAMES: [&str; 4] = ["mug", "cup", "Tasse", "bowl"];

    fn of(known: &Known, random: &mut Random) -> FeatureCache {
        let mut samples: Vec<_> = known.iter().collect();
        random.shuffle(&mut samples);
        let mut cache = FeatureCache::new(2);
        for (id, (name, rows)) in samples {
            let label = cache.class(name).unwrap();
            cache.insert(*id, label, rows);
        }
        cache.sort();
        cache
    }

    fn sample(random: &mut Random) -> (SampleId, (String, Vec<i8>)) {
        let id = [random.below(60) as u8; 16];
        let views = 1 + id[0] as usize % 3;
        // A sample's features follow from its content.
        let rows = (0..2 * views).map(|at| (usize::from(id[0]) + 3 * at) as i8).collect();
        (id, (NAMES[random.below(4) as usize].to_owned(), rows))
    }

    #[test]
    fn any_history_leaves_the_bytes_that_its_samples_leave() {
        for seed in 0..1000 {
            let mut random = Random::new(seed);
            let mut cache = FeatureCache::new(2);
            let mut known = Known::new();
            for _ in 0..random.below(40) {
                match random.below(10) {
                    0..=5 => {
                        let (id, (name, rows)) = sample(&mut random);
                        let label = cache.class(&name).unwrap();
                        cache.insert(id, label, &rows);
                        known.insert(id, (name, rows));
                    }
                    6 => {
                        let (id, _) = sample(&mut random);
                        assert_eq!(cache.forget_sample(&id), known.remove(&id).is_some());
                    }
                    7 => {
                        let name = NAMES[random.below(4) as usize];
                        let before = known.len();
                        known.retain(|_, (class, _)| class != name);
                        assert_eq!(cache.forget_class(name), before - known.len());
                    }
                    8 => {
                        let [from, to] = [0; 2].map(|_| NAMES[random.below(4) as usize]);
                        cache.rename(from, to);
                        for (class, _) in known.values_mut().filter(|(class, _)| class == from) {
                            to.clone_into(class);
                        }
                    }
                    _ => {
                        let theirs: Known = (0..5).map(|_| sample(&mut random)).collect();
                        let other = of(&theirs, &mut random);
                        let merged = cache.merge(&other).unwrap();
                        let before = known.len();
                        theirs.into_iter().for_each(|(id, its)| {
                            known.entry(id).or_insert(its);
                        });
                        assert_eq!(merged.new, known.len() - before);
                    }
                }
            }
            cache.drop_empty_classes(&[]);
            cache.sort();
            let expected = of(&known, &mut random);
            assert_eq!(cache.emit(&[1; 32]), expected.emit(&[1; 32]), "seed {seed}");
            assert_eq!(cache, expected);
        }
    }

    #[test]
    fn a_class_of_the_pack_stays_without_samples() {
        let mut cache = FeatureCache::new(1);
        for name in ["a", "b", "c"] {
            cache.class(name).unwrap();
        }
        cache.insert([1; 16], 2, &[5]);
        cache.drop_empty_classes(&["b".to_owned()]);
        assert_eq!((cache.classes(), cache.labels()), (&["b".into(), "c".into()][..], &[1][..]));
    }

    #[test]
    fn the_samples_of_an_earlier_state_are_found_again() {
        let mut random = Random::new(1);
        let known: Known = (0..20).map(|_| sample(&mut random)).collect();
        let mut cache = of(&known, &mut random);
        let some: Known = known.into_iter().take(4).collect();
        let names: Vec<_> = some.iter().map(|(id, (name, _))| (*id, name.clone())).collect();
        cache.keep(&names).unwrap();
        cache.sort();
        assert_eq!(cache, of(&some, &mut random));
        assert_eq!(cache.keep(&[([99; 16], "mug".into())]), None);
    }
}
