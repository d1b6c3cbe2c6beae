//! Chunks, words and how often they are read: what every use of a flash is made of.

use super::slot::{Header, LARGEST_WORD};
use super::{Flash, Geometry};

/// How often a read is tried: a flipped bit on the bus is gone the next time.
pub(super) const READS: u32 = 3;
/// How often the same must be read where a word may have been torn.
pub(super) const STEADY: u32 = 12;

/// Bytes that are read and written at once; a multiple of every word.
pub(super) const CHUNK: usize = LARGEST_WORD as usize;

/// Where the payload of a commit comes from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Record(&'a [u8]),
    Slot(&'a Header),
}

/// Reads a chunk at most from an offset in the flash, in whole words, and again where that fails.
pub(super) fn read_words<F: Flash>(
    flash: &mut F,
    from: u32,
    bytes: &mut [u8],
) -> Result<(), F::Error> {
    let mut buffer = [0; CHUNK];
    let words = bytes.len().next_multiple_of(flash.geometry().read as usize);
    let words = buffer.get_mut(..words).unwrap_or_default();
    let mut result = Ok(());
    for _ in 0..READS {
        result = flash.read(from, words);
        if result.is_ok() {
            break;
        }
    }
    result?;
    bytes.copy_from_slice(words.get(..bytes.len()).unwrap_or_default());
    Ok(())
}

/// Header and commit word stand in parts of this size, so that the payload starts at a page of most
/// serial flash.
pub(super) fn part(geometry: Geometry) -> u32 {
    geometry.write.max(LARGEST_WORD / 2)
}
