//! What a call gives that both faces have.

use core::ffi::c_char;

/// Bytes of a class's name at most, its zero byte among them.
pub const HS_LABEL_BYTES: usize = 65;

/// The answer to one sample.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The most probable class, also where it is unknown. Empty where the pack answers a class for each place.
    pub label: [c_char; HS_LABEL_BYTES],
    /// Whether the probability is below the head's threshold: the sample is of none of the classes, or hard to tell.
    pub unknown: bool,
    /// The class's number, in the order in which classes were learned.
    pub class_index: u16,
    /// The probability of that class, 0 to 1.
    pub probability: f32,
}

/// What a pack takes as input.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// Rows of the model's input.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// Channels: 1 or 3 where pictures are fed.
    pub channels: u32,
    /// Whether the model's own order is `[channels][height][width]` instead of `[height][width][channels]`.
    pub channels_first: bool,
}

/// A name with its zero byte; longer ones, which no head has, are cut.
pub(crate) fn name(label: &str) -> [c_char; HS_LABEL_BYTES] {
    let mut name = [0; HS_LABEL_BYTES];
    for (to, from) in name.iter_mut().zip(label.bytes().take(HS_LABEL_BYTES - 1)) {
        *to = from as c_char;
    }
    name
}
