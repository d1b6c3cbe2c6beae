//! Cortex-M with the DSP extension: M4, M7, M33, M55.
//!
//! Inputs are widened to pairs of int16 once and multiplied two at a time (`SMLAD`); sums are scaled
//! in the single-precision FPU. The inner loops are written in assembly ([`asm`]), since the DSP
//! intrinsics are not stable; [`portable`] states what each of them does, and stands in for them
//! where the drivers are tested on another machine.

mod add;
#[cfg(headstart_dsp)]
mod asm;
mod conv;
mod depthwise;
#[cfg(headstart_dsp)]
pub(super) mod linear;
#[cfg(not(headstart_dsp))]
mod portable;
mod scratch;
#[cfg(test)]
mod tests;

#[cfg(headstart_dsp)]
use asm as inner;
#[cfg(not(headstart_dsp))]
use portable as inner;

use super::generic::{Convolution, Output, Term};

/// Proof that the build's target has these instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CortexM(());

impl CortexM {
    /// The instructions are there, or emulated: the module is compiled for no other target.
    pub(super) const fn new() -> Option<Self> {
        Some(Self(()))
    }

    /// See [`generic::conv`](super::generic::conv).
    pub(super) fn conv(self, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
        conv::conv(c, first, out);
    }

    /// See [`generic::depthwise`](super::generic::depthwise).
    pub(super) fn depthwise(self, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
        depthwise::depthwise(c, first, out);
    }

    /// See [`generic::add`](super::generic::add).
    pub(super) fn add(self, a: Term<'_>, b: Term<'_>, to: &Output, out: &mut [i8]) {
        add::add(a, b, to, out);
    }
}

/// How sums become results, as the inner loops read it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Rounding {
    zero_point: i32,
    /// Least result, four times.
    low: u32,
    /// Greatest result, four times.
    high: u32,
}

impl Rounding {
    fn new(to: &Output) -> Self {
        let splat = |q: i8| u32::from(q.cast_unsigned()) * 0x0101_0101;
        Self { zero_point: to.zero_point.into(), low: splat(to.min), high: splat(to.max) }
    }

    /// Whether results span all of int8, which saturating alone gives.
    const fn is_whole(&self) -> bool {
        self.low == 0x8080_8080 && self.high == 0x7f7f_7f7f
    }
}

/// A few pixels, laid out and widened, by all output channels of a row of weight blocks.
///
/// Inputs stand by quads: for each, the pixels' even pairs (products 0 and 2, the lower half
/// first), then the pixels' odd pairs (1 and 3).
#[derive(Debug)]
#[repr(C)]
struct Tile {
    rows: *const u32,
    quads: usize,
    weights: *const i8,
    /// Bias and multiplier of each channel, aligned to 4 bytes.
    records: *const [u8; 8],
    /// Where the first pixel's first channel goes.
    out: *mut i8,
    /// Bytes from one pixel to the next.
    out_stride: usize,
    /// Channels, in blocks of `width` each.
    channels: usize,
    to: Rounding,
    /// Bytes from one quad of a channel to the next: four times the block's width.
    step: usize,
}

/// One row of outputs of four channels of a 3 × 3 depthwise kernel.
#[derive(Debug)]
#[repr(C)]
struct Row {
    /// Input columns in pairs: `[pair][slot][channel]`, a word of two int16 each, three slots.
    columns: *const u32,
    /// For each channel [`WEIGHT_WORDS`] words, from the first slot's kernel row on: `(w0, w1)` and
    /// `(w1, w2)` of each slot in turn.
    weights: *const u32,
    records: *const [u8; 8],
    out: *mut i8,
    out_stride: usize,
    /// Outputs, at least one.
    pixels: usize,
    to: Rounding,
}

/// Words of a channel's weights: two for each kernel row, rows 0, 1, 2, 0, 1, so that six words
/// from any of the first three rows on are the kernel in rotation.
const WEIGHT_WORDS: usize = 10;

/// Input columns of four channels that are paired and widened.
#[derive(Debug)]
#[repr(C)]
struct Columns {
    /// First column inside the input.
    from: *const i8,
    /// Bytes from one column to the next.
    step: usize,
    /// Where the first pair goes; pairs are [`PAIR`] words apart.
    to: *mut u32,
    /// 1 if the first pair is padding and column 0.
    left: usize,
    /// Pairs of columns.
    pairs: usize,
    /// 1 if a last pair is the last column and padding.
    right: usize,
    /// The zero point, four times.
    padding: u32,
}

/// Words from one pair of columns to the next: three slots of four channels.
const PAIR: usize = 12;

/// Two operands of equal shape and their sum.
#[derive(Debug)]
#[repr(C)]
struct Sum {
    a: *const i8,
    b: *const i8,
    out: *mut i8,
    count: usize,
    zero_a: i32,
    zero_b: i32,
    scale_a: f32,
    scale_b: f32,
    to: Rounding,
}
