//! What was committed, one file a commit: the head, and the samples that it was learned from.

use sha2::{Digest, Sha256};

use super::StateProblem;
use super::cache::{FeatureCache, MAX_WEIGHT, same_backbone};
use super::reader::{DIGEST_BYTES, Reader, newer_than};
use super::settings::MAX_SETTINGS_BYTES;
use super::{Made, Settings};
use crate::samples::{MAX_CLASS_NAME_BYTES, MAX_CLASSES, MAX_SAMPLES, SampleId};

pub(super) const MAGIC: [u8; 8] = *b"HSCO\r\n\x1a\n";
/// Of commits without settings and with; the last two say how often each sample counts, too.
const VERSIONS: [u16; 4] = [1, 2, 3, 4];
/// The longest note.
const MAX_NOTE_BYTES: usize = 1024;
/// The longest head record: 4096 classes of 16,384 float32 weights.
pub(super) const MAX_HEAD_BYTES: usize = 1 << 28;

/// The most bytes of a file: a head, and the names and labels of all samples that a state can have.
pub(super) const MAX_BYTES: u64 = (64
    + MAX_CLASSES * (2 + MAX_CLASS_NAME_BYTES)
    + MAX_SAMPLES * 20
    + MAX_NOTE_BYTES * 3
    + MAX_SETTINGS_BYTES
    + MAX_HEAD_BYTES
    + DIGEST_BYTES) as u64;

/// The most bytes of a commit whose file begins so; `None` where the front is too short to tell.
pub(super) fn longest(front: &[u8]) -> Option<u64> {
    let count = |at: usize| Some(u64::from(u32::from_le_bytes(*front.get(at..)?.first_chunk()?)));
    let [classes, samples, note, head] = [count(48)?, count(52)?, count(56)?, count(60)?];
    let names = classes.saturating_mul(2 + MAX_CLASS_NAME_BYTES as u64);
    let front = (64 + MAX_SETTINGS_BYTES + DIGEST_BYTES) as u64;
    Some(names + samples * 20 + note + head + front)
}

/// The version of a commit that begins so, where a later program wrote it.
pub(super) fn newer(front: &[u8]) -> Option<u16> {
    newer_than(front, &MAGIC, VERSIONS[VERSIONS.len() - 1])
}

/// A commit, or a candidate that was rejected.
///
/// As a file (`commit-00000001.hsco`, `rejected.hsco`; integers little-endian):
///
/// ```text
/// offset  bytes
///      0      8  magic "HSCO\r\n\x1a\n"
///      8      2  version: 1, or 2 with settings; 3 and 4 are the same with a weight a sample
///     10      2  zero
///     12     32  digest of the backbone
///     44      4  number of the commit; 0 for a rejected candidate
///     48      4  C, classes
///     52      4  N, samples
///     56      4  T, bytes of the note
///     60      4  H, bytes of the head record
///     64         C class names: 2 bytes length (1…64), then UTF-8
///                N samples: 16 bytes sample id, 2 bytes label (below C)
///                in versions 3 and 4, N times 2 bytes: as how many samples each counts (1…100)
///                T bytes of UTF-8, in versions 2 and 4 the settings, 8 bytes or more, then H bytes
///    end     32  SHA-256 of all bytes before
/// ```
///
/// Features are not in it: the feature cache has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// The number, 1 for the first commit of a folder.
    pub number: u32,
    /// What made the commit, or why it was rejected.
    pub note: String,
    /// Settings by which the head was learned, where the head itself does not tell them ([`Settings::said_by`]).
    pub settings: Option<Settings>,
    /// The head record.
    pub head: Vec<u8>,
    /// Class names in the order of labels.
    pub classes: Vec<String>,
    /// The samples and their labels.
    pub samples: Vec<(SampleId, u16)>,
    /// How many samples each sample counts as.
    pub weights: Vec<u16>,
}

impl Commit {
    /// The commit of a cache and head.
    pub fn new<'m>(
        number: u32,
        made: impl Into<Made<'m>>,
        cache: &FeatureCache,
        head: &[u8],
    ) -> Self {
        let Made { note, settings } = made.into();
        let samples = cache.ids().iter().copied().zip(cache.labels().iter().copied());
        Self {
            number,
            note: note.to_owned(),
            settings,
            head: head.to_owned(),
            classes: cache.classes().to_vec(),
            samples: samples.collect(),
            weights: cache.weights().to_vec(),
        }
    }

    /// Whether another commit holds the same, whatever its number and note.
    pub fn holds_the_same(&self, other: &Self) -> bool {
        (&self.head, &self.settings) == (&other.head, &other.settings)
            && (&self.classes, &self.samples) == (&other.classes, &other.samples)
            && self.weights == other.weights
    }

    /// The commit as the bytes of its file.
    pub fn emit(&self, backbone: &[u8; 32]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256 + 18 * self.samples.len() + self.head.len());
        bytes.extend(MAGIC);
        let weighted = self.weights.iter().any(|weight| *weight != 1);
        let form = usize::from(self.settings.is_some()) + 2 * usize::from(weighted);
        bytes.extend(VERSIONS[form].to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend(backbone);
        bytes.extend(self.number.to_le_bytes());
        let note = self.note.as_bytes();
        let note = &note[..note.len().min(MAX_NOTE_BYTES)];
        let note = String::from_utf8_lossy(note);
        for count in [self.classes.len(), self.samples.len(), note.len(), self.head.len()] {
            bytes.extend((count as u32).to_le_bytes());
        }
        for class in &self.classes {
            bytes.extend((class.len() as u16).to_le_bytes());
            bytes.extend(class.as_bytes());
        }
        for (id, label) in &self.samples {
            bytes.extend(id);
            bytes.extend(label.to_le_bytes());
        }
        if weighted {
            bytes.extend(self.weights.iter().flat_map(|weight| weight.to_le_bytes()));
        }
        bytes.extend(note.as_bytes());
        bytes.extend(self.settings.iter().flat_map(Settings::emit));
        bytes.extend(&self.head);
        let digest = Sha256::digest(&bytes);
        bytes.extend(digest);
        bytes
    }

    /// Checks and reads the bytes of a commit's file.
    ///
    /// # Errors
    /// [`StateProblem::Cache`] with the byte and the broken rule, [`StateProblem::CacheVersion`],
    /// [`StateProblem::OtherBackbone`].
    pub fn parse(bytes: &[u8], backbone: &[u8; 32]) -> Result<Self, StateProblem> {
        let (found, commit) = Self::parse_any(bytes)?;
        same_backbone(backbone, &found)?;
        Ok(commit)
    }

    /// Checks and reads the file of a commit of whatever backbone; gives its digest too.
    ///
    /// # Errors
    /// [`StateProblem::Cache`] with the byte and the broken rule, [`StateProblem::CacheVersion`].
    pub fn parse_any(bytes: &[u8]) -> Result<([u8; 32], Self), StateProblem> {
        let (mut reader, version, backbone) = Reader::sealed(bytes, MAGIC, &VERSIONS)?;
        let number = u32::from_le_bytes(reader.array()?);
        let class_count = reader.count(MAX_CLASSES)?;
        let sample_count = reader.count(MAX_SAMPLES)?;
        let note_bytes = reader.count(MAX_NOTE_BYTES * 3)?;
        let head_bytes = reader.count(MAX_HEAD_BYTES)?;
        let mut classes = Vec::new();
        for _ in 0..class_count {
            classes.push(reader.name()?.to_owned());
        }
        let mut samples = Vec::new();
        for _ in 0..sample_count {
            let id = reader.array()?;
            let label = u16::from_le_bytes(reader.array()?);
            if usize::from(label) >= class_count {
                return Err(reader.broken("a label is past the classes"));
            }
            samples.push((id, label));
        }
        let mut weights = vec![1; samples.len()];
        if version >= VERSIONS[2] {
            for weight in &mut weights {
                *weight = u16::from_le_bytes(reader.array()?);
                if !(1..=MAX_WEIGHT).contains(weight) {
                    return Err(reader.broken("a sample counts as none, or as too many"));
                }
            }
        }
        let note = std::str::from_utf8(reader.take(note_bytes)?)
            .map_err(|_| reader.broken("the note is not UTF-8"))?
            .to_owned();
        let settings = (version % 2 == 0).then(|| Settings::read(&mut reader));
        let settings = settings.transpose()?;
        let head = reader.take(head_bytes)?.to_vec();
        if reader.at != reader.bytes.len() {
            return Err(reader.broken("bytes follow the head"));
        }
        Ok((backbone, Self { number, note, settings, head, classes, samples, weights }))
    }

    /// Whether a cache has all samples of the commit: it can then be returned to.
    pub fn is_of(&self, cache: &FeatureCache) -> bool {
        self.samples.iter().all(|(id, _)| cache.contains(id))
    }

    /// The cache that the commit was made of, taken from one that has its samples; `None` where some are missing.
    pub fn cache(&self, from: &FeatureCache) -> Option<FeatureCache> {
        let samples: Vec<_> = self
            .samples
            .iter()
            .map(|(id, label)| (*id, self.classes[usize::from(*label)].clone()))
            .collect();
        let mut cache = from.clone();
        cache.keep(&samples)?;
        for ((id, _), weight) in self.samples.iter().zip(&self.weights) {
            cache.set_weight(id, *weight);
        }
        for name in &self.classes {
            cache.class(name)?;
        }
        cache.sort();
        Some(cache)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKBONE: [u8; 32] = [7; 32];

    fn commit() -> (Commit, FeatureCache) {
        let mut cache = FeatureCache::new(2);
        for (at, name) in ["mug", "cup", "Tässchen", "cup"].into_iter().enumerate() {
            let label = cache.class(name).unwrap();
            cache.insert([at as u8; 16], label, &[at as i8, -3]);
        }
        cache.sort();
        (Commit::new(12, "learn", &cache, b"a head"), cache)
    }

    #[test]
    fn what_is_emitted_is_parsed_and_finds_its_samples() {
        let (commit, cache) = commit();
        let parsed = Commit::parse(&commit.emit(&BACKBONE), &BACKBONE).unwrap();
        assert_eq!(parsed, commit);
        let mut more = cache.clone();
        let label = more.class("bowl").unwrap();
        more.insert([9; 16], label, &[1, 1]);
        more.insert([0; 16], label, &[0, -3]);
        assert_eq!(parsed.cache(&more), Some(cache.clone()));
        more.forget_sample(&[1; 16]);
        assert_eq!(parsed.cache(&more), None);
        assert_eq!((parsed.is_of(&cache), parsed.is_of(&more)), (true, false));
        assert!(parsed.holds_the_same(&Commit::new(3, "", &cache, b"a head")));
        let settings = Some(Settings { false_accepts: Some(0.1), ..Settings::default() });
        let made = Commit::new(12, Made { note: "learn", settings }, &cache, b"a head");
        assert_eq!(Commit::parse(&made.emit(&BACKBONE), &BACKBONE).unwrap(), made);
        assert!(!parsed.holds_the_same(&made));
        assert!(!parsed.holds_the_same(&Commit::new(12, "learn", &cache, b"another")));
    }

    #[test]
    fn a_commit_brings_back_what_its_samples_counted() {
        let (plain, mut cache) = commit();
        assert_eq!(plain.emit(&BACKBONE)[8], 1);
        cache.set_weight(&[2; 16], 9);
        let weighted = Commit::new(13, "learn", &cache, b"a head");
        let bytes = weighted.emit(&BACKBONE);
        let parsed = Commit::parse(&bytes, &BACKBONE).unwrap();
        assert_eq!((bytes[8], &parsed), (3, &weighted));
        assert!(!weighted.holds_the_same(&plain));
        let before = plain.cache(&cache).unwrap();
        assert_eq!(before.weights(), [1; 4]);
        assert_eq!(parsed.cache(&before), Some(cache));
    }

    #[test]
    fn any_changed_byte_and_any_cut_is_refused() {
        let bytes = commit().0.emit(&BACKBONE);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            assert!(Commit::parse(&changed, &BACKBONE).is_err(), "byte {at} changed");
            assert!(Commit::parse(&bytes[..at], &BACKBONE).is_err(), "cut to {at}");
        }
        assert!(matches!(Commit::parse(&bytes, &[8; 32]), Err(StateProblem::OtherBackbone { .. })));
    }
}
