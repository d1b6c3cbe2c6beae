//! Cortex-M with Helium, the M-profile vector extension, with floats: M55 and M85.
//!
//! Sixteen products are summed by one `VMLADAVA`; four sums are scaled and rounded in lanes. The inner loops are written in assembly
//! ([`asm`]), since there are no intrinsics; [`portable`] states what each of them does, and stands in for them where the drivers are
//! tested on another machine.

mod add;
#[cfg(headstart_helium)]
mod asm;
mod conv;
mod depthwise;
mod lay;
#[cfg(not(headstart_helium))]
mod portable;

#[cfg(headstart_helium)]
use asm as inner;
#[cfg(not(headstart_helium))]
use portable as inner;

use super::generic::{Convolution, Output, Term};

/// Proof that the build's target has these instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Helium(());

impl Helium {
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

/// Bytes of a vector.
const VECTOR: usize = 16;

/// How sums become int8.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Rounding {
    zero_point: i32,
    min: i32,
    max: i32,
}

impl Rounding {
    fn new(to: &Output) -> Self {
        Self { zero_point: to.zero_point.into(), min: to.min.into(), max: to.max.into() }
    }
}

/// Up to four pixels by all output channels of a row of weight blocks.
///
/// Inputs stand by vectors: for each, 16 bytes of every pixel of the tile in turn. What stands behind the last product of a pixel
/// counts for nothing.
#[derive(Debug)]
#[repr(C)]
struct Tile {
    inputs: *const i8,
    /// Products of a channel, in fours; at least one.
    quads: usize,
    /// Aligned to 4 bytes.
    weights: *const i8,
    /// Bias and multiplier of each channel, aligned to 4 bytes.
    records: *const [u8; 8],
    /// Where the first pixel's first channel goes.
    out: *mut i8,
    /// Bytes from one pixel to the next.
    out_stride: usize,
    /// Channels: whole blocks of 16, or fewer than one has.
    channels: usize,
    zero_point: i32,
    /// Bytes from one quad of a channel to the next: four times the block's width.
    step: usize,
    min: i32,
    max: i32,
    /// Pixels that are stored, no more than the tile has room for.
    pixels: usize,
}

/// Pixels of up to 16 products by up to four output channels.
#[derive(Debug)]
#[repr(C)]
struct Points {
    /// Sixteen bytes are read of every pixel.
    inputs: *const i8,
    /// Bytes from one pixel's inputs to the next one's.
    pitch: usize,
    /// At least one.
    pixels: usize,
    /// Products of a channel, in fours: 1 to 4.
    quads: usize,
    /// Aligned to 4 bytes, with four channels in each quad.
    weights: *const i8,
    step: usize,
    records: *const [u8; 8],
    /// Channels, 1 to 4.
    channels: usize,
    out: *mut i8,
    out_stride: usize,
    rounding: Rounding,
}

/// Rows of bytes that are copied in vectors, those of one pixel and then those of the next.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Rows {
    from: *const i8,
    to: *mut i8,
    /// Bytes of a row.
    length: usize,
    /// Bytes from the start of a row to that of the next.
    line: usize,
    /// Rows, at least one.
    rows: usize,
    /// Bytes from where a row's vector goes to where its next one does.
    step: usize,
    /// Bytes from where a row goes to where the next one does.
    advance: usize,
    /// Pixels, at least one.
    pixels: usize,
    /// Bytes from a pixel's first row to the next one's.
    across: usize,
    /// Bytes from where a pixel goes to where the next one does.
    apart: usize,
}

/// Bytes of a channel's nine taps and the zeros around them: from byte 5 on three rows of four, the fourth of which is zero. So the 16
/// bytes from there on are the weights of a patch's first result, those from one byte earlier of the one beside it, and those from four
/// bytes earlier of the one below.
const CELL: usize = 32;

/// Channels of a band.
const CHANNELS: usize = 8;

/// Rows of outputs of eight channels of a 3 × 3 depthwise kernel.
///
/// A channel's plane is columns of strips: strip `s` holds four bytes of each input row in turn, columns 2 s to 2 s + 3.
#[derive(Debug)]
#[repr(C)]
struct Band {
    /// The first channel's strip 0.
    planes: *const i8,
    /// Bytes from one channel's plane to the next.
    plane: usize,
    /// Eight cells.
    cells: *const i8,
    /// Bias and multiplier of each channel, aligned to 4 bytes.
    records: *const [u8; 8],
    out: *mut i8,
    /// Bytes from an output to the one beside it.
    pixel: usize,
    /// Bytes from an output to the one below it.
    line: usize,
    /// Columns of outputs, at least one.
    columns: usize,
    /// Rows of outputs, at least one.
    rows: usize,
    /// Bytes of a strip.
    strip: usize,
    rounding: Rounding,
}

/// Input columns of eight channels that go into strips: each pair into two of them.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Columns {
    /// First column inside the input.
    from: *const i8,
    /// Bytes from one column to the next.
    step: usize,
    /// Strip 0 of the first row, in the first channel's plane. A strip before it and one behind the last are written to.
    to: *mut i8,
    /// 1 if the first pair is padding and column 0.
    left: usize,
    /// Pairs of columns.
    pairs: usize,
    /// 1 if a last pair is the last column and padding.
    right: usize,
    /// The zero point as a byte.
    padding: usize,
    /// Bytes of a strip.
    strip: usize,
    /// Bytes from one input row to the next.
    line: usize,
    /// Input rows, at least one.
    rows: usize,
    /// Bytes from one channel's plane to the next.
    plane: usize,
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
    rounding: Rounding,
}
