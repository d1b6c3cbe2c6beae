//! The definition of every int8 operator, in portable code.

mod activation;
mod arrange;
mod binary;
mod conv;
mod depthwise;
mod pool;
mod softmax;
mod table;

pub use activation::{Activation, Curve, Points, activation};
#[cfg(feature = "std")]
pub(in crate::kernels) use activation::{factors, hard_swish};
pub use arrange::{concat, pad, permute};
pub use binary::{Term, add, binary};
pub use conv::conv;
pub use depthwise::depthwise;
pub use pool::{Mean, max_pool, mean};
#[cfg(feature = "burn")]
pub(crate) use pool::{bin, counted};
pub use softmax::softmax;
#[cfg(feature = "std")]
pub(in crate::kernels) use table::entry;
pub use table::{Table, look_up};

use crate::network::{ChannelRecords, WeightRows, Window};

/// An operand: `[height, width, channels]`, int8, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// The elements, exactly `height · width · channels` of them.
    pub data: &'a [i8],
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
    /// Number of channels.
    pub channels: usize,
    /// The integer that stands for 0.
    pub zero_point: i8,
}

/// Extents of a result, and how it is rounded to int8.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
    /// Number of channels.
    pub channels: usize,
    /// The integer that stands for 0.
    pub zero_point: i8,
    /// Least integer of the result.
    pub min: i8,
    /// Greatest integer of the result.
    pub max: i8,
}

impl Output {
    /// Rounds a real number to the result's int8: `clamp(rne(real) + zero point, min, max)`, `rne` being round to nearest, ties to even.
    ///
    /// The bounds are integers, so clamping first gives the same result; then the sum with
    /// 1.5 · 2^23 leaves the rounded integer in the low bits of the mantissa. This is exact in any
    /// IEEE 754 arithmetic, with or without a rounding instruction. Not a number gives `min`.
    // Once in firmware, and not in every loop.
    #[cfg_attr(feature = "std", inline(always))]
    #[cfg_attr(not(feature = "std"), inline(never))]
    #[must_use]
    pub fn quantise(&self, real: f32) -> i8 {
        const MAGIC: f32 = 12_582_912.0;
        let zero_point = i32::from(self.zero_point);
        let low = (i32::from(self.min) - zero_point) as f32;
        let high = (i32::from(self.max) - zero_point) as f32;
        // Not `max` and `min`: they are calls on a CPU without such instructions, and more than one instruction on most.
        let real = if real > low { real } else { low };
        let real = if real < high { real } else { high };
        let rounded = (real + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits());
        (rounded as i32).wrapping_add(zero_point) as i8
    }
}

/// A convolution to compute: what it reads, and how its sums become int8.
#[derive(Clone, Copy, Debug)]
pub struct Convolution<'a> {
    /// The operand.
    pub x: Tensor<'a>,
    /// Where the kernel reads.
    pub window: &'a Window,
    /// Channel groups; as many as channels for a depthwise convolution.
    pub groups: usize,
    /// The weights as they lie in the pack, no more and no fewer.
    pub weights: &'a [i8],
    /// Bias and multiplier of every output channel.
    pub channels: ChannelRecords<'a>,
    /// Extents and rounding of the result.
    pub to: Output,
}

impl Convolution<'_> {
    /// The layout of one group's weights; not for a depthwise convolution.
    #[inline(always)]
    #[must_use]
    pub fn weight_rows(&self) -> WeightRows {
        let taps = usize::from(self.window.kernel[0]) * usize::from(self.window.kernel[1]);
        WeightRows {
            outputs: self.to.channels / self.groups,
            products: taps * (self.x.channels / self.groups),
        }
    }
}

/// `clamp(rne(f32(sum + bias) · multiplier) + zero point)` of neighbouring channels.
#[cfg_attr(feature = "std", inline(always))]
#[cfg_attr(not(feature = "std"), inline(never))]
fn finish(sums: &[i32], channels: &[[u8; 8]], to: &Output, results: &mut [i8]) {
    for ((result, &sum), record) in results.iter_mut().zip(sums).zip(channels) {
        let [a, b, c, d, e, f, g, h] = *record;
        let bias = i32::from_le_bytes([a, b, c, d]);
        let multiplier = f32::from_le_bytes([e, f, g, h]);
        *result = to.quantise(sum.wrapping_add(bias) as f32 * multiplier);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_nearest_even_and_clamped() {
        let output =
            Output { height: 1, width: 1, channels: 1, zero_point: 3, min: -128, max: 127 };
        let cases = [(0.5, 3), (1.5, 5), (2.5, 5), (-0.5, 3), (-1.5, 1), (1e30, 127)];
        for (real, expected) in cases {
            assert_eq!(output.quantise(real), expected, "{real}");
        }
        assert_eq!(output.quantise(f32::NEG_INFINITY), -128);
        assert_eq!(output.quantise(f32::NAN), -128);
        let relu = Output { min: 3, max: 100, ..output };
        assert_eq!([relu.quantise(-5.0), relu.quantise(99.0)], [3, 100]);
    }
}
