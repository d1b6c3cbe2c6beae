//! The feature cache: each sample's features, computed once.

use std::collections::HashMap;
use std::sync::Arc;

use super::StateProblem;
use super::four_bits;
use super::reader::{DIGEST_BYTES, newer_than};
use super::stored::Stored;
use crate::samples::{MAX_CLASS_NAME_BYTES, MAX_CLASSES, SampleId, hex};

mod end;
mod form;

pub(super) use self::end::end;

pub(super) const MAGIC: [u8; 8] = *b"HSFC\r\n\x1a\n";
/// The newest version that is read.
const NEWEST: u16 = 4;
/// The most samples that one may count as.
pub const MAX_WEIGHT: u16 = 100;
/// The most rows that show one sample.
pub const MAX_VIEWS: usize = 16;

/// Outcome of [`FeatureCache::insert`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insertion {
    /// The sample was not there.
    New,
    /// The sample was there with this label.
    Known,
    /// The sample was there with another label; the new one stands.
    Corrected,
}

/// How many bits a kept feature takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bits {
    /// Eight bits, as the backbone gives it.
    #[default]
    Eight,
    /// Four bits, as the nearest of 16 levels of its row: half the room. Whatever is learned is learned from these levels, so that the
    /// order of samples does not show here either.
    Four,
}

impl Bits {
    /// Bytes of a row of so many features.
    pub(super) fn row_bytes(self, features: usize) -> usize {
        match self {
            Self::Eight => features,
            Self::Four => four_bits::row_bytes(features),
        }
    }
}

/// A cache of int8 features and labels, by content of the samples.
///
/// As a file (`features.hsfc`; integers little-endian):
///
/// ```text
/// offset  bytes
///      0      8  magic "HSFC\r\n\x1a\n"
///      8      2  version: 1, or 2 where features have four bits; 3 and 4 are the same with a weight a sample
///     10      2  zero
///     12     32  digest of the backbone
///     44      4  F, features a sample
///     48      4  C, classes
///     52      4  N, samples
///     56         C class names: 2 bytes length (1…64), then UTF-8
///                N samples: 16 bytes sample id, 2 bytes label (below C), 2 bytes V (1…16), V rows of F features: int8, or in
///                version 2 one byte that says where 16 levels lie (0: evenly, 1: growing apart with the square), the least
///                and the greatest level, and a level in four bits for each feature, the first one in the low bits
///                in versions 3 and 4, behind all samples, N times 2 bytes: as how many samples it counts (1…100)
///    end     32  SHA-256 of all bytes before
/// ```
///
/// Class names differ from each other, and so do sample ids. What `learn` stores is in the order of
/// [`sort`](Self::sort). The first of a sample's V rows shows it
/// whole; the others show it again, as other crops.
///
/// Caches are equal that hold the same in the same order, wherever they were read from.
#[derive(Clone, Debug)]
pub struct FeatureCache {
    pub(super) feature_len: usize,
    pub(super) bits: Bits,
    pub(super) classes: Vec<String>,
    pub(super) places: HashMap<SampleId, usize>,
    pub(super) ids: Vec<SampleId>,
    pub(super) labels: Vec<u16>,
    pub(super) features: Vec<i8>,
    pub(super) again: Vec<Vec<i8>>,
    /// As how many samples each counts.
    pub(super) weights: Vec<u16>,
    /// Those that count as more than one.
    pub(super) heavy: usize,
    /// The file that this was read from, while no row that it has is another one here.
    pub(super) stored: Option<Arc<Stored>>,
}

impl FeatureCache {
    /// An empty cache for features of this length.
    pub fn new(feature_len: usize) -> Self {
        Self {
            feature_len,
            bits: Bits::Eight,
            classes: Vec::new(),
            places: HashMap::new(),
            ids: Vec::new(),
            labels: Vec::new(),
            features: Vec::new(),
            again: Vec::new(),
            weights: Vec::new(),
            heavy: 0,
            stored: None,
        }
    }

    /// How many bits a kept feature takes.
    pub fn bits(&self) -> Bits {
        self.bits
    }

    /// Keeps features in so many bits from now on, those that are there too. Returns whether that is possible: what four bits have lost
    /// does not come back.
    #[must_use]
    pub fn keep_in(&mut self, bits: Bits) -> bool {
        if self.bits == Bits::Four && bits == Bits::Eight && !self.is_empty() {
            return false;
        }
        if self.bits != bits {
            self.stored = None;
        }
        self.bits = bits;
        if bits == Bits::Four {
            self.features.chunks_exact_mut(self.feature_len).for_each(four_bits::reduce);
            for rows in &mut self.again {
                rows.chunks_exact_mut(self.feature_len).for_each(four_bits::reduce);
            }
        }
        true
    }

    /// The label of a class's name; a name that is new gets the next one. `None` past
    /// [`MAX_CLASSES`].
    pub fn class(&mut self, name: &str) -> Option<u16> {
        if let Some(label) = self.classes.iter().position(|c| c == name) {
            return Some(label as u16);
        }
        if self.classes.len() >= MAX_CLASSES {
            return None;
        }
        self.classes.push(name.to_owned());
        Some((self.classes.len() - 1) as u16)
    }

    /// Whether the cache has a sample: its features need no computing.
    pub fn contains(&self, id: &SampleId) -> bool {
        self.places.contains_key(id)
    }

    /// Labels a sample that is there; `None` where it is not.
    pub fn label(&mut self, id: &SampleId, label: u16) -> Option<Insertion> {
        let place = *self.places.get(id)?;
        let before = std::mem::replace(&mut self.labels[place], label);
        Some(if before == label { Insertion::Known } else { Insertion::Corrected })
    }

    /// Adds a sample, or labels the one that is there. `rows` are its features, and those of its
    /// other crops.
    ///
    /// # Panics
    /// Where `rows` are not 1 to [`MAX_VIEWS`] times as long as the cache's features.
    pub fn insert(&mut self, id: SampleId, label: u16, rows: &[i8]) -> Insertion {
        let views = rows.len() / self.feature_len;
        assert_eq!(rows.len(), views * self.feature_len, "features of another backbone");
        assert!((1..=MAX_VIEWS).contains(&views), "{views} views");
        if let Some(insertion) = self.label(&id, label) {
            return insertion;
        }
        let mut rows = rows.to_vec();
        if self.bits == Bits::Four {
            rows.chunks_exact_mut(self.feature_len).for_each(four_bits::reduce);
        }
        self.push(id, label, &rows, 1);
        Insertion::New
    }

    /// Sets how many samples one that is there counts as, 1 to [`MAX_WEIGHT`].
    pub fn set_weight(&mut self, id: &SampleId, weight: u16) {
        let weight = weight.clamp(1, MAX_WEIGHT);
        if let Some(&place) = self.places.get(id)
            && self.weights[place] != weight
        {
            self.heavy -= usize::from(self.weights[place] != 1);
            self.heavy += usize::from(weight != 1);
            self.weights[place] = weight;
            self.stored = None;
        }
    }

    /// How many samples each sample counts as.
    pub fn weights(&self) -> &[u16] {
        &self.weights
    }

    /// How many samples this one counts as; 1 where it is not there.
    pub fn weight(&self, id: &SampleId) -> u16 {
        self.places.get(id).map_or(1, |&place| self.weights[place])
    }

    /// Whether any sample counts as more than one.
    pub(super) fn is_weighted(&self) -> bool {
        self.heavy > 0
    }

    /// Puts these bytes at the end of a sample's own row. Returns whether they were others before; `None` where the
    /// sample is not there, or shown again.
    pub fn set_end(&mut self, id: &SampleId, end: &[i8]) -> Option<bool> {
        let place = *self.places.get(id)?;
        let start = self.feature_len.checked_sub(end.len())?;
        let own = &mut self.features[place * self.feature_len..][..self.feature_len];
        let differs = own[start..] != *end && self.again[place].is_empty();
        if differs {
            own[start..].copy_from_slice(end);
            self.stored = None;
        }
        Some(differs)
    }

    pub(super) fn push(&mut self, id: SampleId, label: u16, rows: &[i8], weight: u16) {
        let (whole, again) = rows.split_at(self.feature_len);
        self.places.insert(id, self.ids.len());
        self.ids.push(id);
        self.labels.push(label);
        self.features.extend_from_slice(whole);
        self.again.push(again.to_vec());
        self.weights.push(weight);
        self.heavy += usize::from(weight != 1);
    }

    /// Class names in the order of labels.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The number of features of a sample.
    pub fn feature_len(&self) -> usize {
        self.feature_len
    }

    /// The label of each sample.
    pub fn labels(&self) -> &[u16] {
        &self.labels
    }

    /// The features of all samples, `[sample, feature]`, row-major.
    pub fn features(&self) -> &[i8] {
        &self.features
    }

    /// Rows that show samples a second time, `[row, feature]`, and which samples they show.
    pub fn again(&self) -> (Vec<i8>, Vec<u32>) {
        let owners = (0..)
            .zip(&self.again)
            .flat_map(|(owner, rows)| std::iter::repeat_n(owner, rows.len() / self.feature_len));
        (self.again.concat(), owners.collect())
    }

    /// How many rows show samples a second time.
    pub fn again_len(&self) -> usize {
        self.again.iter().map(|rows| rows.len() / self.feature_len).sum()
    }

    /// How many samples each class has.
    pub fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.classes.len()];
        for label in &self.labels {
            counts[usize::from(*label)] += 1;
        }
        counts
    }
}

impl PartialEq for FeatureCache {
    fn eq(&self, other: &Self) -> bool {
        // Places follow from the ids.
        let Self {
            feature_len,
            bits,
            classes,
            places: _,
            ids,
            labels,
            features,
            again,
            weights,
            heavy: _,
            stored: _,
        } = self;
        (*feature_len, *bits) == (other.feature_len, other.bits)
            && *classes == other.classes
            && *ids == other.ids
            && *labels == other.labels
            && *features == other.features
            && *again == other.again
            && *weights == other.weights
    }
}

impl Eq for FeatureCache {}

/// The version of a cache that begins so, where a later program wrote it.
pub(super) fn newer(front: &[u8]) -> Option<u16> {
    newer_than(front, &MAGIC, NEWEST)
}

/// The most bytes of a cache whose file begins so; `None` where the front is too short to tell.
pub(super) fn longest(front: &[u8]) -> Option<u64> {
    let count = |at: usize| Some(u64::from(u32::from_le_bytes(*front.get(at..)?.first_chunk()?)));
    let [features, classes, samples] = [count(44)?, count(48)?, count(52)?];
    let row = features.saturating_mul(MAX_VIEWS as u64).saturating_add(22 + 3 * MAX_VIEWS as u64);
    let names = classes.saturating_mul(2 + MAX_CLASS_NAME_BYTES as u64);
    let all = samples.saturating_mul(row).saturating_add(names);
    Some(all.saturating_add((56 + DIGEST_BYTES) as u64))
}

pub(super) fn same_backbone(expected: &[u8; 32], found: &[u8; 32]) -> Result<(), StateProblem> {
    if found == expected {
        return Ok(());
    }
    Err(StateProblem::OtherBackbone { expected: short(expected), found: short(found) })
}

/// The first eight bytes of a digest in hexadecimal: enough to tell two backbones apart.
pub(crate) fn short(digest: &[u8; 32]) -> String {
    hex(&digest[..8])
}

#[cfg(test)]
mod tests;
