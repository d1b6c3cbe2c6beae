//! Restricts a board to packs of one maker.

use headstart::Error;
use headstart::pack::{Pack, Trust};
use headstart::session;
use headstart_cable::Refusal;

/// The maker of packs, as a firmware knows it when it is built. What is signed by nobody else is refused before
/// it is used, and so is a pack with a lower security counter than one that was used.
#[derive(Clone, Copy, Debug)]
pub struct Maker {
    /// Ed25519 public keys; two while one replaces the other.
    pub keys: &'static [[u8; 32]],
    /// The board family that this board is one of.
    pub family: &'static str,
}

impl Maker {
    /// The pack and its counter.
    #[inline(never)]
    pub(super) fn open<'a>(&self, bytes: &'a [u8], least: u64) -> Result<(Pack<'a>, u64), Refusal> {
        let trust = Trust { keys: self.keys, family: self.family, least_counter: least };
        let opened = Pack::open_trusted(bytes, &trust)
            .and_then(|opened| session::accepts(&opened.0).map(|()| opened));
        opened.map_err(|error| match error {
            Error::Unsigned
            | Error::UnknownKey { .. }
            | Error::SignatureInvalid
            | Error::OtherFamily => Refusal::Untrusted,
            Error::Downgrade { found, least } => Refusal::Older { found, least },
            _ => Refusal::BadPack,
        })
    }
}
