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
    /// Not a number gives `min`.
    // Once in firmware, and not in every loop.
    #[cfg_attr(feature = "std", inline(always))]
    #[cfg_attr(not(feature = "std"), inline(never))]
    #[must_use]
    pub fn quantise(&self, real: f32) -> i8 {
        if cfg!(any(feature = "std", headstart_dsp)) {
            self.round_float(real)
        } else {
            self.round_bits(real)
        }
    }

    /// The bounds are integers, so clamping first gives the same result; then the sum with
    /// 1.5 · 2^23 leaves the rounded integer in the low bits of the mantissa. This is exact in any
    /// IEEE 754 arithmetic, with or without a rounding instruction.
    #[inline(always)]
    fn round_float(&self, real: f32) -> i8 {
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

    /// The same for a core whose floats are calls: the integer and what is left of it stand in the mantissa.
    #[inline(always)]
    fn round_bits(&self, real: f32) -> i8 {
        const LARGE: u32 = 512_f32.to_bits();
        let (bits, negative) = (real.to_bits() & 0x7fff_ffff, real.is_sign_negative());
        let [min, max] = [self.min, self.max].map(i32::from);
        if bits >= LARGE {
            // So far that no zero point brings it back.
            let past = bits > f32::INFINITY.to_bits() || negative;
            return if past { self.min } else { self.max };
        }
        // A number below 512 has at least 15 bits behind the integer; one below a quarter is 0.
        let behind = 150 - (bits >> 23);
        let mut integer = 0;
        if behind < 32 {
            let mantissa = bits & 0x007f_ffff | 0x0080_0000;
            let (whole, rest) = (mantissa >> behind, mantissa << (32 - behind));
            let up = rest > 1 << 31 || (rest == 1 << 31 && whole & 1 == 1);
            integer = (whole + u32::from(up)) as i32;
        }
        let result = if negative { -integer } else { integer } + i32::from(self.zero_point);
        result.max(min).min(max) as i8
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

    #[test]
    fn rounding_in_bits_is_rounding_in_floats() {
        let mut output =
            Output { height: 1, width: 1, channels: 1, zero_point: 0, min: -128, max: 127 };
        let mut check = |real: f32| {
            for (zero_point, min, max) in [(0, -128, 127), (-128, -128, 127), (127, -120, 126)] {
                (output.zero_point, output.min, output.max) = (zero_point, min, max);
                for real in [real, -real] {
                    assert_eq!(output.round_bits(real), output.round_float(real), "{real}");
                }
            }
        };
        // Everything near an integer or a half, and one number in some thousand of all others.
        for quarter in 0..4_000_i16 {
            let real = f32::from(quarter) / 4.0;
            check(real);
            check(real.next_up());
            check(real.next_down());
        }
        (0..=u32::MAX).step_by(4_093).map(f32::from_bits).for_each(check);
    }
}
