//! The feature cache: each sample's features, computed once.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::StateProblem;
use super::four_bits;
use super::reader::{DIGEST_BYTES, Reader};
use super::stored::Stored;
use crate::samples::{MAX_CLASS_NAME_BYTES, MAX_CLASSES, MAX_SAMPLES, SampleId, hex};

pub(super) const MAGIC: [u8; 8] = *b"HSFC\r\n\x1a\n";
/// Of files whose features have eight bits, and four; and whether it says how often each sample counts.
const VERSIONS: [(u16, Bits, bool); 4] = [
    (1, Bits::Eight, false),
    (2, Bits::Four, false),
    (3, Bits::Eight, true),
    (4, Bits::Four, true),
];
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

    /// The cache as the bytes of its file.
    pub fn emit(&self, backbone: &[u8; 32]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.file_bytes());
        bytes.extend(MAGIC);
        let weighted = self.is_weighted();
        let same =
            |(_, bits, weights): &&(u16, Bits, bool)| (*bits, *weights) == (self.bits, weighted);
        let version = VERSIONS.iter().find(same).map_or(1, |(version, ..)| *version);
        bytes.extend(version.to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend(backbone);
        for count in [self.feature_len, self.classes.len(), self.len()] {
            bytes.extend((count as u32).to_le_bytes());
        }
        for class in &self.classes {
            bytes.extend((class.len() as u16).to_le_bytes());
            bytes.extend(class.as_bytes());
        }
        let samples = self.ids.iter().zip(&self.labels).zip(&self.again);
        let rows = self.features.chunks_exact(self.feature_len);
        for (((id, label), again), features) in samples.zip(rows) {
            let views = 1 + again.len() / self.feature_len;
            bytes.extend(id);
            bytes.extend(label.to_le_bytes());
            bytes.extend((views as u16).to_le_bytes());
            for row in std::iter::once(features).chain(again.chunks_exact(self.feature_len)) {
                match self.bits {
                    Bits::Eight => bytes.extend(row.iter().map(|f| f.cast_unsigned())),
                    Bits::Four => four_bits::emit(row, &mut bytes),
                }
            }
        }
        if weighted {
            bytes.extend(self.weights.iter().flat_map(|weight| weight.to_le_bytes()));
        }
        let digest = Sha256::digest(&bytes);
        bytes.extend(digest);
        bytes
    }

    /// Checks and reads the bytes of a cache's file.
    ///
    /// # Errors
    /// [`StateProblem::Cache`] with the byte and the broken rule, [`StateProblem::CacheVersion`],
    /// [`StateProblem::OtherBackbone`].
    pub fn parse(
        bytes: &[u8],
        backbone: &[u8; 32],
        feature_len: usize,
    ) -> Result<Self, StateProblem> {
        Self::read(bytes, Some((backbone, feature_len))).map(|(_, cache)| cache)
    }

    /// Checks and reads the file of a cache of whatever backbone; gives its digest too.
    ///
    /// # Errors
    /// [`StateProblem::Cache`] with the byte and the broken rule, [`StateProblem::CacheVersion`].
    pub fn parse_any(bytes: &[u8]) -> Result<([u8; 32], Self), StateProblem> {
        Self::read(bytes, None)
    }

    pub(super) fn read(
        bytes: &[u8],
        expected: Option<(&[u8; 32], usize)>,
    ) -> Result<([u8; 32], Self), StateProblem> {
        let (mut reader, version, backbone) =
            Reader::sealed(bytes, MAGIC, &VERSIONS.map(|(v, ..)| v))?;
        let form = VERSIONS.iter().find(|(v, ..)| *v == version);
        let (bits, weighted) = form.map_or((Bits::Eight, false), |(_, bits, w)| (*bits, *w));
        if let Some((expected, _)) = expected {
            same_backbone(expected, &backbone)?;
        }
        let feature_len = reader.count(usize::MAX)?;
        if expected.map_or(feature_len == 0, |(_, expected)| feature_len != expected) {
            return Err(reader.broken("the feature count is not the backbone's"));
        }
        let classes = reader.count(MAX_CLASSES)?;
        let samples = reader.count(MAX_SAMPLES)?;
        let mut cache = Self { bits, ..Self::new(feature_len) };
        for label in 0..classes {
            let name = reader.name()?;
            if cache.class(name).map(usize::from) != Some(label) {
                return Err(reader.broken("a class name stands twice"));
            }
        }
        for _ in 0..samples {
            let id = reader.array()?;
            let label = u16::from_le_bytes(reader.array()?);
            if usize::from(label) >= classes {
                return Err(reader.broken("a label is past the classes"));
            }
            let views = usize::from(u16::from_le_bytes(reader.array()?));
            if !(1..=MAX_VIEWS).contains(&views) {
                return Err(reader.broken("a sample is shown never, or too often"));
            }
            let length = views.checked_mul(bits.row_bytes(feature_len));
            let length = length.ok_or_else(|| reader.broken("the features are too many"))?;
            let bytes = reader.take(length)?;
            let rows: Vec<i8> = match bits {
                Bits::Eight => bytes.iter().map(|f| f.cast_signed()).collect(),
                Bits::Four => bytes
                    .chunks_exact(bits.row_bytes(feature_len))
                    .map(|row| four_bits::parse(row, feature_len))
                    .collect::<Option<Vec<_>>>()
                    .ok_or_else(|| reader.broken("levels of a row are not as they are written"))?
                    .concat(),
            };
            if cache.contains(&id) {
                return Err(reader.broken("a sample stands twice"));
            }
            cache.push(id, label, &rows, 1);
        }
        if weighted {
            for at in 0..samples {
                let weight = u16::from_le_bytes(reader.array()?);
                if !(1..=MAX_WEIGHT).contains(&weight) {
                    return Err(reader.broken("a sample counts as none, or as too many"));
                }
                let id = cache.ids[at];
                cache.set_weight(&id, weight);
            }
        }
        if reader.at != reader.bytes.len() {
            return Err(reader.broken("bytes follow the last sample"));
        }
        Ok((backbone, cache))
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
mod tests {
    use super::*;

    const BACKBONE: [u8; 32] = [7; 32];

    fn filled() -> FeatureCache {
        let mut cache = FeatureCache::new(3);
        for (at, name) in ["mug", "Tässchen", "mug"].into_iter().enumerate() {
            let label = cache.class(name).unwrap();
            assert_eq!(cache.insert([at as u8; 16], label, &[-128, at as i8, 127]), Insertion::New);
        }
        cache
    }

    fn sealed(mut body: Vec<u8>) -> Vec<u8> {
        let digest = Sha256::digest(&body);
        body.extend(digest);
        body
    }

    #[test]
    fn what_is_emitted_is_parsed() {
        let cache = filled();
        let bytes = cache.emit(&BACKBONE);
        assert_eq!(FeatureCache::parse(&bytes, &BACKBONE, 3).unwrap(), cache);
        assert_eq!(cache.counts(), [2, 1]);
        let empty = FeatureCache::new(3);
        assert_eq!(FeatureCache::parse(&empty.emit(&BACKBONE), &BACKBONE, 3).unwrap(), empty);
    }

    #[test]
    fn rows_that_show_a_sample_again_are_kept_beside_it() {
        let mut cache = filled();
        cache.insert([9; 16], 1, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let parsed = FeatureCache::parse(&cache.emit(&BACKBONE), &BACKBONE, 3).unwrap();
        assert_eq!(parsed, cache);
        assert_eq!(parsed.len(), 4);
        assert_eq!(parsed.features()[9..], [1, 2, 3]);
        assert_eq!(parsed.again(), (vec![4, 5, 6, 7, 8, 9], vec![3, 3]));
    }

    #[test]
    fn four_bits_take_half_and_are_parsed_as_they_are() {
        let row = |seed: usize| -> Vec<i8> {
            (0..90).map(|at| ((at * at + 31 * seed) % 251) as u8 as i8).collect()
        };
        let mut whole = FeatureCache::new(30);
        let mut half = FeatureCache::new(30);
        assert!(half.keep_in(Bits::Four) && half.keep_in(Bits::Eight) && half.keep_in(Bits::Four));
        for seed in 0..20 {
            for cache in [&mut whole, &mut half] {
                let label = cache.class(["mug", "cup"][seed % 2]).unwrap();
                cache.insert([seed as u8; 16], label, &row(seed));
            }
        }
        assert_ne!(whole.features(), half.features());
        let bytes = half.emit(&BACKBONE);
        assert_eq!((bytes[8], bytes.len()), (2, half.file_bytes()));
        assert_eq!(whole.file_bytes() - bytes.len(), 20 * 3 * (30 - 18));
        let mut parsed = FeatureCache::parse(&bytes, &BACKBONE, 30).unwrap();
        assert_eq!(parsed, half);
        // What is lost is lost; what was whole is reduced to the same.
        assert!(!parsed.keep_in(Bits::Eight));
        assert_eq!(parsed, half);
        assert!(whole.keep_in(Bits::Four));
        assert_eq!(whole, half);
        let body = &bytes[..bytes.len() - DIGEST_BYTES];
        let first = 56 + 2 * 5 + 20;
        let mut forged = body.to_vec();
        forged[first] = 2;
        let refused = FeatureCache::parse(&sealed(forged), &BACKBONE, 30).unwrap_err();
        assert!(refused.to_string().contains("levels of a row"), "{refused}");
    }

    #[test]
    fn the_newest_label_wins_and_is_reported() {
        let mut cache = filled();
        assert_eq!(cache.insert([0; 16], 0, &[9, 9, 9]), Insertion::Known);
        assert_eq!(cache.insert([0; 16], 1, &[9, 9, 9]), Insertion::Corrected);
        assert_eq!(cache.labels(), [1, 1, 0]);
        assert_eq!(cache.features()[..3], [-128, 0, 127]);
        assert_eq!(cache.len(), 3);
    }

    #[test]
    fn any_changed_byte_and_any_cut_is_refused() {
        let bytes = filled().emit(&BACKBONE);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            assert!(FeatureCache::parse(&changed, &BACKBONE, 3).is_err(), "byte {at} changed");
            assert!(FeatureCache::parse(&bytes[..at], &BACKBONE, 3).is_err(), "cut to {at}");
        }
    }

    #[test]
    fn a_forged_check_sum_does_not_get_past_the_rules() {
        let bytes = filled().emit(&BACKBONE);
        let body = &bytes[..bytes.len() - DIGEST_BYTES];
        assert!(FeatureCache::parse(&sealed(body.to_vec()), &BACKBONE, 3).is_ok());
        // Reserved bytes; feature, class and sample counts at their extremes; a class name's
        // length, name and label.
        let label = 56 + 2 + 3 + 2 + "Tässchen".len() + 16;
        let cases: [(usize, &[u8]); 12] = [
            (10, &[1]),
            (44, &[4]),
            (48, &[255, 255, 255, 255]),
            (48, &[3]),
            (52, &[255, 255, 255, 255]),
            (52, &[2]),
            (56, &[0, 0]),
            (58, &[0xFF]),
            (label, &[2]),
            // How often a sample is shown.
            (label + 2, &[0]),
            (label + 2, &[2]),
            (label + 2, &[MAX_VIEWS as u8 + 1]),
        ];
        for (at, forged) in cases {
            let mut body = body.to_vec();
            body[at..at + forged.len()].copy_from_slice(forged);
            let refused = FeatureCache::parse(&sealed(body), &BACKBONE, 3);
            assert!(matches!(refused, Err(StateProblem::Cache { .. })), "{at}: {refused:?}");
        }
        let mut twice = body.to_vec();
        twice[label + 4 + 3..][..16].copy_from_slice(&[0; 16]);
        assert!(matches!(
            FeatureCache::parse(&sealed(twice), &BACKBONE, 3),
            Err(StateProblem::Cache { reason: "a sample stands twice", .. })
        ));
    }

    #[test]
    fn weights_are_kept_and_without_any_the_file_is_as_before() {
        let mut cache = filled();
        let plain = cache.emit(&BACKBONE);
        cache.set_weight(&[1; 16], 25);
        let weighted = cache.emit(&BACKBONE);
        assert_eq!((plain[8], weighted[8], weighted.len()), (1, 3, cache.file_bytes()));
        let parsed = FeatureCache::parse(&weighted, &BACKBONE, 3).unwrap();
        assert_eq!((parsed.weights(), &parsed), (&[1, 25, 1][..], &cache));
        let end = weighted.len() - DIGEST_BYTES;
        for weight in [0, MAX_WEIGHT + 1] {
            let mut body = weighted[..end].to_vec();
            body[end - 4..end - 2].copy_from_slice(&weight.to_le_bytes());
            assert!(FeatureCache::parse(&sealed(body), &BACKBONE, 3).is_err());
        }
        // Forgotten, or as before: no trace.
        cache.set_weight(&[1; 16], 1);
        assert_eq!(cache.emit(&BACKBONE), plain);
    }

    #[test]
    fn another_backbone_and_a_later_version_are_refused_by_name() {
        let mut bytes = filled().emit(&BACKBONE);
        let other = FeatureCache::parse(&bytes, &[8; 32], 3).unwrap_err();
        assert!(matches!(other, StateProblem::OtherBackbone { .. }));
        assert!(other.to_string().contains("0707070707070707"));
        bytes[8] = 5;
        let later = FeatureCache::parse(&bytes, &BACKBONE, 3).unwrap_err();
        assert!(matches!(later, StateProblem::CacheVersion { found: 5 }));
    }
}
