//! Depthwise convolutions, four channels at a time: input rows are transposed to pairs of neighbouring columns, which one `SMLAD`
//! multiplies by two taps.
//!
//! Kernels of 3 × 3 with strides 1 and 2; everything else runs the portable loops.
#![allow(unsafe_code, reason = "the inner loops take pointers that this driver bounds")]

use core::ops::Range;

use super::super::generic::Convolution;
use super::super::scratch::{self, Words};
use super::{Band, Columns, WEIGHT_WORDS, clamp, inner};

/// Channels of a block.
const CHANNELS: usize = 4;

/// Rows and columns of the kernel.
const KERNEL: usize = 3;

/// Rows for which the small frame must have room, else the large one is taken.
const FEW: usize = 5;

pub(super) fn depthwise(c: &Convolution<'_>, first: usize, out: &mut [i8]) {
    let (channels, records) = (c.x.channels, c.channels.records());
    let row_bytes = c.to.width * channels;
    let stride = usize::from(c.window.stride[1]);
    let pairs = if stride == 1 { c.to.width.div_ceil(2) + 1 } else { c.to.width + 1 };
    // Rows that all outputs read, and that there is room for; behind the last pair some words are read, but not used.
    let all = (out.len() / row_bytes).saturating_sub(1) * stride + KERNEL;
    let room = |words: usize| (words - CHANNELS) / (pairs * CHANNELS);
    let few = room(scratch::SMALL);
    let held = all.min(if few < FEW.min(all) { room(scratch::MOST) } else { few });
    let fits = c.window.kernel == [3, 3]
        && c.window.dilation == [1, 1]
        && matches!(c.window.stride, [1, 1] | [2, 2])
        && c.window.padding[1] <= 1
        && channels >= CHANNELS
        && held >= KERNEL
        && c.x.data.len() >= c.x.height * c.x.width * channels
        && c.weights.len() >= KERNEL * KERNEL * channels
        && records.len() >= channels
        && records.as_ptr().cast::<u32>().is_aligned();
    // Parts of rows are for threads, which these targets do not have.
    let rows = first.is_multiple_of(c.to.width) && out.len().is_multiple_of(row_bytes);
    if !fits || !rows || out.is_empty() {
        return super::super::portable_depthwise(c, first, out);
    }
    let needed = held * pairs * CHANNELS + CHANNELS;
    scratch::with(needed, |words| run(c, Source::new(c, pairs, held, words), first, out));
    clamp(&c.to, out);
}

fn run(c: &Convolution<'_>, mut source: Source, first: usize, out: &mut [i8]) {
    let (channels, records) = (c.x.channels, c.channels.records());
    let stride = usize::from(c.window.stride[1]);
    let outputs = if stride == 1 { inner::depthwise } else { inner::depthwise_by_two };
    let row_bytes = c.to.width * channels;
    let rows = first / c.to.width..(first * channels + out.len()) / row_bytes;
    let mut weights = [0; CHANNELS * WEIGHT_WORDS];
    let mut band = Band {
        columns: source.to.cast(),
        weights: weights.as_ptr(),
        records: core::ptr::null(),
        out: core::ptr::null_mut(),
        out_stride: channels,
        pixels: c.to.width,
        zero_point: c.to.zero_point.into(),
        rows: 0,
        pitch: source.columns.pitch,
    };
    for start in (0..channels).step_by(CHANNELS) {
        // The last block begins earlier where it would reach past the end.
        let start = start.min(channels - CHANNELS);
        let taps = c.weights.as_ptr().wrapping_add(start);
        // SAFETY: `depthwise` checked that all taps are there.
        unsafe { inner::pair_weights(taps, channels, weights.as_mut_ptr()) };
        band.weights = weights.as_ptr();
        band.records = records.as_ptr().wrapping_add(start);
        let (mut row, mut kept) = (rows.start, 0);
        while row < rows.end {
            let top = row * stride;
            let needed = (rows.end - 1 - row) * stride + KERNEL;
            let held = needed.min(source.held);
            source.load(top + kept..top + held, kept, start);
            band.rows = (held - KERNEL) / stride + 1;
            band.out = out.as_mut_ptr().wrapping_add((row - rows.start) * row_bytes + start);
            row += band.rows;
            // SAFETY: the rows that so many outputs read were loaded, and `out` has them. Those that the next ones read too are kept.
            unsafe {
                outputs(&band);
                if row < rows.end {
                    let ahead = band.rows * stride;
                    inner::move_rows(source.to, ahead, source.held, source.pairs);
                    kept = held - ahead;
                }
            }
        }
        source.padded = band.rows == rows.len();
    }
}

/// Input rows, and where they are transposed to.
struct Source {
    data: *const i8,
    zero_point: i8,
    /// Padded rows in which the input lies.
    inside: Range<usize>,
    to: *mut u32,
    /// Rows that there is room for.
    held: usize,
    /// Pairs of columns of a row.
    pairs: usize,
    /// Pairs that hold a column of the input.
    filled: usize,
    /// Whether all padding is there: where all rows are held it stays from block to block.
    padded: bool,
    columns: Columns,
}

impl Source {
    /// `words` hold so many pairs and rows of four channels, and one more.
    fn new(c: &Convolution<'_>, pairs: usize, held: usize, words: &mut Words) -> Self {
        let x = c.x;
        let [above, before] = c.window.padding.map(usize::from);
        let whole = ((x.width - before) / 2).min(pairs - before);
        let right = usize::from(before + 2 * whole < x.width && before + whole < pairs);
        Self {
            data: x.data.as_ptr(),
            zero_point: x.zero_point,
            inside: above..above + x.height,
            to: words.as_mut_ptr().cast(),
            held,
            pairs,
            filled: before + whole + right,
            padded: false,
            columns: Columns {
                from: core::ptr::null(),
                step: x.channels,
                to: core::ptr::null_mut(),
                left: before,
                pairs: whole,
                right,
                padding: u32::from(x.zero_point.cast_unsigned()) * 0x0101_0101,
                pitch: held * CHANNELS * 4,
                line: x.width * x.channels,
                rows: 0,
            },
        }
    }

    /// Transposes four channels from `start` on of rows, counted from the first row of padding, into the places from `slot` on.
    fn load(&mut self, rows: Range<usize>, slot: usize, start: usize) {
        let inside = rows.start.max(self.inside.start)..rows.end.min(self.inside.end);
        if !inside.is_empty() {
            let line = self.columns.line;
            let above = (inside.start - self.inside.start) * line;
            self.columns.from = self.data.wrapping_add(above + start);
            let place = (slot + inside.start - rows.start) * CHANNELS;
            self.columns.to = self.to.wrapping_add(place);
            self.columns.rows = inside.len();
            // SAFETY: `depthwise` checked that the rows are there, and all columns that are asked for are in them, with four channels
            // from `start` on; there is room for `pairs` pairs of each row.
            unsafe { inner::pair_columns(&mut self.columns) };
        }
        // Pairs outside the input.
        if self.padded {
            return;
        }
        for row in rows.clone() {
            let done = if inside.contains(&row) { self.filled } else { 0 };
            for pair in done..self.pairs {
                let place = (pair * self.held + slot + row - rows.start) * CHANNELS;
                // SAFETY: as above.
                unsafe { inner::fill(self.zero_point, CHANNELS / 2, self.to.add(place), 1) };
            }
        }
    }
}
