//! Depthwise convolutions, four channels at a time: a ring of three input rows is transposed to
//! pairs of neighbouring columns, which one `SMLAD` multiplies by two taps.
//!
//! Kernels of 3 × 3 with strides 1 and 2; everything else runs the portable loops.
#![allow(unsafe_code, reason = "the inner loops take pointers that this driver bounds")]

use super::super::generic::{self, Convolution};
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
        return generic::depthwise(c, first, out);
    }
    scratch::with(pairs * PAIR, |ring| run(c, pairs, ring, first, out));
}

fn run(c: &Convolution<'_>, pairs: usize, ring: &mut Words, first: usize, out: &mut [i8]) {
    let (channels, records) = (c.x.channels, c.channels.records());
    let row_bytes = c.to.width * channels;
    let stride = usize::from(c.window.stride[1]);
    for start in (0..channels).step_by(CHANNELS) {
        // The last block begins earlier where it would reach past the end.
        let start = start.min(channels - CHANNELS);
        let weights = pair_weights(c, start);
        let mut block = Block { c, start, pairs, ring, next: 0 };
        for (row, out) in (first / c.to.width..).zip(out.chunks_exact_mut(row_bytes)) {
            let top = row * stride;
            block.load(top);
            // The slot that padded row `top` lies in is that of kernel row 0.
            let turned = (KERNEL - top % KERNEL) % KERNEL;
            let row = Row {
                columns: block.ring.as_ptr().cast(),
                weights: weights[2 * turned..].as_ptr(),
                records: records[start..start + CHANNELS].as_ptr(),
                out: out[start..].as_mut_ptr(),
                out_stride: channels,
                pixels: c.to.width,
                to: Rounding::new(&c.to),
            };
            // SAFETY: the ring holds the pairs that so many outputs read; `out` is a row of the
            // result, from the block's first channel on.
            unsafe {
                match stride {
                    1 => inner::depthwise_row(&row),
                    _ => inner::depthwise_row_by_two(&row),
                }
            }
        }
    }
}

/// The weights of four channels as pairs of taps.
fn pair_weights(c: &Convolution<'_>, start: usize) -> [u32; CHANNELS * WEIGHT_WORDS] {
    let mut words = [0; CHANNELS * WEIGHT_WORDS];
    for (channel, words) in words.chunks_exact_mut(WEIGHT_WORDS).enumerate() {
        let weight = |tap: usize| {
            let weight = c.weights[tap * c.x.channels + start + channel];
            u32::from(i16::from(weight).cast_unsigned())
        };
        for (index, pair) in words.chunks_exact_mut(2).enumerate() {
            let taps = index % KERNEL * KERNEL;
            let [a, b, c] = [weight(taps), weight(taps + 1), weight(taps + 2)];
            pair[0] = a | b << 16;
            pair[1] = b | c << 16;
        }
    }
    words
}

/// Four channels, and the input rows that were transposed for them.
struct Block<'a> {
    c: &'a Convolution<'a>,
    start: usize,
    /// Pairs of columns in a slot.
    pairs: usize,
    ring: &'a mut Words,
    /// First row that is not in the ring, counted from the first row of padding.
    next: usize,
}

impl Block<'_> {
    /// Brings the three rows from `top` on into the ring, counted from the first row of padding.
    fn load(&mut self, top: usize) {
        for row in self.next.max(top)..top + KERNEL {
            self.load_row(row);
        }
        self.next = top + KERNEL;
    }

    fn load_row(&mut self, row: usize) {
        let x = &self.c.x;
        let slot: *mut u32 = self.ring.as_mut_ptr().cast();
        let slot = slot.wrapping_add(row % KERNEL * CHANNELS);
        let [above, before] = self.c.window.padding.map(usize::from);
        let padding = u32::from(x.zero_point.cast_unsigned()) * 0x0101_0101;
        let mut done = 0;
        if let Some(y) = row.checked_sub(above).filter(|&y| y < x.height) {
            let line = &x.data[y * x.width * x.channels..][..x.width * x.channels];
            let whole = ((x.width - before) / 2).min(self.pairs - before);
            done = before + whole;
            let right = usize::from(before + 2 * whole < x.width && done < self.pairs);
            done += right;
            let columns = Columns {
                from: line[self.start..].as_ptr(),
                step: x.channels,
                to: slot,
                left: before,
                pairs: whole,
                right,
                padding,
            };
            // SAFETY: `line` holds all columns that are asked for, at least four channels from
            // `start` on each; there is room for `pairs` pairs.
            unsafe { inner::pair_columns(&columns) };
        }
        for pair in done..self.pairs {
            // SAFETY: as above.
            unsafe { slot.add(pair * PAIR).cast::<[u32; CHANNELS]>().write(self.outside()) };
        }
    }

    /// A pair of columns outside the input.
    fn outside(&self) -> [u32; CHANNELS] {
        let padding = u32::from(i16::from(self.c.x.zero_point).cast_unsigned());
        [padding | padding << 16; CHANNELS]
    }
}
