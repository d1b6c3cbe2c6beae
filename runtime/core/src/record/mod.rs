//! The head record: a linear head as bytes. It is the saved personal state, and the factory head of a pack.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]

mod emit;
mod header;
mod learner;
mod linear;
mod numbers;
mod reader;

pub use emit::HeadParts;
pub use learner::{Learner, UnknownLearner};
pub use linear::LinearHead;
pub(crate) use linear::check_shape;

use sha2::{Digest, Sha256};

use self::header::Header;
use self::numbers::Numbers;
use self::reader::Reader;
use crate::Error;
use crate::checked::{expect_len, product};

/// The most classes that a head may have: a thousand pretrained ones, and room for the owner's.
pub const MAX_CLASSES: usize = 4096;
/// The longest label, in bytes of UTF-8.
pub const MAX_LABEL_BYTES: usize = 64;
/// The most features that a head may have.
pub const MAX_FEATURES: usize = 1 << 20;

/// The first bytes of an exact record, before its version.
const EXACT_MAGIC: [u8; 8] = *b"HSHEAD\x1a\n";
const EXACT_VERSION: u16 = 1;
/// Bytes of an exact record before its tables.
const EXACT_HEADER: usize = 76;
const EXACT_DIGEST: usize = 32;
const FLAG_F16: u8 = 1;
const FLAG_PROTOTYPES: u8 = 2;

/// The first bytes of a compact record, before its version.
const COMPACT_MAGIC: [u8; 2] = *b"HS";
const COMPACT_VERSION: u8 = 2;
const COMPACT_DIGEST: usize = 8;
const FLAG_CALIBRATED: u8 = 16;
const FLAG_HELD_OUT: u8 = 32;
const FLAG_STANDS_IN: u8 = 64;

/// How a head record stores its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Storage {
    /// IEEE 754 binary32: exactly what was learned.
    F32,
    /// IEEE 754 binary16 times one power of two: half the bytes, 11 significant bits. So are the
    /// biases, with a power of their own, the temperature and the threshold.
    F16,
}

impl Storage {
    /// Bytes of a number.
    const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }
}

/// A checked view of a head record; it borrows the bytes, copies nothing and allocates nothing.
///
/// Numbers are little-endian and need no alignment. `K` is the number of classes, `F` of features.
/// An exact record, version 1:
///
/// ```text
///  offset  bytes
///       0      8  magic "HSHEAD\x1a\n"
///       8      2  version, 1
///      10      1  flags: 1 weights are float16 times `weight scale`, else float32; 2 with prototypes
///      11      1  learner: 1 sgd, 2 ridge, 3 imprint, 4 logistic, 5 blend, 6 lda, 255 other
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
///
/// A compact one, version 2. `v` is a number of 32 bits, 7 a byte from the lowest on, in its shortest form:
///
/// ```text
///  offset  bytes
///       0      2  magic "HS"
///       2      1  version, 2
///       3      1  learner & 15; and flags: 16 calibrated, 32 measured, 64 with prototypes
///       4      8  backbone digest, the first bytes
///      12      v  F
///       …      v  K
///       …      1  exponent of the weights' scale, −126 to 127
///       …      1  exponent of the biases' scale
///       …      4  if calibrated: temperature and unknown threshold, float16; else 1 and 0
///       …      v  if measured: held-out samples that were answered correctly
///       …      v  if measured: those that were not
///       …      v  the least number of samples that a class was learned from
///       …     Kv  samples, a class each, less the least number
///       …         labels, as above
///       …     2K  bias, float16 times its scale
///       …    2KF  weights, float16 times their scale
///       …     KF  prototypes, if there are any
///       …      8  SHA-256 of everything before, the first bytes
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
    backbone: &'a [u8],
    samples: &'a [u8],
    /// What the numbers of `samples`, of one to five bytes, are more than; without it they have four.
    least_samples: Option<u32>,
    labels: &'a [u8],
    bias: Numbers<'a>,
    weights: Numbers<'a>,
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
        Self::checked(bytes, None)
    }

    /// Checks `bytes` as [`parse`](Self::parse) does, and that the head was learned on the backbone with this digest.
    ///
    /// # Errors
    ///
    /// Those of [`Self::parse`], and [`Error::BackboneMismatch`].
    pub fn parse_for(bytes: &'a [u8], backbone: &[u8; 32]) -> Result<Self, Error> {
        Self::checked(bytes, Some(backbone))
    }

    fn checked(bytes: &'a [u8], backbone: Option<&[u8; 32]>) -> Result<Self, Error> {
        let mut rest = Reader::new(bytes);
        let header = Header::read(&mut rest)?;
        let Header { compact, storage, .. } = header;
        let (classes, feature_len) = (header.classes as usize, header.feature_len as usize);
        let padding = |rest: &mut Reader<'a>| {
            let at = bytes.len().wrapping_sub(rest.rest.len());
            rest.bytes(if compact { 0 } else { at.wrapping_neg() & 3 })
        };
        let (least_samples, samples, labels);
        if compact {
            least_samples = Some(rest.varint());
            samples = rest.taken(classes, Reader::varint);
            labels = rest.taken(classes, Reader::label);
        } else {
            least_samples = None;
            samples = rest.bytes(classes.saturating_mul(4));
            labels = rest.bytes(header.label_bytes as usize);
        }
        let label_padding = padding(&mut rest);
        let bias_storage = if compact { Storage::F16 } else { Storage::F32 };
        let bias = rest.bytes(classes.saturating_mul(bias_storage.bytes()));
        // More than the address space holds is more than the bytes.
        let weights = classes.saturating_mul(feature_len);
        let prototypes = if header.with_prototypes { weights } else { 0 };
        let weights = rest.bytes(weights.saturating_mul(storage.bytes()));
        let prototypes = rest.bytes(prototypes);
        let last_padding = padding(&mut rest);
        let body = bytes.len().wrapping_sub(rest.rest.len());
        let digest = rest.bytes(if compact { COMPACT_DIGEST } else { EXACT_DIGEST });
        if rest.short {
            return Err(Error::Truncated);
        }
        if !rest.rest.is_empty() {
            return Err(Error::TrailingBytes);
        }
        if !Sha256::digest(bytes.get(..body).unwrap_or_default()).starts_with(digest) {
            return Err(Error::DigestMismatch { section: *b"HEAD" });
        }

        let record = Self {
            storage,
            learner: header.check()?,
            feature_len,
            classes,
            temperature: header.temperature,
            unknown_threshold: header.unknown_threshold,
            held_out: header.held_out,
            backbone: header.backbone,
            samples,
            least_samples,
            labels,
            bias: Numbers::new(bias, bias_storage, header.bias_scale),
            weights: Numbers::new(weights, storage, header.weight_scale),
            prototypes: header.with_prototypes.then_some(prototypes),
        };
        if label_padding.iter().chain(last_padding).any(|&byte| byte != 0) {
            return Err(Error::TrailingBytes);
        }
        record.check_labels()?;
        if !record.bias.are_finite() || !record.weights.are_finite() {
            return Err(Error::NotFinite);
        }
        match backbone {
            Some(backbone) if !backbone.starts_with(record.backbone) => {
                let first = |digest: &[u8]| digest.first_chunk().copied().unwrap_or_default();
                let (expected, found) = (first(backbone), first(record.backbone));
                Err(Error::BackboneMismatch { expected, found })
            }
            _ => Ok(record),
        }
    }

    /// How the record stores its weights.
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// The learner that made the head.
    pub fn learner(&self) -> Learner {
        self.learner
    }

    /// The number of features of a sample.
    pub fn feature_len(&self) -> usize {
        self.feature_len
    }

    /// Number of classes, at least 1.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The temperature, above 0: probabilities are the softmax of the logits divided by it.
    pub fn temperature(&self) -> f32 {
        self.temperature
    }

    /// The probability, 0 to 1, below which the best class is "unknown".
    pub fn unknown_threshold(&self) -> f32 {
        self.unknown_threshold
    }

    /// How many held-out samples were answered correctly, and how many there were; `None` if not measured.
    pub fn held_out(&self) -> Option<(u32, u32)> {
        (self.held_out.1 > 0).then_some(self.held_out)
    }

    /// Digest of the backbone that the head was learned on: all of it, or the first 8 bytes.
    pub fn backbone_digest(&self) -> &'a [u8] {
        self.backbone
    }

    /// The labels, in the order of classes.
    pub fn labels(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        table_labels(self.labels)
    }

    /// The labels as they stand in the record: one byte of length and the text, each.
    pub(crate) fn label_table(&self) -> &'a [u8] {
        self.labels
    }

    /// The class of this label.
    pub fn class(&self, label: &str) -> Option<usize> {
        self.labels().position(|known| known == label)
    }

    /// How many samples each class was learned from.
    pub fn samples(&self) -> impl Iterator<Item = u32> + use<'a> {
        let (mut rest, least) = (Reader::new(self.samples), self.least_samples);
        (0..self.classes).map(move |_| match least {
            None => rest.u32(),
            Some(least) => least.saturating_add(rest.varint()),
        })
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
        expect_len(bias.len(), self.classes)?;
        expect_len(weights.len(), product(&[self.classes, self.feature_len])?)?;
        self.weights.read(weights);
        self.bias.read(bias);
        Ok(())
    }

    fn check_labels(&self) -> Result<(), Error> {
        let mut rest = Reader::new(self.labels);
        for class in 0..self.classes {
            // No valid label is empty.
            let label = core::str::from_utf8(rest.label()).unwrap_or_default();
            if !label_is_valid(label) || self.labels().take(class).any(|earlier| earlier == label) {
                return Err(Error::LabelInvalid { class: class as u16 });
            }
        }
        if rest.rest.is_empty() { Ok(()) } else { Err(Error::TrailingBytes) }
    }
}

/// The labels of a label table, up to the first byte that is none.
pub(crate) fn table_labels<'a>(table: &'a [u8]) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
    let mut rest = Reader::new(table);
    core::iter::from_fn(move || {
        let label = rest.label();
        if label.is_empty() { None } else { core::str::from_utf8(label).ok() }
    })
}

/// Bytes beside weights and biases of the longest record of `classes` classes with float32 weights
/// and without prototypes: all labels as long as they may be. `None` past the address space.
pub(crate) fn longest_overhead(classes: u32) -> Option<u32> {
    let labels = classes.checked_mul(LABEL_SLOT)?.checked_next_multiple_of(4)?;
    let fixed = (EXACT_HEADER as u32).checked_add(EXACT_DIGEST as u32)?;
    classes.checked_mul(4)?.checked_add(labels)?.checked_add(fixed)
}

/// Bytes of the longest label in a label table.
pub(crate) const LABEL_SLOT: u32 = 1 + MAX_LABEL_BYTES as u32;

/// Whether a class can have this label: 1 to 64 bytes without control characters.
pub fn label_is_valid(label: &str) -> bool {
    (1..=MAX_LABEL_BYTES).contains(&label.len()) && !label.contains(char::is_control)
}

#[cfg(test)]
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test may panic"
)]
mod tests;
