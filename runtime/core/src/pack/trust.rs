//! Opens packs that only their maker can change.

use ed25519_dalek::VerifyingKey;

use super::signature::{Signature, key_name};
use super::{Pack, container};
use crate::Error;

/// Rules for the signed packs that a runtime uses: those of these keys, for its boards, and none that is too old.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// Ed25519 public keys; two while one replaces the other.
    pub keys: &'a [[u8; 32]],
    /// The board family that this device is one of.
    pub family: &'a str,
    /// The highest security counter of a pack that was used here; 0 at first.
    pub least_counter: u64,
}

impl<'a> Pack<'a> {
    /// Opens a pack that one of the keys has signed for this family, with a counter that is not too low. Gives the
    /// counter too.
    ///
    /// The container and its digests are read first, then the signature is verified, strictly, and
    /// only then anything else is looked at. So that no older pack can come back: store the counter
    /// where only this program writes, *then* use the pack.
    ///
    /// # Errors
    ///
    /// [`Error::Unsigned`]; [`Error::UnknownKey`]; [`Error::SignatureInvalid`];
    /// [`Error::OtherFamily`]; [`Error::Downgrade`]; and those of [`Pack::open`].
    pub fn open_trusted(bytes: &'a [u8], trust: &Trust<'_>) -> Result<(Self, u64), Error> {
        let sections = container::Sections::parse(bytes)?;
        let (body, _) = sections.get(container::SIGNATURE).ok_or(Error::Unsigned)?;
        let signature = Signature::parse(body)?;
        let key = trust.keys.iter().find(|key| key_name(key) == signature.key);
        let key = key.ok_or(Error::UnknownKey { key: signature.key })?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| Error::SignatureInvalid)?;
        let message = signature.message(&sections);
        key.verify_strict(&message, &ed25519_dalek::Signature::from_bytes(&signature.signature))
            .map_err(|_| Error::SignatureInvalid)?;
        if signature.family != trust.family {
            return Err(Error::OtherFamily);
        }
        let (found, least) = (signature.counter, trust.least_counter);
        if found < least {
            return Err(Error::Downgrade { found, least });
        }
        Ok((Self::of(&sections)?, found))
    }
}
