//! A block of a picture, eight samples a side.

/// Samples of a block's side.
pub(super) const SIDE: usize = 8;

/// A block's coefficients, in rows.
pub(super) type Block = [i16; SIDE * SIDE];
