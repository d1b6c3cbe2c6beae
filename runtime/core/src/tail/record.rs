//! What was learned of a tail, as bytes that stand before the head record.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::vec::Vec;

use sha2::{Digest, Sha256};

use super::Tail;
use super::section::{checked_half, element_bytes, numbers};
use crate::Error;
use crate::graph::ValueId;
use crate::pack::TailStorage;

/// The first bytes of a tail record.
pub const MAGIC: [u8; 8] = *b"HSTAIL\x1a\n";
/// The version that is written, and the newest that is read.
pub const VERSION: u16 = 1;
const HEADER: usize = 52;
const DIGEST: usize = 32;

/// The constants of a tail that were trained; the others are the pack's.
///
/// ```text
/// offset  bytes
///      0      8  magic "HSTAIL\x1a\n"
///      8      2  version, 1
///     10      1  storage of constants of two and more dimensions: 0 float32, 1 float16
///     11      1  zero
///     12      4  P, constants
///     16     32  backbone digest
///     48      4  bytes of the constants
///     52         P times, rising: value of the tail's graph, 4 bytes, and its elements
///      …     32  SHA-256 of everything before
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TailRecord {
    /// The trained constants, by their value in the tail's graph.
    pub constants: BTreeMap<ValueId, Arc<[f32]>>,
}

impl TailRecord {
    /// The tail record as bytes, which stand before a head record.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] for a number that the storage cannot hold, [`Error::BadTail`] for a constant
    /// that the tail does not have in this length.
    pub fn emit(
        &self,
        tail: &Tail,
        backbone: &[u8; 32],
        storage: TailStorage,
    ) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        for (&id, data) in &self.constants {
            let shape = constant_shape(tail, id, data.len())?;
            body.extend(u32::try_from(id).map_err(|_| Error::ShapeOverflow)?.to_le_bytes());
            for &number in data.iter() {
                if !number.is_finite() {
                    return Err(Error::NotFinite);
                }
                match element_bytes(storage, shape) {
                    2 => body.extend(checked_half(number)?.to_le_bytes()),
                    _ => body.extend(number.to_le_bytes()),
                }
            }
        }
        let narrow = |n: usize| u32::try_from(n).map_err(|_| Error::ShapeOverflow);
        let mut bytes = Vec::new();
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([u8::from(storage == TailStorage::F16), 0]);
        bytes.extend(narrow(self.constants.len())?.to_le_bytes());
        bytes.extend(backbone);
        bytes.extend(narrow(body.len())?.to_le_bytes());
        bytes.extend(body);
        let digest = Sha256::digest(&bytes);
        bytes.extend(digest);
        Ok(bytes)
    }

    /// The tail record that stands first in `bytes`, and what is behind it.
    ///
    /// # Errors
    ///
    /// [`Error::NotAHead`], [`Error::UnsupportedVersion`], [`Error::FieldInvalid`], [`Error::Truncated`],
    /// [`Error::DigestMismatch`], [`Error::BackboneMismatch`], [`Error::NotFinite`], or
    /// [`Error::BadTail`] for constants that are not this tail's.
    pub fn split<'b>(
        bytes: &'b [u8],
        tail: &Tail,
        backbone: &[u8; 32],
    ) -> Result<(Self, &'b [u8]), Error> {
        let (header, rest) = bytes.split_at_checked(HEADER).ok_or(Error::Truncated)?;
        let field = |at: usize| header.get(at..).and_then(|rest| rest.first_chunk::<4>()).copied();
        let word = |at: usize| field(at).map(u32::from_le_bytes).ok_or(Error::Truncated);
        if !header.starts_with(&MAGIC) {
            return Err(Error::NotAHead);
        }
        let [low, high, storage, zero] = field(8).ok_or(Error::Truncated)?;
        let version = u16::from_le_bytes([low, high]);
        match version {
            VERSION => {}
            0 => return Err(Error::FieldInvalid { offset: 8 }),
            found => return Err(Error::UnsupportedVersion { found }),
        }
        let storage = match (storage, zero) {
            (0, 0) => TailStorage::F32,
            (1, 0) => TailStorage::F16,
            _ => return Err(Error::FieldInvalid { offset: 10 }),
        };
        let (count, length) = (word(12)? as usize, word(48)? as usize);
        let (body, rest) = rest.split_at_checked(length).ok_or(Error::Truncated)?;
        let (digest, rest) = rest.split_at_checked(DIGEST).ok_or(Error::Truncated)?;
        if Sha256::new_with_prefix(header).chain_update(body).finalize().as_slice() != digest {
            return Err(Error::DigestMismatch { section: *b"TAIL" });
        }
        if header.get(16..48) != Some(backbone.as_slice()) {
            let [a, b, c, d, ..] = *backbone;
            let found = field(16).ok_or(Error::Truncated)?;
            return Err(Error::BackboneMismatch { expected: [a, b, c, d], found });
        }
        let mut record = Self::default();
        let mut left = body;
        for _ in 0..count {
            let (id, behind) = left.split_first_chunk::<4>().ok_or(Error::Truncated)?;
            let id = u32::from_le_bytes(*id) as ValueId;
            if record.constants.last_key_value().is_some_and(|(&last, _)| last >= id) {
                return Err(Error::BadTail);
            }
            let known = tail.graph.values.get(id).ok_or(Error::BadTail)?;
            let elements = known.constant.as_ref().ok_or(Error::BadTail)?.len();
            let element = element_bytes(storage, &known.shape);
            let bytes = elements.checked_mul(element).ok_or(Error::ShapeOverflow)?;
            let (own, behind) = behind.split_at_checked(bytes).ok_or(Error::Truncated)?;
            let numbers = numbers(own, element);
            if !numbers.iter().all(|number| number.is_finite()) {
                return Err(Error::NotFinite);
            }
            record.constants.insert(id, numbers.into());
            left = behind;
        }
        if left.is_empty() { Ok((record, rest)) } else { Err(Error::TrailingBytes) }
    }

    /// Puts the constants into the tail.
    pub fn apply(self, tail: &mut Tail) {
        for (id, data) in self.constants {
            if let Some(value) = tail.graph.values.get_mut(id) {
                value.constant = Some(data);
            }
        }
    }
}

fn constant_shape(tail: &Tail, id: ValueId, elements: usize) -> Result<&[usize], Error> {
    let value = tail.graph.values.get(id).ok_or(Error::BadTail)?;
    let same = value.constant.as_ref().is_some_and(|data| data.len() == elements);
    if same { Ok(&value.shape) } else { Err(Error::BadTail) }
}
