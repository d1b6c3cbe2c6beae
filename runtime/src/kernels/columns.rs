//! Depthwise convolutions by columns: the part that all fast kernels share.
//!
//! Neighbouring output pixels of a row read overlapping columns of the input. A tile of them is
//! computed at once: each input column is loaded and interleaved by rows once, and multiplied into
//! every output that it belongs to. Square kernels of 3 and 5, strides 1 and 2; everything else
//! runs the portable loops.
#![allow(unsafe_code, reason = "kernels read and write through pointers that this driver bounds")]

use core::mem::MaybeUninit;
use core::ops::Range;

use super::generic::{self, Convolution, Output};

/// Rows of the largest kernel, rounded up to a multiple of four.
pub(super) const KERNEL: usize = 8;

/// Channels whose weights are made ready together.
const CHUNK: usize = 256;

/// Bytes that weights, biases and multipliers of one block take when ready, at most.
pub(super) const BLOCK_BYTES: usize = 1536;

/// Least channels of a block.
const LEAST_BLOCK: usize = 16;

/// A tile: neighbouring output pixels of one row, one block of channels.
#[derive(Debug)]
pub(super) struct Run<'a> {
    /// Extent of the kernel, 3 or 5.
    pub(super) kernel: usize,
    /// 1 or 2.
    pub(super) stride: usize,
    /// Each kernel row's input row at column 0 and the block's first channel.
    pub(super) rows: [*const i8; KERNEL],
    /// Whether that row lies inside the input.
    pub(super) inside: [bool; KERNEL],
    /// Column of the input that the first pixel's first tap reads; it may lie outside.
    pub(super) column: isize,
    /// Columns of the input.
    pub(super) width: usize,
    /// Whether every row and column that the tile reads lies inside.
    pub(super) whole: bool,
    /// Channels of the tensor: bytes from one pixel to the next.
    pub(super) step: usize,
    /// Channels of the block, at most [`Columns::CHANNELS`].
    pub(super) channels: usize,
    /// What [`Columns::prepare`] wrote.
    pub(super) block: *const u8,
    /// What padding reads.
    pub(super) zero_point: i8,
    /// How results are rounded.
    pub(super) to: &'a Output,
    /// Where the first pixel's first channel goes.
    pub(super) out: *mut i8,
}

/// What an instruction set brings to a depthwise convolution.
pub(super) trait Columns: Copy {
    /// Channels of a block, at least 16.
    const CHANNELS: usize;
    /// Sizes of tiles, in pixels, the preferred first; the last one is 1.
    const TILES: &'static [usize];

    /// Makes a block's weights, biases and multipliers ready.
    ///
    /// # Safety
    /// `weights` is readable at `tap · step` for `channels` bytes and every tap; `block` is
    /// writable for [`BLOCK_BYTES`] and aligned to 64 bytes.
    unsafe fn prepare(
        self,
        weights: *const i8,
        kernel: usize,
        step: usize,
        records: &[[u8; 8]],
        block: *mut u8,
    );

    /// Computes `pixels`, one of [`TILES`](Self::TILES).
    ///
    /// # Safety
    /// Input rows and columns are readable, and `out` writable, as the run says.
    unsafe fn run(self, run: &Run<'_>, pixels: usize);

    /// Runs portable code compiled for the instruction set.
    fn portable(self, work: impl FnOnce());
}

#[repr(align(64))]
struct Blocks([MaybeUninit<u8>; CHUNK / LEAST_BLOCK * BLOCK_BYTES]);

/// A depthwise convolution of the output pixels from `first` on that `out` holds.
pub(super) fn depthwise<T: Columns>(isa: T, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
    let window = c.window;
    let square = matches!(window.kernel, [3, 3] | [5, 5]);
    let stride = window.stride[0];
    if !square || window.dilation != [1, 1] || window.stride[1] != stride || stride > 2 {
        return isa.portable(|| generic::depthwise(c, first, out));
    }
    let mut blocks = Blocks([const { MaybeUninit::uninit() }; CHUNK / LEAST_BLOCK * BLOCK_BYTES]);
    let blocks: *mut u8 = blocks.0.as_mut_ptr().cast();
    let channels = c.x.channels;
    let records = c.channels.records();
    let kernel = usize::from(window.kernel[0]);
    let pixels = first..first + out.len() / channels;
    for chunk in (0..channels).step_by(CHUNK) {
        let end = (chunk + CHUNK).min(channels);
        for (index, start) in (chunk..end).step_by(T::CHANNELS).enumerate() {
            let block_end = (start + T::CHANNELS).min(end);
            let weights = &c.weights[start..(kernel * kernel - 1) * channels + block_end];
            let records = &records[start..block_end];
            // SAFETY: the slice reaches from the first tap's first channel to the last one's last;
            // there are as many blocks in a chunk as `Blocks` has room for.
            unsafe {
                let block = blocks.add(index * BLOCK_BYTES);
                isa.prepare(weights.as_ptr(), kernel, channels, records, block);
            }
        }
        for row in pixels.start / c.to.width..pixels.end.div_ceil(c.to.width) {
            let row = Row::new::<T>(c, row, &pixels);
            for (index, start) in (chunk..end).step_by(T::CHANNELS).enumerate() {
                let block = blocks.wrapping_add(index * BLOCK_BYTES);
                row.run(isa, start..(start + T::CHANNELS).min(end), block, out);
            }
        }
    }
}

/// One row of the output, or what is asked for of it: the same for all blocks of channels.
struct Row<'a> {
    c: &'a Convolution<'a>,
    /// Number, in `out`, of the pixel that stands in column 0; negative if the row begins before.
    start: isize,
    columns: Range<usize>,
    /// Pixels of a tile.
    tile: usize,
    /// First element of the input row that each row of the kernel reads.
    lines: [usize; KERNEL],
    inside: [bool; KERNEL],
}

impl<'a> Row<'a> {
    /// Row `row` of the result, as far as `pixels` holds it.
    fn new<T: Columns>(c: &'a Convolution<'a>, row: usize, pixels: &Range<usize>) -> Self {
        let (x, window) = (&c.x, c.window);
        let row_start = row * c.to.width;
        let columns = pixels.start.max(row_start) - row_start
            ..pixels.end.min(row_start + c.to.width) - row_start;
        let rows_inside = window.inside(0, row, x.height);
        let (mut lines, mut inside) = ([0; KERNEL], [false; KERNEL]);
        for ky in rows_inside {
            inside[ky] = true;
            lines[ky] = window.position(0, row, ky) * x.width * x.channels;
        }
        let start = row_start.cast_signed() - pixels.start.cast_signed();
        Self { c, start, tile: tile_size(T::TILES, columns.len()), columns, lines, inside }
    }

    /// Computes one block of channels.
    #[inline(always)]
    fn run<T: Columns>(&self, isa: T, channels: Range<usize>, block: *const u8, out: &mut [i8]) {
        let (x, window) = (&self.c.x, self.c.window);
        let [kernel, stride] = [window.kernel[1], window.stride[1]].map(usize::from);
        let padding = usize::from(window.padding[1]).cast_signed();
        let all_rows = self.inside[..kernel].iter().all(|&inside| inside);
        let first_row = x.data.as_ptr();
        let rows = self.lines.map(|line| first_row.wrapping_add(line + channels.start));
        for at in self.columns.clone().step_by(self.tile) {
            // The last tile begins earlier where it would reach past the end.
            let at = at.min(self.columns.end - self.tile);
            let column = (at * stride).cast_signed() - padding;
            let reach = column + ((self.tile - 1) * stride + kernel).cast_signed();
            let first = (self.start + at.cast_signed()).cast_unsigned() * x.channels;
            let first = first + channels.start;
            let results = &mut out[first..first + (self.tile - 1) * x.channels + channels.len()];
            let run = Run {
                kernel,
                stride,
                rows,
                inside: self.inside,
                column,
                width: x.width,
                whole: all_rows && column >= 0 && reach <= x.width.cast_signed(),
                step: x.channels,
                channels: channels.len(),
                block,
                zero_point: x.zero_point,
                to: &self.c.to,
                out: results.as_mut_ptr(),
            };
            // SAFETY: `rows` are rows of the input, from the block's first channel on; `results`
            // reaches to the last pixel's last channel.
            unsafe { isa.run(&run, self.tile) };
        }
    }
}

/// The size of tiles that computes the fewest of `columns` twice; of equals, the first.
fn tile_size(sizes: &[usize], columns: usize) -> usize {
    let fitting = sizes.iter().copied().filter(|&size| size > 1 && size <= columns);
    fitting.min_by_key(|&size| columns.div_ceil(size) * size).unwrap_or(1)
}
