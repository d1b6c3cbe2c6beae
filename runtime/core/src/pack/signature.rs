//! The signature of a pack: who made it, for which boards, and which packs it replaces.

use sha2::{Digest, Sha256};

use super::container::{ORDER, SIGNATURE, Sections};
use crate::Error;
use crate::checked::array;

/// The longest name of a board family, in bytes.
pub const MAX_FAMILY_BYTES: usize = 32;
/// Bytes of the section.
pub(super) const BODY: usize = 128;
const VERSION: u16 = 1;
/// Keeps signatures of packs apart from anything else that the same key may sign.
const DOMAIN: [u8; 24] = *b"Headstart pack signature";
/// Length of the message that is signed, in bytes.
pub const MESSAGE_BYTES: usize = DOMAIN.len() + 64 + 32;

/// The statements of a pack's signature. Reading it does not verify it; see [`Trust`](super::Trust).
///
/// ```text
///  0   2  version, 1
///  2   6  zero
///  8   8  security counter
/// 16  32  board family, filled up with zeros
/// 48   8  key: the first bytes of the public key's SHA-256
/// 56   8  zero
/// 64  64  Ed25519 signature
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Signature<'a> {
    /// The boards that the pack is for: 1 to 32 bytes of ASCII letters, digits, `-`, `_` and `.`.
    pub family: &'a str,
    /// The security counter. Devices refuse packs with a lower one than they have used.
    pub counter: u64,
    /// The first 8 bytes of the SHA-256 of the public key.
    pub key: [u8; 8],
    /// The Ed25519 signature of the pack's message.
    pub signature: [u8; 64],
}

#[cfg_attr(
    not(any(feature = "std", feature = "signature")),
    allow(dead_code, reason = "without them nothing is signed, and no signature is looked at")
)]
impl<'a> Signature<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let bad = Error::BadSection { section: SIGNATURE };
        let version = u16::from_le_bytes(array(body, 0).map_err(|_| bad)?);
        if version != VERSION {
            return Err(Error::UnsupportedVersion { found: version });
        }
        let family = body.get(16..48).ok_or(bad)?;
        let end = family.iter().position(|&b| b == 0).unwrap_or(MAX_FAMILY_BYTES);
        let (name, rest) = family.split_at_checked(end).ok_or(bad)?;
        let name = core::str::from_utf8(name).map_err(|_| bad)?;
        let zeros = array::<6>(body, 2).map_err(|_| bad)? == [0; 6]
            && array::<8>(body, 56).map_err(|_| bad)? == [0; 8]
            && rest.iter().all(|&b| b == 0);
        if body.len() != BODY || !zeros || !family_is_valid(name) {
            return Err(bad);
        }
        Ok(Self {
            family: name,
            counter: u64::from_le_bytes(array(body, 8).map_err(|_| bad)?),
            key: array(body, 48).map_err(|_| bad)?,
            signature: array(body, 64).map_err(|_| bad)?,
        })
    }

    /// The section's bytes up to the signature.
    fn start(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        let fields: [(usize, &[u8]); 4] = [
            (0, &VERSION.to_le_bytes()),
            (8, &self.counter.to_le_bytes()),
            (16, self.family.as_bytes()),
            (48, &self.key),
        ];
        for (offset, field) in fields {
            let end = offset.saturating_add(field.len());
            if let Some(place) = bytes.get_mut(offset..end) {
                place.copy_from_slice(field);
            }
        }
        bytes
    }

    #[cfg(feature = "std")]
    pub(super) fn emit(&self) -> std::vec::Vec<u8> {
        [self.start(), self.signature].concat()
    }

    /// What is signed: a fixed text, the section up to the signature, and the SHA-256 of kind, length and
    /// digest of every other section, in their order.
    pub(super) fn message(&self, sections: &Sections<'_>) -> [u8; MESSAGE_BYTES] {
        let mut hasher = Sha256::new();
        for kind in ORDER.into_iter().filter(|&kind| kind != SIGNATURE) {
            if let Some((body, digest)) = sections.get(kind) {
                hasher.update(kind);
                hasher.update((body.len() as u64).to_le_bytes());
                hasher.update(digest);
            }
        }
        let digest: [u8; 32] = hasher.finalize().into();
        let mut message = [0; MESSAGE_BYTES];
        let parts = DOMAIN.into_iter().chain(self.start()).chain(digest);
        message.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        message
    }
}

/// Whether a board family can have this name.
#[must_use]
pub fn family_is_valid(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=MAX_FAMILY_BYTES).contains(&name.len()) && name.bytes().all(plain)
}

/// The name of a public key in a signature: the first bytes of its SHA-256.
#[must_use]
pub fn key_name(public_key: &[u8; 32]) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(public_key).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    [a, b, c, d, e, f, g, h]
}
