//! The cache as the bytes of its file: written, checked and read.

use sha2::{Digest, Sha256};

use super::{Bits, FeatureCache, MAGIC, MAX_VIEWS, MAX_WEIGHT, same_backbone};
use crate::samples::{MAX_CLASSES, MAX_SAMPLES};
use crate::state::StateProblem;
use crate::state::four_bits;
use crate::state::reader::Reader;

/// Of files whose features have eight bits, and four; and whether it says how often each sample counts.
const VERSIONS: [(u16, Bits, bool); 4] = [
    (1, Bits::Eight, false),
    (2, Bits::Four, false),
    (3, Bits::Eight, true),
    (4, Bits::Four, true),
];

impl FeatureCache {
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

    pub(in crate::state) fn read(
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
            // One meaning has one form: what is written again has the same digest.
            if !cache.is_weighted() {
                return Err(
                    reader.broken("no sample counts as more than one, as this version says")
                );
            }
        }
        if reader.at != reader.bytes.len() {
            return Err(reader.broken("bytes follow the last sample"));
        }
        Ok((backbone, cache))
    }
}
