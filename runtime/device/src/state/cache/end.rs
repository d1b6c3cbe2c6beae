//! Where the file of a cache ends, as it says itself.

use super::{Bits, MAGIC};
use crate::samples::SampleId;
use crate::state::reader::DIGEST_BYTES;

/// Bytes before the names of the classes.
const FRONT: usize = 56;

/// How many bytes the cache has that begins so, its check sum included; `None` where the bytes end before, or are none of a cache. What
/// lies behind was added by something else.
pub(in crate::state) fn end(bytes: &[u8]) -> Option<usize> {
    let short = |at: usize| {
        let two = bytes.get(at..)?.first_chunk()?;
        Some(usize::from(u16::from_le_bytes(*two)))
    };
    let long = |at: usize| {
        let four = bytes.get(at..)?.first_chunk()?;
        usize::try_from(u32::from_le_bytes(*four)).ok()
    };
    let version = if bytes.starts_with(&MAGIC) { short(MAGIC.len())? } else { return None };
    let bits = if version % 2 == 0 { Bits::Four } else { Bits::Eight };
    let [features, classes, samples] = [long(44)?, long(48)?, long(52)?];
    let mut at = FRONT;
    for _ in 0..classes {
        at = at.checked_add(2 + short(at)?)?;
    }
    let row = bits.row_bytes(features);
    for _ in 0..samples {
        // Behind its name and its label.
        let views = short(at.checked_add(size_of::<SampleId>() + 2)?)?;
        at = at.checked_add(size_of::<SampleId>() + 4)?.checked_add(views.checked_mul(row)?)?;
    }
    let weights = if version > 2 { 2 * samples } else { 0 };
    let end = at.checked_add(weights)?.checked_add(DIGEST_BYTES)?;
    (end <= bytes.len()).then_some(end)
}
