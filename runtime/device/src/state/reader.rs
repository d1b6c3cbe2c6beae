//! The bytes of a state's files, read from the front to the end.

use sha2::{Digest, Sha256};

use super::StateProblem;
use crate::samples::MAX_CLASS_NAME_BYTES;

/// Of the check sum at the end of each file.
pub(super) const DIGEST_BYTES: usize = 32;

pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    /// Behind the front that every file of a state has: magic, version, two bytes of zero and the
    /// digest of the backbone; the check sum at the end is left out of what is read. Says which of the versions it is, and
    /// of which backbone.
    ///
    /// # Errors
    /// [`StateProblem::Cache`] with the byte and the broken rule, [`StateProblem::CacheVersion`] for one that a later program wrote.
    pub(super) fn sealed(
        bytes: &'a [u8],
        magic: [u8; 8],
        versions: &[u16],
    ) -> Result<(Self, u16, [u8; 32]), StateProblem> {
        let mut reader = Self { bytes, at: 0 };
        if reader.array::<8>()? != magic {
            return Err(reader.broken("the magic is missing"));
        }
        let newest = versions.iter().copied().max().unwrap_or_default();
        if let Some(found) = newer_than(bytes, &magic, newest) {
            return Err(StateProblem::CacheVersion { found });
        }
        let version = u16::from_le_bytes(reader.array()?);
        if !versions.contains(&version) {
            return Err(StateProblem::Cache {
                at: magic.len(),
                reason: "there is no such version",
            });
        }
        let split = bytes.len().saturating_sub(DIGEST_BYTES);
        let (body, digest) = bytes.split_at(split);
        if Sha256::digest(body)[..] != *digest {
            return Err(StateProblem::Cache { at: split, reason: "the check sum does not match" });
        }
        let mut reader = Self { bytes: body, at: reader.at };
        if reader.array()? != [0; 2] {
            return Err(reader.broken("a reserved byte is not zero"));
        }
        let backbone = reader.array()?;
        Ok((reader, version, backbone))
    }

    pub(super) fn broken(&self, reason: &'static str) -> StateProblem {
        StateProblem::Cache { at: self.at, reason }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], StateProblem> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| self.broken("the bytes end too early"))?;
        self.at += count;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], StateProblem> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn count(&mut self, limit: usize) -> Result<usize, StateProblem> {
        let count = usize::try_from(u32::from_le_bytes(self.array()?)).unwrap_or(usize::MAX);
        if count > limit { Err(self.broken("a count is past its limit")) } else { Ok(count) }
    }

    pub(super) fn name(&mut self) -> Result<&'a str, StateProblem> {
        let length = usize::from(u16::from_le_bytes(self.array()?));
        if !(1..=MAX_CLASS_NAME_BYTES).contains(&length) {
            return Err(self.broken("a class name has no byte or too many"));
        }
        std::str::from_utf8(self.take(length)?)
            .map_err(|_| self.broken("a class name is not UTF-8"))
    }
}

/// The version behind a magic of eight bytes, where it is later than the newest that is read.
pub(crate) fn newer_than(front: &[u8], magic: &[u8; 8], newest: u16) -> Option<u16> {
    let version = u16::from_le_bytes(*front.strip_prefix(magic)?.first_chunk()?);
    Some(version).filter(|version| *version > newest)
}
