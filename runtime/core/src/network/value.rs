//! The value table: where each tensor lies in the arena, and what its integers mean.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]

use crate::Error;
use crate::checked::array;

/// Bytes of one entry.
pub(crate) const VALUE_BYTES: usize = 24;

/// Largest extent of one dimension.
pub const MAX_EXTENT: u32 = 1 << 20;

/// Most elements of one tensor.
pub const MAX_ELEMENTS: u32 = 1 << 28;

/// An int8 tensor `[height, width, channels]`, row-major: real value = (q − zero point) · scale.
///
/// ```text
/// 0  4  offset in the arena
/// 4  4  height
/// 8  4  width
/// 12 4  channels
/// 16 4  scale, float32, finite and positive
/// 20 1  zero point
/// 21 1  zero
/// 22 2  rows that are kept at a time, 0: all
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Value {
    /// First byte of the tensor in the arena.
    pub offset: u32,
    /// Number of rows.
    pub height: u32,
    /// Number of columns.
    pub width: u32,
    /// Number of channels.
    pub channels: u32,
    /// Real value of one step.
    pub scale: f32,
    /// The integer that stands for 0.
    pub zero_point: i8,
    /// Rows that are in the arena at a time: the tensor is made and read in strips; 0 for all.
    pub kept_rows: u16,
}

impl Value {
    /// The number of elements, which is also that of bytes.
    #[must_use]
    pub fn elements(&self) -> u32 {
        self.height.saturating_mul(self.width).saturating_mul(self.channels)
    }

    /// How many rows are kept in the arena.
    #[must_use]
    pub fn rows(&self) -> u32 {
        if self.kept_rows == 0 { self.height } else { u32::from(self.kept_rows) }
    }

    /// Bytes of a row.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        (self.width as usize).saturating_mul(self.channels as usize)
    }

    /// The bytes of the arena that the tensor takes.
    // Once in firmware, and not in every place that asks: 850 bytes of code less.
    #[must_use]
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn range(&self) -> core::ops::Range<usize> {
        let bytes = self.rows().saturating_mul(self.width).saturating_mul(self.channels);
        self.offset as usize..self.offset.saturating_add(bytes) as usize
    }

    /// Whether two values have the same extents.
    #[must_use]
    pub fn same_shape(&self, other: &Self) -> bool {
        (self.height, self.width, self.channels) == (other.height, other.width, other.channels)
    }

    /// Entry `index` of the table, its limits checked.
    pub(crate) fn parse(table: &[u8], index: u32) -> Result<Self, Error> {
        let bad = Error::BadValue { index };
        let start = (index as usize).checked_mul(VALUE_BYTES).ok_or(bad)?;
        let end = start.checked_add(VALUE_BYTES).ok_or(bad)?;
        let entry = table.get(start..end).ok_or(bad)?;
        let word = |at| array(entry, at).map(u32::from_le_bytes);
        let [zero_point, zero, kept_rows @ ..] = array::<4>(entry, 20)?;
        let value = Self {
            offset: word(0)?,
            height: word(4)?,
            width: word(8)?,
            channels: word(12)?,
            scale: f32::from_le_bytes(array(entry, 16)?),
            zero_point: zero_point.cast_signed(),
            kept_rows: u16::from_le_bytes(kept_rows),
        };
        let extents = [value.height, value.width, value.channels];
        let elements = extents.iter().try_fold(1_u32, |n, &e| n.checked_mul(e)).ok_or(bad)?;
        let sound = extents.iter().all(|&e| (1..=MAX_EXTENT).contains(&e))
            && elements <= MAX_ELEMENTS
            && value.offset.checked_add(elements).is_some()
            && value.scale.is_finite()
            && value.scale > 0.0
            && u32::from(value.kept_rows) < value.height
            && zero == 0;
        if sound { Ok(value) } else { Err(bad) }
    }

    #[cfg(feature = "std")]
    pub(crate) fn emit(&self, table: &mut std::vec::Vec<u8>) {
        for word in [self.offset, self.height, self.width, self.channels] {
            table.extend_from_slice(&word.to_le_bytes());
        }
        table.extend_from_slice(&self.scale.to_le_bytes());
        table.extend_from_slice(&[self.zero_point.cast_unsigned(), 0]);
        table.extend_from_slice(&self.kept_rows.to_le_bytes());
    }
}
