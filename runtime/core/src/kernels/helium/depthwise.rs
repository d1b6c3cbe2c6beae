//! Depthwise convolutions, eight channels at a time: input rows are transposed to strips of four columns, in which the 3 × 3 inputs of a
//! result lie in one vector with those of its neighbours.
//!
//! Kernels of 3 × 3 with strides 1 and 2; everything else runs the portable loops.
#![allow(unsafe_code, reason = "the inner loops take pointers that this driver bounds")]

use core::ops::Range;

use super::super::generic::Convolution;
use super::super::scratch::{self, Words};
use super::{Band, CELL, CHANNELS, Columns, Rounding, inner};

/// Rows and columns of the kernel.
const KERNEL: usize = 3;

/// Bytes of an input row in a strip.
const WIDTH: usize = 4;

/// Strips of a part by stride, where not all fit: with so many there is room for rows that no lane is idle in.
const STRIPS: [usize; 2] = [3, 2];

/// Bytes behind the strips that are read, though not used.
const BEHIND: usize = 48;

/// Bytes for strips.
const ROOM: usize = 4 * scratch::SMALL - BEHIND;

pub(super) fn depthwise(c: &Convolution<'_>, first: usize, out: &mut [i8]) {
    let (channels, records) = (c.x.channels, c.channels.records());
    let row_bytes = c.to.width * channels;
    let fits = c.window.kernel == [3, 3]
        && c.window.dilation == [1, 1]
        && matches!(c.window.stride, [1, 1] | [2, 2])
        && c.window.padding[1] <= 1
        && channels >= CHANNELS
        && c.x.data.len() >= c.x.height * c.x.width * channels
        && c.weights.len() >= KERNEL * KERNEL * channels
        && records.len() >= channels
        && records.as_ptr().cast::<u32>().is_aligned();
    // Parts of rows are for threads, which these targets do not have.
    let rows = first.is_multiple_of(c.to.width) && out.len().is_multiple_of(row_bytes);
    if !fits || !rows || out.is_empty() {
        return super::super::portable_depthwise(c, first, out);
    }
    scratch::with(scratch::SMALL, |words| {
        let rows = first / c.to.width..(first * channels + out.len()) / row_bytes;
        Strips::new(c, rows, words).run(out);
    });
}

/// Where input rows are transposed to, and how much of the node at a time.
struct Strips<'a> {
    c: &'a Convolution<'a>,
    stride: usize,
    /// Rows of outputs.
    rows: Range<usize>,
    /// Input rows that there is room for.
    held: usize,
    /// Output columns of a part.
    columns: usize,
    /// Bytes of a strip.
    strip: usize,
    /// Bytes of a channel's strips, and one before them.
    plane: usize,
    to: *mut i8,
}

impl<'a> Strips<'a> {
    fn new(c: &'a Convolution<'a>, rows: Range<usize>, words: &mut Words) -> Self {
        let stride = usize::from(c.window.stride[1]);
        let beside = if stride == 1 { 2 } else { 1 };
        let all = (rows.len() - 1) * stride + KERNEL;
        // Of each row a channel has its strips and one before them, the last one also one behind.
        let room = |strips: usize| ROOM / (WIDTH * (CHANNELS * (strips + 1) + 1));
        let mut strips = c.to.width.div_ceil(beside);
        if room(strips) < all {
            strips = strips.min(STRIPS[stride - 1]);
        }
        // Two rows of outputs are made at a time.
        let held = if room(strips) < all { room(strips) / 2 * 2 } else { all };
        let strip = held * WIDTH;
        Self {
            c,
            stride,
            rows,
            held,
            columns: strips * beside,
            strip,
            plane: (strips + 1) * strip,
            to: words.as_mut_ptr().cast(),
        }
    }

    fn run(&self, out: &mut [i8]) {
        let (c, stride) = (self.c, self.stride);
        let channels = c.x.channels;
        let whole =
            self.columns >= c.to.width && self.held == (self.rows.len() - 1) * stride + KERNEL;
        let mut cells = [0_i8; CHANNELS * CELL];
        // SAFETY: all of it is there. Where one part is the whole node, its padding stays from block to block.
        unsafe { inner::fill(self.to, ROOM, c.x.zero_point) };
        for start in (0..channels).step_by(CHANNELS) {
            // The last block begins earlier where it would reach past the end.
            let start = start.min(channels - CHANNELS);
            let taps = c.weights.as_ptr().wrapping_add(start);
            // SAFETY: `depthwise` checked that all taps are there.
            unsafe { inner::taps(taps, channels, cells.as_mut_ptr()) };
            for column in (0..c.to.width).step_by(self.columns) {
                let mut row = self.rows.start;
                while row < self.rows.end {
                    let needed = (self.rows.end - 1 - row) * stride + KERNEL;
                    let held = needed.min(self.held);
                    let top = row * stride;
                    self.load(top..top + held, column * stride, start, whole);
                    let at = (row - self.rows.start) * c.to.width + column;
                    let band = Band {
                        planes: self.to.wrapping_add(self.strip),
                        plane: self.plane,
                        cells: cells.as_ptr(),
                        records: c.channels.records().as_ptr().wrapping_add(start),
                        out: out.as_mut_ptr().wrapping_add(at * channels + start),
                        pixel: channels,
                        line: c.to.width * channels,
                        columns: self.columns.min(c.to.width - column),
                        rows: (held - KERNEL) / stride + 1,
                        strip: self.strip,
                        rounding: Rounding::new(&c.to),
                    };
                    // SAFETY: what so many outputs read was loaded, and `out` has them.
                    unsafe { inner::depthwise(&band, stride) };
                    row += band.rows;
                }
            }
        }
    }

    /// Transposes eight channels from `start` on of padded rows, and of padded columns from `left` on.
    fn load(&self, rows: Range<usize>, left: usize, start: usize, whole: bool) {
        let x = &self.c.x;
        let [above, before] = self.c.window.padding.map(usize::from);
        let begin = rows.start.max(above).min(rows.end);
        let inside = begin..rows.end.min(above + x.height).max(begin);
        let wanted = self.plane / self.strip;
        let first = left.saturating_sub(before);
        let padded = usize::from(left < before);
        let there = (x.width - first - padded) / 2;
        let pairs = there.min(wanted - padded);
        let odd = first + padded + 2 * pairs < x.width;
        let right = usize::from(odd && padded + pairs < wanted);
        let filled = padded + pairs + right;
        let line = x.width * x.channels;
        let columns = Columns {
            from: x
                .data
                .as_ptr()
                .wrapping_add((inside.start - above) * line + first * x.channels + start),
            step: x.channels,
            to: self.to.wrapping_add(self.strip + (inside.start - rows.start) * WIDTH),
            left: padded,
            pairs,
            right,
            padding: x.zero_point.cast_unsigned().into(),
            strip: self.strip,
            line,
            rows: inside.len(),
            plane: self.plane,
        };
        // What lies outside: rows above and below, and pairs on the right.
        let zeros = [x.zero_point; CHANNELS];
        let outside = |rows: Range<usize>, pairs: Range<usize>| {
            if rows.is_empty() || pairs.is_empty() {
                return;
            }
            let to = self.to.wrapping_add((1 + pairs.start) * self.strip + rows.start * WIDTH);
            let (left, step, right, line) = (0, 0, 0, 0);
            let (from, pairs, rows) = (zeros.as_ptr(), pairs.len(), rows.len());
            let columns = Columns { from, step, to, left, pairs, right, line, rows, ..columns };
            // SAFETY: there is room for all strips, one before the first and one behind the last; the eight channels are zeros'.
            unsafe { inner::columns(&columns) };
        };
        if !whole {
            let within = inside.start - rows.start..inside.end - rows.start;
            outside(0..within.start, 0..wanted);
            outside(within.end..rows.len(), 0..wanted);
            outside(within, filled..wanted);
        }
        if !inside.is_empty() {
            // SAFETY: `depthwise` checked that the input is there, with eight channels from `start` on; there is room as above.
            unsafe { inner::columns(&columns) };
        }
    }
}
