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
#[cfg(not(headstart_dsp))]
mod portable;

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

/// Takes results that were saturated into their bounds.
#[allow(unsafe_code, reason = "the inner loop takes pointers that this bounds")]
fn clamp(to: &Output, results: &mut [i8]) {
    if to.min == i8::MIN && to.max == i8::MAX {
        return;
    }
    if let Some(last) = results.len().checked_sub(4) {
        // SAFETY: the last word of the results is there.
        unsafe { inner::clamp(results.as_mut_ptr(), last, to.min, to.max) };
    } else {
        results.iter_mut().for_each(|result| *result = (*result).max(to.min).min(to.max));
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
    zero_point: i32,
    /// Bytes from one quad of a channel to the next: four times the block's width.
    step: usize,
}

/// Rows of bytes that are put one behind the other, for pixel after pixel. Whole words are read and written: up to three bytes more than
/// there are.
#[derive(Debug)]
#[repr(C)]
struct Rows {
    from: *const i8,
    to: *mut i8,
    /// Bytes of a row, at least one.
    length: usize,
    /// Bytes from the start of a row to that of the next.
    line: usize,
    /// Rows, at least one.
    rows: usize,
    /// Pixels, at least one.
    pixels: usize,
    /// Bytes from a pixel's first row to the next one's.
    step: usize,
    /// Bytes from where a pixel goes to where the next one does.
    patch: usize,
}

/// Rows of outputs of four channels of a 3 × 3 depthwise kernel.
#[derive(Debug)]
#[repr(C)]
struct Band {
    /// Input columns in pairs: `[pair][row][channel]`, a word of two int16 each.
    columns: *const u32,
    /// For each channel [`WEIGHT_WORDS`] words: `(w0, w1)` and `(w1, w2)` of each kernel row in turn.
    weights: *const u32,
    records: *const [u8; 8],
    out: *mut i8,
    /// Bytes from one pixel to the next; a row's first follows on the last of the row before.
    out_stride: usize,
    /// Outputs of a row, at least one.
    pixels: usize,
    zero_point: i32,
    /// Rows of outputs, at least one.
    rows: usize,
    /// Bytes from one pair of columns to the next.
    pitch: usize,
}

/// Words of a channel's weights: two for each kernel row.
const WEIGHT_WORDS: usize = 6;

/// Input columns of four channels that are paired and widened.
#[derive(Debug)]
#[repr(C)]
struct Columns {
    /// First column inside the input.
    from: *const i8,
    /// Bytes from one column to the next.
    step: usize,
    /// Where the first row's first pair goes; rows are four words apart.
    to: *mut u32,
    /// 1 if the first pair is padding and column 0.
    left: usize,
    /// Pairs of columns.
    pairs: usize,
    /// 1 if a last pair is the last column and padding.
    right: usize,
    /// The zero point, four times.
    padding: u32,
    /// Bytes from one pair to the next.
    pitch: usize,
    /// Bytes from one input row to the next.
    line: usize,
    /// Input rows, at least one.
    rows: usize,
}

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
    zero_point: i32,
}
