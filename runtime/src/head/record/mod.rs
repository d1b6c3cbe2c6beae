//! The head record: a head as bytes, as the saved personal state and as the factory head of a pack.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]

mod emit;

pub use emit::HeadParts;

use half::f16;
use sha2::{Digest, Sha256};

use super::{MAX_CLASSES, MAX_FEATURES, MAX_LABEL_BYTES, numeric};
use crate::Error;

/// The first bytes of every head record.
pub const MAGIC: [u8; 8] = *b"HSHEAD\x1a\n";
/// The format version that this runtime reads and writes.
pub const VERSION: u16 = 1;

const HEADER: usize = 76;
const DIGEST: usize = 32;
const FLAG_F16: u8 = 1;
const FLAG_PROTOTYPES: u8 = 2;

/// How the weights are stored; the bias is always float32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Storage {
    /// IEEE 754 binary32: exactly what was learned.
    F32,
    /// IEEE 754 binary16 times one power of two: half the bytes, 11 significant bits.
    F16,
}

/// The learner that made a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Learner {
    /// Stochastic gradient descent.
    Sgd,
    /// Least squares in closed form.
    Ridge,
    /// Class means.
    Imprint,
    /// Softmax regression on all samples at once.
    Logistic,
    /// The mean of a ridge and a logistic head.
    Blend,
    /// Linear discriminant analysis.
    Lda,
    /// Trained elsewhere: a pretrained classifier, or another engine.
    Other,
}

impl Learner {
    /// The number that stands for it in a record.
    pub const fn id(self) -> u8 {
        match self {
            Self::Sgd => 1,
            Self::Ridge => 2,
            Self::Imprint => 3,
            Self::Logistic => 4,
            Self::Blend => 5,
            Self::Lda => 6,
            Self::Other => 255,
        }
    }

    const fn from_id(id: u8) -> Option<Self> {
        Some(match id {
            1 => Self::Sgd,
            2 => Self::Ridge,
            3 => Self::Imprint,
            4 => Self::Logistic,
            5 => Self::Blend,
            6 => Self::Lda,
            255 => Self::Other,
            _ => return None,
        })
    }
}

/// A checked view of a head record; it borrows the bytes, copies nothing and allocates nothing.
///
/// Numbers are little-endian and need no alignment. `K` is the number of classes, `F` of features:
///
/// ```text
///  offset  bytes
///       0      8  magic "HSHEAD\x1a\n"
///       8      2  version, 1
///      10      1  flags: 1 weights are float16 times `weight scale`, else float32; 2 with prototypes
///      11      1  learner: 1 sgd, 2 ridge, 3 imprint, 4 logistic, 5 blend, 255 other
///      12      4  F, 1 to 2^20
///      16      4  K, 1 to 4096
///      20      4  L, bytes of the label table
///      24      4  temperature, float32 > 0: probabilities are softmax(logits / temperature)
///      28      4  unknown threshold, float32 in 0..=1: a lower best probability means "unknown"
///      32      4  held-out samples that were answered correctly
///      36      4  held-out samples; 0: accuracy was not measured
///      40      4  weight scale, float32, a power of two (1 for float32 storage)
///      44     32  backbone digest (SHA-256)
///      76     4K  samples learned from, a class each
///   76+4K      L  labels in the order of classes: one byte length (1 to 64), then UTF-8
///       …  0 to 3 zeros up to a multiple of 4
///       …     4K  bias, float32
///       …  4KF / 2KF  weights [class][feature]
///       …     KF  prototypes, int8, [class][feature], if there are any
///       …  0 to 3 zeros up to a multiple of 4
///       …     32  SHA-256 of everything before
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HeadRecord<'a> {
    storage: Storage,
    learner: Learner,
    feature_len: usize,
    classes: usize,
    temperature: f32,
    unknown_threshold: f32,
    held_out: (u32, u32),
    weight_scale: f32,
    backbone: &'a [u8; 32],
    samples: &'a [u8],
    labels: &'a [u8],
    bias: &'a [u8],
    weights: &'a [u8],
    prototypes: Option<&'a [u8]>,
}

impl<'a> HeadRecord<'a> {
    /// Checks `bytes`, which must be one whole record and nothing else.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`], [`Error::TrailingBytes`], [`Error::NotAHead`],
    /// [`Error::UnsupportedVersion`], [`Error::ShapeOverflow`], [`Error::DigestMismatch`],
    /// [`Error::FieldInvalid`], [`Error::LabelInvalid`] or [`Error::NotFinite`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut rest = Reader(bytes);
        let magic = rest.array::<8>().map_err(|error| {
            if MAGIC.starts_with(bytes) && !bytes.is_empty() { error } else { Error::NotAHead }
        })?;
        if *magic != MAGIC {
            return Err(Error::NotAHead);
        }
        let version = u16::from_le_bytes(*rest.array()?);
        if version != VERSION {
            return Err(if version > VERSION {
                Error::UnsupportedVersion { found: version }
            } else {
                Error::FieldInvalid { offset: 8 }
            });
        }
        let [flags, learner] = *rest.array()?;
        let storage = if flags & FLAG_F16 == 0 { Storage::F32 } else { Storage::F16 };
        let with_prototypes = flags & FLAG_PROTOTYPES != 0;
        if flags & !(FLAG_F16 | FLAG_PROTOTYPES) != 0 {
            return Err(Error::FieldInvalid { offset: 10 });
        }
        let feature_len = rest.count(MAX_FEATURES)?;
        let classes = rest.count(MAX_CLASSES)?;
        let label_bytes = rest.count(MAX_CLASSES * (1 + MAX_LABEL_BYTES))?;
        let temperature = rest.float()?;
        let unknown_threshold = rest.float()?;
        let held_out = (rest.u32()?, rest.u32()?);
        let weight_scale = rest.float()?;
        let backbone = rest.array()?;

        let layout = Layout::new(storage, feature_len, classes, label_bytes, with_prototypes)?;
        match bytes.len() {
            found if found < layout.total => return Err(Error::Truncated),
            found if found > layout.total => return Err(Error::TrailingBytes),
            _ => {}
        }
        let samples = rest.bytes(layout.table)?;
        let labels = rest.bytes(label_bytes)?;
        let label_padding = rest.bytes(layout.label_padding)?;
        let bias = rest.bytes(layout.table)?;
        let weights = rest.bytes(layout.weights)?;
        let prototypes = rest.bytes(layout.prototypes)?;
        let last_padding = rest.bytes(layout.last_padding)?;
        let digest = rest.array::<DIGEST>()?;
        let (body, _) = bytes.split_at_checked(layout.body).ok_or(Error::Truncated)?;
        if <[u8; DIGEST]>::from(Sha256::digest(body)) != *digest {
            return Err(Error::DigestMismatch { section: *b"HEAD" });
        }

        let learner = Learner::from_id(learner).ok_or(Error::FieldInvalid { offset: 11 })?;
        if !(temperature.is_finite() && temperature > 0.0) {
            return Err(Error::FieldInvalid { offset: 24 });
        }
        if !(0.0..=1.0).contains(&unknown_threshold) {
            return Err(Error::FieldInvalid { offset: 28 });
        }
        if held_out.0 > held_out.1 {
            return Err(Error::FieldInvalid { offset: 32 });
        }
        if !(weight_scale.is_normal() && weight_scale > 0.0) {
            return Err(Error::FieldInvalid { offset: 40 });
        }
        if label_padding.iter().chain(last_padding).any(|&byte| byte != 0) {
            return Err(Error::TrailingBytes);
        }
        let record = Self {
            storage,
            learner,
            feature_len,
            classes,
            temperature,
            unknown_threshold,
            held_out,
            weight_scale,
            backbone,
            samples,
            labels,
            bias,
            weights,
            prototypes: with_prototypes.then_some(prototypes),
        };
        record.check_labels()?;
        let finite = match storage {
            Storage::F32 => floats(weights).all(f32::is_finite),
            Storage::F16 => halves(weights).all(|w| (w.to_f32() * weight_scale).is_finite()),
        };
        if !finite || !floats(bias).all(f32::is_finite) {
            return Err(Error::NotFinite);
        }
        Ok(record)
    }

    /// The same, for a device that runs the backbone with this digest.
    ///
    /// # Errors
    ///
    /// Those of [`Self::parse`], and [`Error::BackboneMismatch`].
    pub fn parse_for(bytes: &'a [u8], backbone: &[u8; 32]) -> Result<Self, Error> {
        let record = Self::parse(bytes)?;
        if record.backbone != backbone {
            let [a, b, c, d, ..] = *backbone;
            let [e, f, g, h, ..] = *record.backbone;
            return Err(Error::BackboneMismatch { expected: [a, b, c, d], found: [e, f, g, h] });
        }
        Ok(record)
    }

    /// How the weights are stored.
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// The learner that made the head.
    pub fn learner(&self) -> Learner {
        self.learner
    }

    /// Features a sample.
    pub fn feature_len(&self) -> usize {
        self.feature_len
    }

    /// Number of classes, at least 1.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Probabilities are the softmax of the logits divided by this; above 0.
    pub fn temperature(&self) -> f32 {
        self.temperature
    }

    /// A best probability below this means "unknown"; 0 to 1.
    pub fn unknown_threshold(&self) -> f32 {
        self.unknown_threshold
    }

    /// Held-out samples answered correctly, and held-out samples; `None` if not measured.
    pub fn held_out(&self) -> Option<(u32, u32)> {
        (self.held_out.1 > 0).then_some(self.held_out)
    }

    /// Digest of the backbone that the head was learned on.
    pub fn backbone_digest(&self) -> &'a [u8; 32] {
        self.backbone
    }

    /// The labels, in the order of classes.
    pub fn labels(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        table_labels(self.labels)
    }

    /// The same as they stand in the record: one byte length and the text, each.
    pub(crate) fn label_table(&self) -> &'a [u8] {
        self.labels
    }

    /// The class of this label.
    pub fn class(&self, label: &str) -> Option<usize> {
        self.labels().position(|known| known == label)
    }

    /// How many samples each class was learned from.
    pub fn samples(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.samples.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes))
    }

    /// A feature vector for each class that can stand for its samples where those are gone, `[class][feature]`.
    pub fn prototypes(&self) -> Option<&'a [i8]> {
        self.prototypes.map(bytemuck::cast_slice)
    }

    /// Copies the head out: `weights` is `[class][feature]`, `bias` `[class]`.
    ///
    /// # Errors
    ///
    /// [`Error::BufferLength`] unless the buffers have exactly these lengths.
    pub fn read(&self, weights: &mut [f32], bias: &mut [f32]) -> Result<(), Error> {
        numeric::expect_len(bias.len(), self.classes)?;
        numeric::expect_len(weights.len(), numeric::product(&[self.classes, self.feature_len])?)?;
        for (to, from) in bias.iter_mut().zip(floats(self.bias)) {
            *to = from;
        }
        match self.storage {
            Storage::F32 => {
                for (to, from) in weights.iter_mut().zip(floats(self.weights)) {
                    *to = from;
                }
            }
            Storage::F16 => {
                for (to, from) in weights.iter_mut().zip(halves(self.weights)) {
                    *to = from.to_f32() * self.weight_scale;
                }
            }
        }
        Ok(())
    }

    fn check_labels(&self) -> Result<(), Error> {
        let mut rest = Reader(self.labels);
        for class in 0..self.classes {
            let invalid = Error::LabelInvalid { class: class as u16 };
            let [length] = *rest.array().map_err(|_| invalid)?;
            let bytes = rest.bytes(usize::from(length)).map_err(|_| invalid)?;
            let label = core::str::from_utf8(bytes).map_err(|_| invalid)?;
            if !label_is_valid(label) || self.labels().take(class).any(|earlier| earlier == label) {
                return Err(invalid);
            }
        }
        if rest.0.is_empty() { Ok(()) } else { Err(Error::TrailingBytes) }
    }
}

/// The labels of a label table, up to the first byte that is none.
pub(crate) fn table_labels<'a>(table: &'a [u8]) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
    let mut rest = Reader(table);
    core::iter::from_fn(move || {
        let [length] = *rest.array().ok()?;
        core::str::from_utf8(rest.bytes(usize::from(length)).ok()?).ok()
    })
}

/// Bytes beside weights and biases of the longest record of `classes` classes with float32 weights
/// and without prototypes: all labels as long as they may be. `None` past the address space.
pub(crate) fn longest_overhead(classes: u32) -> Option<u32> {
    let labels = classes.checked_mul(LABEL_SLOT)?.checked_next_multiple_of(4)?;
    let fixed = (HEADER as u32).checked_add(DIGEST as u32)?;
    classes.checked_mul(4)?.checked_add(labels)?.checked_add(fixed)
}

/// Bytes of the longest label in a label table.
pub(crate) const LABEL_SLOT: u32 = 1 + MAX_LABEL_BYTES as u32;

/// Whether a class can have this label: 1 to 64 bytes without control characters.
pub fn label_is_valid(label: &str) -> bool {
    (1..=MAX_LABEL_BYTES).contains(&label.len()) && !label.contains(char::is_control)
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four))
}

fn halves(bytes: &[u8]) -> impl Iterator<Item = f16> {
    bytes.as_chunks().0.iter().map(|&two| f16::from_le_bytes(two))
}

/// Lengths in bytes of a record's parts.
struct Layout {
    table: usize,
    label_padding: usize,
    weights: usize,
    prototypes: usize,
    last_padding: usize,
    /// Everything before the digest.
    body: usize,
    total: usize,
}

impl Layout {
    fn new(
        storage: Storage,
        feature_len: usize,
        classes: usize,
        label_bytes: usize,
        with_prototypes: bool,
    ) -> Result<Self, Error> {
        let element = match storage {
            Storage::F32 => 4,
            Storage::F16 => 2,
        };
        let table = numeric::product(&[classes, 4])?;
        let weights = numeric::product(&[classes, feature_len, element])?;
        let label_padding = label_bytes.wrapping_neg() & 3;
        let prototypes =
            if with_prototypes { numeric::product(&[classes, feature_len])? } else { 0 };
        let last_padding = numeric::sum(&[weights, prototypes])?.wrapping_neg() & 3;
        let body = numeric::sum(&[
            HEADER,
            table,
            label_bytes,
            label_padding,
            table,
            weights,
            prototypes,
            last_padding,
        ])?;
        let total = numeric::sum(&[body, DIGEST])?;
        Ok(Self { table, label_padding, weights, prototypes, last_padding, body, total })
    }
}

/// Takes fields off the front of bytes.
#[derive(Clone)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Error::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Error> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Error::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(*self.array()?))
    }

    fn float(&mut self) -> Result<f32, Error> {
        Ok(f32::from_le_bytes(*self.array()?))
    }

    /// A count from 1 to `most`.
    fn count(&mut self, most: usize) -> Result<usize, Error> {
        let count = usize::try_from(self.u32()?).map_err(|_| Error::ShapeOverflow)?;
        if (1..=most).contains(&count) { Ok(count) } else { Err(Error::ShapeOverflow) }
    }
}

#[cfg(test)]
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test may panic"
)]
mod tests;
