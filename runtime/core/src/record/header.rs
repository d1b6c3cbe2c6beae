//! What stands before a record's tables, in both versions.

use half::f16;

use super::reader::Reader;
use super::{
    COMPACT_MAGIC, COMPACT_VERSION, EXACT_MAGIC, EXACT_VERSION, FLAG_CALIBRATED, FLAG_F16,
    FLAG_HELD_OUT, FLAG_PROTOTYPES, FLAG_STANDS_IN, Learner, MAX_CLASSES, MAX_FEATURES,
    MAX_LABEL_BYTES, Storage,
};
use crate::Error;

/// The header, read but not checked beyond its limits: the digest comes first.
pub(super) struct Header<'a> {
    pub(super) compact: bool,
    pub(super) storage: Storage,
    pub(super) learner: Option<Learner>,
    pub(super) with_prototypes: bool,
    pub(super) feature_len: u32,
    pub(super) classes: u32,
    /// Bytes of the label table; 1 where the record does not say.
    pub(super) label_bytes: u32,
    pub(super) temperature: f32,
    pub(super) unknown_threshold: f32,
    /// Right answers, and all.
    pub(super) held_out: (u32, u32),
    pub(super) weight_scale: f32,
    pub(super) bias_scale: f32,
    pub(super) backbone: &'a [u8],
}

impl<'a> Header<'a> {
    pub(super) fn read(rest: &mut Reader<'a>) -> Result<Self, Error> {
        let bytes = rest.rest;
        match *bytes {
            [a, b, COMPACT_VERSION, ..] if [a, b] == COMPACT_MAGIC => return Self::compact(rest),
            // No text, and so none of the other magic numbers.
            [a, b, version @ 3..=31, ..] if [a, b] == COMPACT_MAGIC => {
                return Err(Error::UnsupportedVersion { found: version.into() });
            }
            _ => {}
        }
        let magic = bytes.get(..EXACT_MAGIC.len()).unwrap_or(bytes);
        if magic.is_empty() || !EXACT_MAGIC.starts_with(magic) {
            return Err(Error::NotAHead);
        }
        rest.bytes(EXACT_MAGIC.len());
        Self::exact(rest)
    }

    fn exact(rest: &mut Reader<'a>) -> Result<Self, Error> {
        let version = rest.u16();
        if rest.short {
            return Err(Error::Truncated);
        }
        if version != EXACT_VERSION {
            return Err(if version > EXACT_VERSION {
                Error::UnsupportedVersion { found: version }
            } else {
                Error::FieldInvalid { offset: 8 }
            });
        }
        let (flags, learner) = (rest.byte(), rest.byte());
        let [feature_len, classes, label_bytes, temperature, unknown_threshold, right, all, scale] =
            [0; 8].map(|_: u32| rest.u32());
        let header = Self {
            compact: false,
            storage: if flags & FLAG_F16 == 0 { Storage::F32 } else { Storage::F16 },
            learner: Learner::from_id(learner),
            with_prototypes: flags & FLAG_PROTOTYPES != 0,
            feature_len,
            classes,
            label_bytes,
            temperature: f32::from_bits(temperature),
            unknown_threshold: f32::from_bits(unknown_threshold),
            held_out: (right, all),
            weight_scale: f32::from_bits(scale),
            bias_scale: 1.0,
            backbone: rest.bytes(32),
        };
        if flags & !(FLAG_F16 | FLAG_PROTOTYPES) != 0 {
            return Err(Error::FieldInvalid { offset: 10 });
        }
        header.limited(rest)?;
        Ok(header)
    }

    fn compact(rest: &mut Reader<'a>) -> Result<Self, Error> {
        rest.bytes(3);
        let flags = rest.byte();
        let id = flags & 15;
        let mut header = Self {
            compact: true,
            storage: Storage::F16,
            learner: Learner::ALL.into_iter().find(|learner| learner.id() & 15 == id),
            with_prototypes: flags & FLAG_STANDS_IN != 0,
            backbone: rest.bytes(8),
            feature_len: rest.varint(),
            classes: rest.varint(),
            weight_scale: power_of_two(rest.byte()),
            bias_scale: power_of_two(rest.byte()),
            label_bytes: 1,
            temperature: 1.0,
            unknown_threshold: 0.0,
            held_out: (0, 0),
        };
        if flags & FLAG_CALIBRATED != 0 {
            header.temperature = half(rest.u16());
            header.unknown_threshold = half(rest.u16());
        }
        if flags & FLAG_HELD_OUT != 0 {
            let right = rest.varint();
            // A sum that wraps is below its parts, which is refused.
            header.held_out = (right, rest.varint().wrapping_add(right));
        }
        if flags & 0x80 != 0 {
            return Err(Error::FieldInvalid { offset: 3 });
        }
        header.limited(rest)?;
        Ok(header)
    }

    #[cfg_attr(target_os = "none", inline(never))]
    fn limited(&self, rest: &Reader<'_>) -> Result<(), Error> {
        if rest.short {
            return Err(Error::Truncated);
        }
        let most = [
            (self.feature_len, MAX_FEATURES),
            (self.classes, MAX_CLASSES),
            (self.label_bytes, MAX_CLASSES * (1 + MAX_LABEL_BYTES)),
        ];
        // Nothing becomes the largest number.
        if most.iter().any(|&(count, most)| count.wrapping_sub(1) >= most as u32) {
            return Err(Error::ShapeOverflow);
        }
        Ok(())
    }

    /// Refuses what no record may say, once the digest is right.
    pub(super) fn check(&self) -> Result<Learner, Error> {
        // Normal and positive.
        let is_scale = |scale: f32| (f32::MIN_POSITIVE..=f32::MAX).contains(&scale);
        let offset = if self.learner.is_none() {
            11
        } else if !(f32::from_bits(1)..=f32::MAX).contains(&self.temperature) {
            24
        } else if !(0.0..=1.0).contains(&self.unknown_threshold) {
            28
        } else if self.held_out.0 > self.held_out.1 {
            32
        } else {
            40
        };
        match self.learner {
            Some(learner)
                if offset == 40 && is_scale(self.weight_scale) && is_scale(self.bias_scale) =>
            {
                Ok(learner)
            }
            // In a compact record the places of most fields depend on others.
            _ => Err(Error::FieldInvalid { offset: if self.compact { 3 } else { offset } }),
        }
    }
}

/// Two to the power of a signed byte; no normal number below the least one's exponent, −126.
fn power_of_two(exponent: u8) -> f32 {
    f32::from_bits((i32::from(exponent.cast_signed()).wrapping_add(127) as u32) << 23)
}

fn half(bits: u16) -> f32 {
    f16::from_bits(bits).to_f32()
}
