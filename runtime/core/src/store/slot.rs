//! The bytes at the start of a slot.

use sha2::{Digest, Sha256};

/// The largest word of a flash, in bytes.
pub(super) const LARGEST_WORD: u32 = 256;
/// Bytes of a header.
pub(super) const HEADER: usize = 104;
/// Bytes of the commit word.
pub(super) const COMMIT: usize = 8;

pub(super) const MAGIC: [u8; 8] = *b"HSSLOT\x1a\n";
const VERSION: u16 = 1;
/// Wrong bits of a commit word that are forgiven: it differs from erased flash in 32 on average.
const FORGIVEN: u32 = 15;

/// What a slot says of itself. The digest covers all of it and the payload.
///
/// ```text
///   0  magic           8  `HSSLOT\x1a\n`
///   8  version         2  1
///  10  word            2  write size of the flash, which decides where the parts lie
///  12  length          4  of the payload
///  16  sequence        8  higher is newer
///  24  slot            2  its number in the region
///  26  slots           2  of the region
///  28  slot bytes      4
///  32  backbone       32  digest of the backbone that the record belongs to
///  64  digest         32  SHA-256 of bytes 0…63 and the payload
///  96  check           8  of SHA-256 of bytes 0…95, the first bytes
/// ```
///
/// The commit word is the 8 bytes of the last SHA-256 that follow the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) word: u16,
    pub(super) length: u32,
    pub(super) sequence: u64,
    pub(super) slot: u16,
    pub(super) slots: u16,
    pub(super) slot_bytes: u32,
    pub(super) backbone: [u8; 32],
    pub(super) digest: [u8; 32],
}

/// Why bytes are no header of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHeader {
    /// Erased, torn, damaged or something else.
    Unknown,
    /// A header of a newer version.
    Version(u16),
}

impl Header {
    /// A digest of the payload that begins with what is bound to it; [`Self::digest`] does not count.
    pub(super) fn hasher(&self) -> Sha256 {
        let mut hasher = Sha256::new();
        hasher.update(self.bound());
        hasher
    }

    fn bound(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        let fields: [&[u8]; 9] = [
            &MAGIC,
            &VERSION.to_le_bytes(),
            &self.word.to_le_bytes(),
            &self.length.to_le_bytes(),
            &self.sequence.to_le_bytes(),
            &self.slot.to_le_bytes(),
            &self.slots.to_le_bytes(),
            &self.slot_bytes.to_le_bytes(),
            &self.backbone,
        ];
        for (to, from) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        bytes
    }

    /// Where the slot starts, from the start of the region.
    pub(super) fn offset(&self) -> u32 {
        u32::from(self.slot).saturating_mul(self.slot_bytes)
    }

    /// The bytes and the commit word.
    pub(super) fn emit(&self) -> ([u8; HEADER], [u8; COMMIT]) {
        let mut hasher = self.hasher();
        hasher.update(self.digest);
        let (check, commit) = check_and_commit(hasher);
        let mut bytes = [0; HEADER];
        let (bound, rest) = bytes.split_at_mut(64);
        let (digest, place) = rest.split_at_mut(32);
        bound.copy_from_slice(&self.bound());
        digest.copy_from_slice(&self.digest);
        place.copy_from_slice(&check);
        (bytes, commit)
    }

    /// The header in `bytes`, and the commit word that belongs to it.
    pub(super) fn parse(bytes: &[u8; HEADER]) -> Result<(Self, [u8; COMMIT]), NoHeader> {
        let (checked, check) = bytes.split_at(96);
        let (found, commit) = check_and_commit(Sha256::new_with_prefix(checked));
        if !checked.starts_with(&MAGIC) || check != found {
            return Err(NoHeader::Unknown);
        }
        let mut rest = checked;
        take::<8>(&mut rest);
        let version = u16::from_le_bytes(take(&mut rest));
        if version != VERSION {
            return Err(NoHeader::Version(version));
        }
        let header = Self {
            word: u16::from_le_bytes(take(&mut rest)),
            length: u32::from_le_bytes(take(&mut rest)),
            sequence: u64::from_le_bytes(take(&mut rest)),
            slot: u16::from_le_bytes(take(&mut rest)),
            slots: u16::from_le_bytes(take(&mut rest)),
            slot_bytes: u32::from_le_bytes(take(&mut rest)),
            backbone: take(&mut rest),
            digest: take(&mut rest),
        };
        Ok((header, commit))
    }
}

/// Whether a commit word was written. It is begun only after the payload was read back, so what is
/// left of a worn one is believed.
pub(super) fn is_commit(found: [u8; COMMIT], expected: [u8; COMMIT]) -> bool {
    (u64::from_le_bytes(found) ^ u64::from_le_bytes(expected)).count_ones() <= FORGIVEN
}

fn check_and_commit(hasher: Sha256) -> ([u8; 8], [u8; COMMIT]) {
    let digest: [u8; 32] = hasher.finalize().into();
    let mut rest = &digest[..];
    (take(&mut rest), take(&mut rest))
}

/// The next `N` bytes; zeros past the end, which no caller asks for.
fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let Some((taken, after)) = rest.split_first_chunk() else { return [0; N] };
    *rest = after;
    *taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            word: 8,
            length: 77,
            sequence: u64::MAX - 3,
            slot: 2,
            slots: 3,
            slot_bytes: 2048,
            backbone: [3; 32],
            digest: [4; 32],
        }
    }

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let (bytes, commit) = header().emit();
        assert_eq!(Header::parse(&bytes), Ok((header(), commit)));
    }

    #[test]
    fn every_changed_bit_is_seen() {
        let (bytes, _) = header().emit();
        for bit in 0..HEADER * 8 {
            let mut changed = bytes;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::parse(&changed), Err(NoHeader::Unknown), "bit {bit}");
        }
        for erased in [0x00, 0xFF] {
            assert_eq!(Header::parse(&[erased; HEADER]), Err(NoHeader::Unknown));
        }
    }

    #[test]
    fn a_newer_version_is_named() {
        let (mut bytes, _) = header().emit();
        bytes[8] = 2;
        let (check, _) = check_and_commit(Sha256::new_with_prefix(&bytes[..96]));
        bytes[96..].copy_from_slice(&check);
        assert_eq!(Header::parse(&bytes), Err(NoHeader::Version(2)));
    }

    #[test]
    fn a_worn_commit_word_counts_and_an_erased_one_does_not() {
        let (_, commit) = header().emit();
        let mut worn = commit;
        worn[3] ^= 0x7F;
        assert!(is_commit(commit, commit) && is_commit(worn, commit));
        assert!(!is_commit([0xFF; COMMIT], commit) && !is_commit([0; COMMIT], commit));
    }
}
