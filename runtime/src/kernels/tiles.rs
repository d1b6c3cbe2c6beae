//! Convolutions as products of tiles: the part that all fast kernels share.
//!
//! A tile is a few output pixels. The inputs that each of them reads are laid out as one row of
//! products ([`Tile::prepare`]), once; then every panel of 32 output channels is multiplied,
//! requantised and stored while its sums are in registers ([`Tile::run`]).
#![allow(unsafe_code, reason = "kernels read and write through pointers that this driver bounds")]

use core::mem::MaybeUninit;

use super::generic::{Convolution, Output};
use crate::backbone::{BLOCK, QUAD, WeightRows};

/// Output channels of a panel.
pub(super) const PANEL: usize = 2 * BLOCK;

/// Output channels whose biases are made ready together.
const CHUNK: usize = 1024;

/// Bytes of an input row that fit where several rows stand side by side: 512 channels of a 3 × 3
/// kernel, and room for a vector that is written past the end.
pub(super) const ROW: usize = 512 * 9 + 128;

/// Bytes of the longest row, of 2^16 products.
pub(super) const LONGEST: usize = (1 << 16) + 64;

/// Channels of a panel and the pixels of a tile.
#[derive(Debug)]
pub(super) struct Panel<'a> {
    /// Prepared rows of `quads` quads, [`Tile::STRIDE`] bytes apart.
    pub(super) rows: *const u8,
    /// Number of rows, at most [`Tile::PIXELS`].
    pub(super) pixels: usize,
    /// Groups of four products.
    pub(super) quads: usize,
    /// Weights of the panel's blocks: `quads` of one block, then of the next.
    pub(super) weights: &'a [i8],
    /// Output channels, 1 to [`PANEL`].
    pub(super) channels: usize,
    /// A bias for each of [`PANEL`] channels, what [`Tile::correct`] adds included.
    pub(super) bias: &'a [i32],
    /// A multiplier for each of them.
    pub(super) multiplier: &'a [f32],
    /// How results are rounded.
    pub(super) to: &'a Output,
    /// Where the first pixel's first channel goes; pixels are `out_stride` bytes apart.
    pub(super) out: *mut i8,
    /// Bytes from one pixel to the next.
    pub(super) out_stride: usize,
}

impl Panel<'_> {
    /// Channels that block 0 or 1 of the panel has room for; 0 if there is no such block.
    #[inline(always)]
    pub(super) fn width(&self, block: usize) -> usize {
        WeightRows { outputs: self.channels, products: 0 }.width(block)
    }
}

/// What an instruction set brings to a convolution.
pub(super) trait Tile: Copy {
    /// Most pixels of a tile.
    const PIXELS: usize;
    /// Bytes that stand for one input in a prepared row.
    const WIDTH: usize;
    /// Bytes from one prepared row to the next.
    const STRIDE: usize = ROW * Self::WIDTH;

    /// Whether `bytes` of scratch memory hold a tile's prepared rows.
    fn fits(bytes: usize) -> bool {
        bytes >= Self::PIXELS * Self::STRIDE && bytes >= LONGEST * Self::WIDTH
    }

    /// Makes `pixels` rows of `quads · 4` inputs, `stride` bytes apart, ready for [`run`](Self::run).
    ///
    /// # Safety
    /// `from` is readable for these rows, `to` writable for as many rows, [`STRIDE`](Self::STRIDE)
    /// bytes apart, and 64 bytes more.
    unsafe fn prepare(
        self,
        from: *const i8,
        stride: usize,
        pixels: usize,
        quads: usize,
        to: *mut u8,
    );

    /// What a block's biases must have added because of how rows are prepared. `weights` is a block
    /// of `width` channels.
    fn correct(self, weights: &[i8], width: usize, bias: &mut [i32]);

    /// Multiplies, requantises and stores one panel.
    ///
    /// # Safety
    /// `rows` holds what the panel says, prepared by this instruction set; `out` is writable for
    /// `channels` bytes of every pixel.
    unsafe fn run(self, panel: &Panel<'_>);
}

/// Memory that a convolution works in.
#[derive(Debug)]
pub(super) struct Scratch<const ROWS: usize> {
    /// Rows as the kernel reads them.
    rows: Lines<ROWS>,
    /// Inputs that were gathered for a tile.
    patches: Lines<{ 14 * ROW }>,
}

#[derive(Debug)]
#[repr(align(64))]
struct Lines<const N: usize>([MaybeUninit<u8>; N]);

impl<const ROWS: usize> Scratch<ROWS> {
    /// Nothing is written: what is read was written first.
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self {
            rows: Lines([const { MaybeUninit::uninit() }; ROWS]),
            patches: Lines([const { MaybeUninit::uninit() }; 14 * ROW]),
        }
    }
}

const _: () = assert!(14 * ROW >= LONGEST, "a row of the most products fits");

/// Biases and multipliers of up to [`CHUNK`] channels, and a panel's worth of room behind them.
struct Ready {
    bias: [i32; CHUNK + PANEL],
    multiplier: [f32; CHUNK + PANEL],
}

/// A convolution of the output pixels from `first` on that `out` holds.
pub(super) fn conv<T: Tile, const ROWS: usize>(
    isa: T,
    c: &Convolution<'_>,
    first: usize,
    out: &mut [i8],
    scratch: &mut Scratch<ROWS>,
) {
    let rows = c.weight_rows();
    let group_bytes = rows.bytes().unwrap_or(0);
    let stride = rows.quads() * QUAD;
    assert!(stride + 64 <= LONGEST && T::fits(ROWS), "a pack holds at most 2^16 products");
    let most = if stride + 64 <= ROW { T::PIXELS } else { 1 };
    let mut ready = Ready { bias: [0; CHUNK + PANEL], multiplier: [0.0; CHUNK + PANEL] };
    let block_bytes = stride * BLOCK;
    let pixels = out.len() / c.to.channels;
    for group in 0..c.groups {
        let weights = &c.weights[group * group_bytes..][..group_bytes];
        let first_output = group * rows.outputs;
        for chunk in (0..rows.outputs).step_by(CHUNK) {
            let channels = (rows.outputs - chunk).min(CHUNK);
            let weights = &weights[chunk / BLOCK * block_bytes..];
            make_ready(isa, c, first_output + chunk, channels, weights, stride, &mut ready);
            let mut done = 0;
            while done < pixels {
                let count = (pixels - done).min(most);
                gather(isa, c, first + done, count, group, scratch);
                for panel in (0..channels).step_by(PANEL) {
                    let at = done * c.to.channels + first_output + chunk + panel;
                    let end = at + (count - 1) * c.to.channels + (channels - panel).min(PANEL);
                    let results = &mut out[at..end];
                    let panel = Panel {
                        rows: scratch.rows.0.as_ptr().cast(),
                        pixels: count,
                        quads: rows.quads(),
                        weights: &weights[panel / BLOCK * block_bytes..],
                        channels: (channels - panel).min(PANEL),
                        bias: &ready.bias[panel..][..PANEL],
                        multiplier: &ready.multiplier[panel..][..PANEL],
                        to: &c.to,
                        out: results.as_mut_ptr(),
                        out_stride: c.to.channels,
                    };
                    // SAFETY: `gather` prepared `count` rows; `results` reaches from the first
                    // pixel's first channel to the last pixel's last one.
                    unsafe { isa.run(&panel) };
                }
                done += count;
            }
        }
    }
}

fn make_ready<T: Tile>(
    isa: T,
    c: &Convolution<'_>,
    first: usize,
    channels: usize,
    weights: &[i8],
    stride: usize,
    ready: &mut Ready,
) {
    let records = &c.channels.records()[first..][..channels];
    for (index, &[a, b, c, d, e, f, g, h]) in records.iter().enumerate() {
        ready.bias[index] = i32::from_le_bytes([a, b, c, d]);
        ready.multiplier[index] = f32::from_le_bytes([e, f, g, h]);
    }
    let blocks = WeightRows { outputs: channels, products: stride };
    for block in 0..channels.div_ceil(BLOCK) {
        let width = blocks.width(block);
        let weights = &weights[block * BLOCK * stride..][..width * stride];
        isa.correct(weights, width, &mut ready.bias[block * BLOCK..][..BLOCK]);
    }
}

/// Lays the inputs of `count` output pixels out as rows and prepares them.
fn gather<T: Tile, const ROWS: usize>(
    isa: T,
    c: &Convolution<'_>,
    first: usize,
    count: usize,
    group: usize,
    scratch: &mut Scratch<ROWS>,
) {
    let rows = c.weight_rows();
    let (quads, window) = (rows.quads(), c.window);
    let to = scratch.rows.0.as_mut_ptr().cast();
    let point = window.kernel == [1, 1] && window.stride == [1, 1] && window.padding == [0, 0];
    if point && c.groups == 1 && c.x.channels == quads * QUAD {
        let from = &c.x.data[first * c.x.channels..][..count * c.x.channels];
        // SAFETY: `from` holds `count` rows; `conv` checked that as many fit in `rows`.
        unsafe { isa.prepare(from.as_ptr(), c.x.channels, count, quads, to) };
        return;
    }
    let stride = quads * QUAD;
    let patches: *mut i8 = scratch.patches.0.as_mut_ptr().cast();
    for (at, index) in (first..first + count).enumerate() {
        // SAFETY: `conv` checked that `count` patches of `stride` bytes fit, and 64 bytes more.
        unsafe { patch(c, index, group, stride, patches.add(at * stride)) };
    }
    // SAFETY: the loop above wrote `count` patches of `stride` bytes.
    unsafe { isa.prepare(patches, stride, count, quads, to) };
}

/// Writes what output pixel `index` reads, `[row][column][channel]`, filled up to `stride` bytes.
///
/// # Safety
/// `to` is writable for `stride` bytes and 64 more.
#[inline(always)]
unsafe fn patch(c: &Convolution<'_>, index: usize, group: usize, stride: usize, to: *mut i8) {
    let (window, depth) = (c.window, c.x.channels / c.groups);
    let (row, column) = (index / c.to.width, index % c.to.width);
    let rows = window.inside(0, row, c.x.height);
    let columns = window.inside(1, column, c.x.width);
    let [kernel_height, kernel_width] = window.kernel.map(usize::from);
    let joined = c.groups == 1 && window.dilation[1] == 1;
    let products = kernel_height * kernel_width * depth;
    let whole = rows.len() * columns.len() == kernel_height * kernel_width;
    if !whole {
        // SAFETY: `products` is at most `stride`.
        unsafe { to.write_bytes(c.x.zero_point.cast_unsigned(), products) };
    }
    let runs = if joined { columns.len().min(1) } else { columns.len() };
    let length = if joined { columns.len() * depth } else { depth };
    for ky in rows {
        let line = window.position(0, row, ky) * c.x.width;
        for kx in columns.start..columns.start + runs {
            let pixel = line + window.position(1, column, kx);
            let source = &c.x.data[pixel * c.x.channels + group * depth..];
            let at = (ky * kernel_width + kx) * depth;
            // SAFETY: the run ends at `products`, at most `stride`; where the whole window lies
            // inside, what is written past its end is written again or lies in the 64 bytes.
            unsafe { copy(source, length, whole, to.add(at)) };
        }
    }
    for at in products..stride {
        // SAFETY: `at` is below `stride`.
        unsafe { to.add(at).write(0) };
    }
}

/// Copies `length` bytes; with `loose`, up to 15 more where the source has them: short runs are
/// then a vector move and no call.
///
/// # Safety
/// `to` is writable for `length` bytes, and with `loose` for 15 more.
#[inline(always)]
unsafe fn copy(source: &[i8], length: usize, loose: bool, to: *mut i8) {
    let whole = length.next_multiple_of(16);
    if loose && length <= 256 && whole <= source.len() {
        for (at, run) in source[..whole].as_chunks::<16>().0.iter().enumerate() {
            // SAFETY: `at · 16` is below `length`.
            unsafe { to.add(at * 16).cast::<[i8; 16]>().write_unaligned(*run) };
        }
    } else {
        let source = &source[..length];
        // SAFETY: both are `length` bytes; `to` is scratch memory, which no operand lies in.
        unsafe { to.copy_from_nonoverlapping(source.as_ptr(), length) };
    }
}
