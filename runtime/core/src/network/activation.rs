use serde::{Deserialize, Serialize};

use super::ValueId;

/// Intervals of the lines of [`Curve::Lines`].
pub const LINES: usize = 1024;
/// Bytes of the points of [`Curve::Lines`].
pub const LINES_BYTES: usize = (LINES + 1) * 4;
/// Bytes of a channel's factors.
pub const FACTOR_BYTES: usize = 8;

/// A function of each element, of real numbers, with factors a channel before and behind it: `clamp(rne(f(f32(q − zero point) · inner) ·
/// outer) + zero point, −128, 127)`, in float32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Activation {
    /// The value that the node reads.
    pub input: ValueId,
    /// First byte in `TABL` of the channels' factors: inner and outer, float32, eight bytes a channel, at most 10^12 in magnitude.
    pub factors: u32,
    /// The function.
    pub curve: Curve,
}

/// The function `f` of an [`Activation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Curve {
    /// `u · min(max(u + 0.5, 0), 1)`: hard-swish for inner factors of a sixth, and outer ones of six.
    HardSwish,
    /// Lines between points: with `t = u + 512` and `i = ⌊t⌋`, at least 0 and at most 1023, `p[i] + (p[i + 1] − p[i]) · (t − i)`. The outermost
    /// lines go on.
    Lines {
        /// First byte in `TABL` of the 1025 points, float32, at most 10^12 in magnitude: the results for `u` of −512, −511 … 512.
        points: u32,
    },
}
