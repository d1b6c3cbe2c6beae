//! What every runtime reads of a trainable tail: which values it needs, and how many it gives to the head.

use crate::Error;
use crate::record::MAX_FEATURES;

/// The version of the section that this runtime reads and writes.
pub const TAIL_VERSION: u16 = 1;
/// Most features that cross the cut.
pub const MAX_CROSSING: usize = 16;
/// Most bytes of the graph's description.
pub const MAX_DESCRIPTION: usize = 1 << 22;
const FIXED: usize = 12;
const HALF: u8 = 1;
const PER_PLACE: u8 = 2;

/// How the constants of two and more dimensions are stored; the others are always float32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum TailStorage {
    /// IEEE 754 binary32: as they were.
    F32,
    /// IEEE 754 binary16: half the bytes, 11 significant bits.
    F16,
}

/// The section `TAIL`, its head checked: a float graph from the features to the inputs of the head.
///
/// ```text
/// 0   2  version, 1
/// 2   1  1 if constants of two and more dimensions are float16, else float32; 2 more if the head reads each place
/// 3   1  values that cross the cut (n), 1 to 16
/// 4   4  inputs of the head, 1 to 2^20: outputs of the tail, or its channels if the head reads each place
/// 8   4  bytes of the description (D)
/// 12 4n  the values, rising
/// ..  D  description: postcard
/// ..     constants in the order of the description, and nothing behind them
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TailSection<'a> {
    /// How the tail's constants are stored.
    pub storage: TailStorage,
    /// Whether the head reads each place of a map `[1, head inputs, height, width]` by itself, and so answers a
    /// class a place.
    pub per_place: bool,
    /// Inputs of the head.
    pub head_inputs: u32,
    crossing: &'a [u8],
    /// The graph's description, as postcard.
    pub description: &'a [u8],
    /// The constants' bytes.
    pub constants: &'a [u8],
}

impl<'a> TailSection<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let (fixed, rest) = bytes.split_first_chunk::<FIXED>().ok_or(Error::Truncated)?;
        let [v0, v1, flags, count, h0, h1, h2, h3, d0, d1, d2, d3] = *fixed;
        let version = u16::from_le_bytes([v0, v1]);
        if version != TAIL_VERSION {
            return Err(Error::UnsupportedVersion { found: version });
        }
        if flags & !(HALF | PER_PLACE) != 0 {
            return Err(Error::BadTail);
        }
        let storage = if flags & HALF == 0 { TailStorage::F32 } else { TailStorage::F16 };
        let count = usize::from(count);
        let head_inputs = u32::from_le_bytes([h0, h1, h2, h3]);
        let description = u32::from_le_bytes([d0, d1, d2, d3]) as usize;
        if !(1..=MAX_CROSSING).contains(&count)
            || !(1..=MAX_FEATURES).contains(&(head_inputs as usize))
            || description > MAX_DESCRIPTION
        {
            return Err(Error::ShapeOverflow);
        }
        let (crossing, rest) =
            rest.split_at_checked(count.saturating_mul(4)).ok_or(Error::Truncated)?;
        let (description, constants) =
            rest.split_at_checked(description).ok_or(Error::Truncated)?;
        let per_place = flags & PER_PLACE != 0;
        Ok(Self { storage, per_place, head_inputs, crossing, description, constants })
    }

    /// The values that cross the cut, rising: their elements, one value after another, are the features.
    pub fn crossing(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.crossing.as_chunks().0.iter().map(|&id| u32::from_le_bytes(id))
    }
}
