//! Depthwise convolutions by columns: the part that all fast kernels share.
//!
//! Neighbouring output pixels of a row read overlapping columns of the input. A tile of them is
//! computed at once: each input column is loaded and interleaved by rows once, and multiplied into
//! every output that it belongs to. Square kernels of 3 and 5, strides 1 and 2; everything else
//! runs the portable loops.
//!
//! Where a block would be filled by few channels, neighbouring pixels are folded into it: with 8
//! channels and stride 1, four pixels are 32 lanes, and the next four are a pixel with stride 4.
#![allow(unsafe_code, reason = "kernels read and write through pointers that this driver bounds")]

use core::mem::MaybeUninit;
use core::ops::Range;

use super::generic::{Convolution, Output};
use super::padded::Padded;
use super::portable;

/// Rows of the largest kernel, rounded up to a multiple of four.
pub(super) const KERNEL: usize = 8;

/// Channels whose weights are made ready together.
const CHUNK: usize = 256;

/// Bytes that weights, biases and multipliers of one block take when ready, at most.
pub(super) const BLOCK_BYTES: usize = 1536;

/// Largest tile of folded pixels.
const FOLDED: usize = 4;

/// Most channels of a block.
const MOST_LANES: usize = 32;

/// Least channels of a block.
const LEAST_BLOCK: usize = 16;

/// A tile: neighbouring output pixels of one row, one block of channels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    /// Extent of the kernel, 3 or 5.
    pub(super) kernel: usize,
    /// 1, 2, or one of [`Columns::FOLDS`].
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
    /// Channels of the tensor: bytes from one input pixel to the next.
    pub(super) step: usize,
    /// Bytes from one result to the next.
    pub(super) out_step: usize,
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
    /// Sizes of tiles, in pixels, the preferred first; [`FOLDED`] and 1 are among them.
    const TILES: &'static [usize];
    /// How many pixels may be folded into a block, with tiles of at most [`FOLDED`].
    const FOLDS: &'static [usize];

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
    fn portable(self, work: portable::Depthwise<'_>);
}

#[repr(align(64))]
struct Blocks([MaybeUninit<u8>; CHUNK / LEAST_BLOCK * BLOCK_BYTES]);

/// A depthwise convolution of the output pixels from `first` on that `out` holds.
pub(super) fn depthwise<T: Columns>(isa: T, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
    let mut room = Padded::new();
    let mut window = *c.window;
    let copy = room.pad(c, first, out.len() / c.to.channels, &mut window, |_| ());
    let c = &copy.unwrap_or(*c);
    let window = c.window;
    let square = matches!(window.kernel, [3, 3] | [5, 5]);
    let stride = window.stride[0];
    if !square || window.dilation != [1, 1] || window.stride[1] != stride || stride > 2 {
        return isa.portable(portable::Depthwise { c, first, out });
    }
    let mut blocks = Blocks([const { MaybeUninit::uninit() }; CHUNK / LEAST_BLOCK * BLOCK_BYTES]);
    let blocks: *mut u8 = blocks.0.as_mut_ptr().cast();
    let channels = c.x.channels;
    let records = c.channels.records();
    let kernel = usize::from(window.kernel[0]);
    let pixels = first..first + out.len() / channels;
    let rows = pixels.start / c.to.width..pixels.end.div_ceil(c.to.width);
    let fold = T::FOLDS.iter().copied().find(|fold| stride == 1 && fold * channels == T::CHANNELS);
    if let Some(fold) = fold {
        let folded = blocks.wrapping_add(BLOCK_BYTES);
        // SAFETY: `Blocks` has room for these two blocks, and more.
        unsafe {
            isa.prepare(c.weights.as_ptr(), kernel, channels, records, blocks);
            prepare_folded(isa, c, fold, folded);
        }
        for row in rows {
            Row::new(c, row, &pixels).run_folded(isa, fold, [blocks, folded], out);
        }
        return;
    }
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
        for row in rows.clone() {
            let row = Row::new(c, row, &pixels);
            let size = tile_size(T::TILES, row.columns.len());
            for (index, start) in (chunk..end).step_by(T::CHANNELS).enumerate() {
                let lanes = Lanes {
                    first: start,
                    count: (start + T::CHANNELS).min(end) - start,
                    fold: 1,
                    block: blocks.wrapping_add(index * BLOCK_BYTES),
                };
                row.run(isa, &lanes, row.columns.clone(), size, out);
            }
        }
    }
}

/// Makes a block ready in which the channels stand `fold` times.
///
/// # Safety
/// `block` is as [`Columns::prepare`] says.
unsafe fn prepare_folded<T: Columns>(isa: T, c: &Convolution<'_>, fold: usize, block: *mut u8) {
    let kernel = usize::from(c.window.kernel[0]);
    let (mut weights, mut records) = ([0; 25 * MOST_LANES], [[0; 8]; MOST_LANES]);
    let lanes = fold * c.x.channels;
    let taps = weights.chunks_exact_mut(lanes).zip(c.weights.chunks_exact(c.x.channels));
    for (repeated, tap) in taps {
        repeated.chunks_exact_mut(tap.len()).for_each(|pixel| pixel.copy_from_slice(tap));
    }
    for (lane, record) in records[..lanes].iter_mut().enumerate() {
        *record = c.channels.records()[lane % c.x.channels];
    }
    // SAFETY: the weights of all taps are there, one a lane; the caller vouches for the block.
    unsafe { isa.prepare(weights.as_ptr(), kernel, lanes, &records[..lanes], block) };
}

/// What a block's lanes stand for.
struct Lanes {
    /// The first channel.
    first: usize,
    /// Lanes in use.
    count: usize,
    /// Pixels among which they are divided.
    fold: usize,
    /// What [`Columns::prepare`] wrote.
    block: *const u8,
}

/// One row of the output, or what is asked for of it: the same for all blocks of channels.
struct Row<'a> {
    c: &'a Convolution<'a>,
    /// Number, in `out`, of the pixel that stands in column 0; negative if the row begins before.
    start: isize,
    columns: Range<usize>,
    /// First element of the input row that each row of the kernel reads.
    lines: [usize; KERNEL],
    inside: [bool; KERNEL],
}

impl<'a> Row<'a> {
    /// Row `row` of the result, as far as `pixels` holds it.
    fn new(c: &'a Convolution<'a>, row: usize, pixels: &Range<usize>) -> Self {
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
        Self { c, start, columns, lines, inside }
    }

    /// Computes all channels, `fold` pixels a block; the few whose windows padding touches one by
    /// one. `blocks` are the one of a single pixel and the folded one.
    fn run_folded<T: Columns>(&self, isa: T, fold: usize, blocks: [*mut u8; 2], out: &mut [i8]) {
        let (width, channels) = (self.c.x.width, self.c.x.channels);
        let padding = usize::from(self.c.window.padding[1]);
        let reach = usize::from(self.c.window.kernel[1]) - 1;
        let start = padding.clamp(self.columns.start, self.columns.end);
        let end = (width + padding).saturating_sub(reach).clamp(start, self.columns.end);
        let one = Lanes { first: 0, count: channels, fold: 1, block: blocks[0] };
        let many = Lanes { first: 0, count: channels * fold, fold, block: blocks[1] };
        let folds = (end - start) / fold;
        let last = if folds == 0 { end } else { end - fold };
        self.run(isa, &one, self.columns.start..start, 1, out);
        if folds > 0 {
            let size = if folds < FOLDED { 1 } else { FOLDED };
            self.run(isa, &many, start..start + folds * fold, size, out);
            // What is left again ends with the last of them.
            self.run(isa, &many, last..end, 1, out);
        } else {
            self.run(isa, &one, start..end, 1, out);
        }
        self.run(isa, &one, end..self.columns.end, 1, out);
    }

    /// Computes a block of lanes in these columns, in tiles of `size` times as many as are folded.
    #[inline(always)]
    fn run<T: Columns>(
        &self,
        isa: T,
        lanes: &Lanes,
        columns: Range<usize>,
        size: usize,
        out: &mut [i8],
    ) {
        let (x, window) = (&self.c.x, self.c.window);
        let kernel = usize::from(window.kernel[1]);
        let stride = usize::from(window.stride[1]);
        let padding = usize::from(window.padding[1]).cast_signed();
        let all_rows = self.inside[..kernel].iter().all(|&inside| inside);
        let first_row = x.data.as_ptr();
        let rows = self.lines.map(|line| first_row.wrapping_add(line + lanes.first));
        let tile = size * lanes.fold;
        let out_step = lanes.fold * x.channels;
        for at in columns.clone().step_by(tile) {
            // The last tile begins earlier where it would reach past the end.
            let at = at.min(columns.end - tile);
            let column = (at * stride).cast_signed() - padding;
            let reach = column + ((tile - 1) * stride + kernel).cast_signed();
            let first = (self.start + at.cast_signed()).cast_unsigned() * x.channels;
            let first = first + lanes.first;
            let results = &mut out[first..first + (size - 1) * out_step + lanes.count];
            let run = Run {
                kernel,
                stride: stride * lanes.fold,
                rows,
                inside: self.inside,
                column,
                width: x.width,
                whole: all_rows && column >= 0 && reach <= x.width.cast_signed(),
                step: x.channels,
                out_step,
                channels: lanes.count,
                block: lanes.block,
                zero_point: x.zero_point,
                to: &self.c.to,
                out: results.as_mut_ptr(),
            };
            // SAFETY: `rows` are rows of the input, from the block's first channel on; `results`
            // reaches to the last pixel's last channel.
            unsafe { isa.run(&run, size) };
        }
    }
}

/// The size of tiles that computes the fewest of `columns` twice; of equals, the first.
fn tile_size(sizes: &[usize], columns: usize) -> usize {
    let fitting = sizes.iter().copied().filter(|&size| size > 1 && size <= columns);
    fitting.min_by_key(|&size| columns.div_ceil(size) * size).unwrap_or(1)
}
