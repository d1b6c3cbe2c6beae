//! Depthwise convolutions, four channels at a time: a ring of three input rows is transposed to
//! pairs of neighbouring columns, which one `SMLAD` multiplies by two taps.
//!
//! Kernels of 3 × 3 with strides 1 and 2; everything else runs the portable loops.
#![allow(unsafe_code, reason = "the inner loops take pointers that this driver bounds")]

use super::super::generic::Convolution;
use super::scratch::{self, Words};
use super::{Columns, PAIR, Rounding, Row, WEIGHT_WORDS, inner};

/// Channels of a block.
const CHANNELS: usize = 4;

/// Rows and columns of the kernel.
const KERNEL: usize = 3;

pub(super) fn depthwise(c: &Convolution<'_>, first: usize, out: &mut [i8]) {
    let (channels, records) = (c.x.channels, c.channels.records());
    let row_bytes = c.to.width * channels;
    let stride = c.window.stride[1];
    let pairs = if stride == 1 { c.to.width.div_ceil(2) + 1 } else { c.to.width + 1 };
    let fits = c.window.kernel == [3, 3]
        && c.window.dilation == [1, 1]
        && matches!(c.window.stride, [1, 1] | [2, 2])
        && c.window.padding[1] <= 1
        && channels >= CHANNELS
        && pairs * PAIR <= scratch::MOST
        && records.as_ptr().cast::<u32>().is_aligned();
    // Parts of rows are for threads, which these targets do not have.
    let rows = first.is_multiple_of(c.to.width) && out.len().is_multiple_of(row_bytes);
    if !fits || !rows {
        return super::super::portable_depthwise(c, first, out);
    }
    scratch::with(pairs * PAIR, |ring| run(c, pairs, ring, first, out));
}

fn run(c: &Convolution<'_>, pairs: usize, ring: &mut Words, first: usize, out: &mut [i8]) {
    let (channels, records) = (c.x.channels, c.channels.records());
    let stride = usize::from(c.window.stride[1]);
    let outputs = if stride == 1 { inner::depthwise_row } else { inner::depthwise_row_by_two };
    let rows = first / c.to.width..first / c.to.width + out.len() / (c.to.width * channels);
    let mut source = Source::new(c, pairs, ring);
    let mut row = Row {
        columns: source.slots.cast(),
        weights: core::ptr::null(),
        records: core::ptr::null(),
        out: core::ptr::null_mut(),
        out_stride: channels,
        pixels: c.to.width,
        to: Rounding::new(&c.to),
    };
    let mut weights = [0; CHANNELS * WEIGHT_WORDS];
    for start in (0..channels).step_by(CHANNELS) {
        // The last block begins earlier where it would reach past the end.
        let start = start.min(channels - CHANNELS);
        let taps = &c.weights[start..(KERNEL * KERNEL - 1) * channels + start + CHANNELS];
        // SAFETY: `taps` reaches to the last tap's last channel.
        unsafe { inner::pair_weights(taps.as_ptr(), channels, weights.as_mut_ptr()) };
        row.records = records[start..start + CHANNELS].as_ptr();
        row.out = out[start..].as_mut_ptr();
        let mut loaded = rows.start * stride;
        for index in rows.clone() {
            let top = index * stride;
            while loaded < top + KERNEL {
                source.load(loaded, start);
                loaded += 1;
            }
            // The slot that padded row `top` lies in is that of kernel row 0.
            let turned = (KERNEL - top % KERNEL) % KERNEL;
            row.weights = weights[2 * turned..].as_ptr();
            // SAFETY: the ring holds the pairs that so many outputs read; `row.out` is a row of
            // the result, from the block's first channel on.
            unsafe {
                outputs(&row);
                row.out = row.out.wrapping_add(c.to.width * channels);
            }
        }
    }
}

/// Input rows, and the ring of three slots into which they are transposed.
struct Source<'a> {
    data: &'a [i8],
    height: usize,
    row_bytes: usize,
    /// Rows of padding before the first one.
    above: usize,
    slots: *mut u32,
    /// Pairs of columns in a slot.
    pairs: usize,
    /// Pairs that hold a column of the input.
    inside: usize,
    columns: Columns,
}

impl<'a> Source<'a> {
    fn new(c: &Convolution<'a>, pairs: usize, ring: &mut Words) -> Self {
        let x = c.x;
        let [above, before] = c.window.padding.map(usize::from);
        let whole = ((x.width - before) / 2).min(pairs - before);
        let right = usize::from(before + 2 * whole < x.width && before + whole < pairs);
        Self {
            data: x.data,
            height: x.height,
            row_bytes: x.width * x.channels,
            above,
            slots: ring[..pairs * PAIR].as_mut_ptr().cast(),
            pairs,
            inside: before + whole + right,
            columns: Columns {
                from: core::ptr::null(),
                step: x.channels,
                to: core::ptr::null_mut(),
                left: before,
                pairs: whole,
                right,
                padding: u32::from(x.zero_point.cast_unsigned()) * 0x0101_0101,
            },
        }
    }

    /// Transposes four channels from `start` on of one row, counted from the first row of padding,
    /// into its slot.
    fn load(&mut self, row: usize, start: usize) {
        let slot = self.slots.wrapping_add(row % KERNEL * CHANNELS);
        let mut done = 0;
        if let Some(y) = row.checked_sub(self.above).filter(|&y| y < self.height) {
            self.columns.from = self.data[y * self.row_bytes..][..self.row_bytes][start..].as_ptr();
            self.columns.to = slot;
            // SAFETY: all columns that are asked for are in the row, with at least four channels
            // from `start` on; a slot has room for `pairs` pairs.
            unsafe { inner::pair_columns(&self.columns) };
            done = self.inside;
        }
        // Pairs outside the input.
        let half = u32::from(i16::from(self.columns.padding as u8 as i8).cast_unsigned());
        for pair in done..self.pairs {
            let words = [half | half << 16; CHANNELS];
            // SAFETY: as above.
            unsafe { slot.add(pair * PAIR).cast::<[u32; CHANNELS]>().write(words) };
        }
    }
}
