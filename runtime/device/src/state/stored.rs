//! What `features.hsfc` held when a cache was read from it.

use super::reader::DIGEST_BYTES;
use crate::samples::SampleId;

/// The check sum at the end of a cache.
pub(super) type Digest = [u8; DIGEST_BYTES];

/// A cache's file: enough to tell what came to it since.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) digest: Digest,
    /// Its length.
    pub(super) bytes: usize,
    pub(super) classes: Vec<String>,
    /// Samples, and their places among the classes.
    pub(super) samples: Vec<(SampleId, u16)>,
    /// Samples that were added to it, and their classes.
    pub(super) added: Vec<(SampleId, String)>,
}
