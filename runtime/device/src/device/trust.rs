//! Whose packs are used: anyone's, or those that one of some keys has signed.

use headstart::Error;
use headstart::pack::Pack;

/// The keys whose packs are used, of one family of devices.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg(feature = "signature")]
pub(super) struct Trust {
    pub(super) keys: Vec<[u8; 32]>,
    pub(super) family: String,
}

#[cfg(feature = "signature")]
impl Trust {
    /// The pack and its security counter, which is at least `least_counter`.
    pub(super) fn open<'a>(
        &self,
        bytes: &'a [u8],
        least_counter: u64,
    ) -> Result<(Pack<'a>, u64), Error> {
        let trust =
            headstart::pack::Trust { keys: &self.keys, family: &self.family, least_counter };
        Pack::open_trusted(bytes, &trust)
    }
}

/// There are no keys where nothing verifies signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg(not(feature = "signature"))]
pub(super) enum Trust {}

#[cfg(not(feature = "signature"))]
impl Trust {
    pub(super) fn open<'a>(&self, _: &'a [u8], _: u64) -> Result<(Pack<'a>, u64), Error> {
        match *self {}
    }
}
