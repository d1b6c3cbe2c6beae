//! The container: header, section table, sections. Bytes to slices, nothing more.

use sha2::{Digest, Sha256};

use crate::Error;
use crate::checked::array;

/// The first bytes of a pack. The line ends in them show a transfer that rewrote line ends.
pub const MAGIC: [u8; 8] = *b"HSPK\r\n\x1a\n";
/// The newest format version that this runtime reads. It writes 1 where nothing in a pack needs a newer one.
pub const VERSION: u16 = 2;

/// The first version whose nodes may be activations.
pub(super) const ACTIVATIONS: u16 = 2;
/// Alignment of every section, in bytes: a cache line, and enough for any vector load.
pub const ALIGNMENT: usize = 64;

pub(super) const HEADER_BYTES: usize = 64;
pub(super) const ENTRY_BYTES: usize = 64;
const READ_ONLY: u32 = 1;

/// A section's kind: its four letters in the file.
pub(super) type Kind = [u8; 4];

pub(super) const MANIFEST: Kind = *b"MANI";
pub(super) const VALUES: Kind = *b"VALU";
pub(super) const NODES: Kind = *b"NODE";
pub(super) const WEIGHTS: Kind = *b"WGHT";
pub(super) const CHANNELS: Kind = *b"CHAN";
pub(super) const TABLES: Kind = *b"TABL";
pub(super) const TAIL: Kind = *b"TAIL";
pub(super) const HEAD: Kind = *b"HEAD";
pub(super) const SIGNATURE: Kind = *b"SIGN";

/// All sections, in the order in which they stand in the file. `TAIL`, `HEAD` and `SIGN` may be absent.
pub(super) const ORDER: [Kind; 9] =
    [MANIFEST, VALUES, NODES, WEIGHTS, CHANNELS, TABLES, TAIL, HEAD, SIGNATURE];

/// The sections of a container whose digests were checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sections<'a> {
    pub(super) version: u16,
    bodies: [Option<&'a [u8]>; ORDER.len()],
    digests: [[u8; 32]; ORDER.len()],
}

impl<'a> Sections<'a> {
    /// The section of that kind and its digest, if it is there.
    pub(super) fn get(&self, kind: Kind) -> Option<(&'a [u8], &[u8; 32])> {
        let index = ORDER.iter().position(|&k| k == kind)?;
        Some(((*self.bodies.get(index)?)?, self.digests.get(index)?))
    }

    /// The bytes of a section, if it is there.
    pub(super) fn body(&self, kind: Kind) -> Option<&'a [u8]> {
        Some(self.get(kind)?.0)
    }

    /// Checks limits, the header's digest, the table and every section's digest, in that order.
    ///
    /// ```text
    /// 0   8  magic "HSPK\r\n\x1a\n"
    /// 8   2  version
    /// 10  2  sections (n)
    /// 12  4  zero
    /// 16  8  length of the file
    /// 24  8  zero
    /// 32 32  SHA-256 of bytes 0..32 and of the section table
    /// 64  64 · n  section table: kind 4, flags 4, offset 8, length 8, zero 8, SHA-256 32
    /// ..     sections, each at a multiple of 64, zeros between
    /// ```
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let header = bytes.get(..HEADER_BYTES).ok_or_else(|| {
            if MAGIC.starts_with(bytes.get(..MAGIC.len()).unwrap_or(bytes)) {
                Error::Truncated
            } else {
                Error::NotAPack
            }
        })?;
        if header.get(..8) != Some(MAGIC.as_slice()) {
            return Err(Error::NotAPack);
        }
        let version = u16::from_le_bytes(array(header, 8)?);
        if !(1..=VERSION).contains(&version) {
            return Err(Error::UnsupportedVersion { found: version });
        }
        let count = usize::from(u16::from_le_bytes(array(header, 10)?));
        let length = u64::from_le_bytes(array(header, 16)?);
        let found = bytes.len() as u64;
        if found < length {
            return Err(Error::Truncated);
        }
        if found > length {
            return Err(Error::TrailingBytes);
        }
        if count > ORDER.len() {
            return Err(Error::ShapeOverflow);
        }
        let table_end = count
            .checked_mul(ENTRY_BYTES)
            .and_then(|n| n.checked_add(HEADER_BYTES))
            .ok_or(Error::ShapeOverflow)?;
        let table = bytes.get(HEADER_BYTES..table_end).ok_or(Error::Truncated)?;
        let digest = Sha256::new()
            .chain_update(header.get(..32).ok_or(Error::Truncated)?)
            .chain_update(table);
        if digest.finalize().as_slice() != header.get(32..).ok_or(Error::Truncated)? {
            return Err(Error::DigestMismatch { section: [0; 4] });
        }
        Self::read_table(version, bytes, table, table_end)
    }

    fn read_table(
        version: u16,
        bytes: &'a [u8],
        table: &[u8],
        table_end: usize,
    ) -> Result<Self, Error> {
        let mut sections =
            Self { version, bodies: [None; ORDER.len()], digests: [[0; 32]; ORDER.len()] };
        let mut next = 0;
        let mut end = table_end;
        for entry in table.chunks_exact(ENTRY_BYTES) {
            let section: Kind = array(entry, 0)?;
            let bad = Error::BadSection { section };
            let index = ORDER.iter().position(|&k| k == section).ok_or(bad)?;
            let offset = usize::try_from(u64::from_le_bytes(array(entry, 8)?)).map_err(|_| bad)?;
            let length = usize::try_from(u64::from_le_bytes(array(entry, 16)?)).map_err(|_| bad)?;
            let start = end.checked_next_multiple_of(ALIGNMENT).ok_or(bad)?;
            let flags = u32::from_le_bytes(array(entry, 4)?);
            if index < next
                || offset != start
                || flags != READ_ONLY
                || array::<8>(entry, 24)? != [0; 8]
            {
                return Err(bad);
            }
            let stop = offset.checked_add(length).ok_or(bad)?;
            let padding = bytes.get(end..offset).ok_or(Error::Truncated)?;
            let body = bytes.get(offset..stop).ok_or(Error::Truncated)?;
            let digest: [u8; 32] = array(entry, 32)?;
            if padding.iter().any(|&b| b != 0) || Sha256::digest(body).as_slice() != digest {
                return Err(Error::DigestMismatch { section });
            }
            *sections.bodies.get_mut(index).ok_or(bad)? = Some(body);
            *sections.digests.get_mut(index).ok_or(bad)? = digest;
            next = index.saturating_add(1);
            end = stop;
        }
        if end != bytes.len() {
            return Err(Error::TrailingBytes);
        }
        for (&section, body) in ORDER.iter().zip(&sections.bodies) {
            if body.is_none() && ![TAIL, HEAD, SIGNATURE].contains(&section) {
                return Err(Error::BadSection { section });
            }
        }
        Ok(sections)
    }
}

/// Writes a container of a version around `bodies`, which stand in the order of [`ORDER`].
#[cfg(feature = "std")]
pub(super) fn emit(version: u16, bodies: &[(Kind, std::vec::Vec<u8>)]) -> std::vec::Vec<u8> {
    use std::vec::Vec;
    let table_end = HEADER_BYTES.saturating_add(bodies.len().saturating_mul(ENTRY_BYTES));
    let mut table: Vec<u8> = Vec::new();
    let mut body_bytes: Vec<u8> = Vec::new();
    for (kind, body) in bodies {
        let end = table_end.saturating_add(body_bytes.len());
        let offset = end.next_multiple_of(ALIGNMENT);
        body_bytes.resize(offset.saturating_sub(table_end), 0);
        body_bytes.extend_from_slice(body);
        table.extend_from_slice(kind);
        table.extend_from_slice(&READ_ONLY.to_le_bytes());
        table.extend_from_slice(&(offset as u64).to_le_bytes());
        table.extend_from_slice(&(body.len() as u64).to_le_bytes());
        table.extend_from_slice(&[0; 8]);
        table.extend_from_slice(&Sha256::digest(body));
    }
    let mut file = MAGIC.to_vec();
    file.extend_from_slice(&version.to_le_bytes());
    file.extend_from_slice(&u16::try_from(bodies.len()).unwrap_or(u16::MAX).to_le_bytes());
    file.extend_from_slice(&[0; 4]);
    file.extend_from_slice(&(table_end.saturating_add(body_bytes.len()) as u64).to_le_bytes());
    file.extend_from_slice(&[0; 8]);
    let digest = Sha256::new().chain_update(&file).chain_update(&table).finalize();
    file.extend_from_slice(&digest);
    file.extend_from_slice(&table);
    file.extend_from_slice(&body_bytes);
    file
}
