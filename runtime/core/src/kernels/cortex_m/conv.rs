//! Convolutions: the inputs of four output pixels are widened, then multiplied by every output channel's weights.
#![allow(unsafe_code, reason = "the inner loops take pointers that this driver bounds")]

use core::ops::Range;

use super::super::generic::Convolution;
use super::super::scratch::{self, Words};
use super::{Rows, Tile, clamp, inner};
use crate::network::{BLOCK, QUAD, WeightRows};

/// Pixels of a tile, where there are so many in a row.
const PIXELS: usize = 4;

pub(super) fn conv(c: &Convolution<'_>, first: usize, out: &mut [i8]) {
    let rows = c.weight_rows();
    let mut gather = Gather::new(c, rows, out.len() / c.to.channels);
    if gather.needed() > scratch::MOST {
        gather.most = 1;
    }
    let needed = gather.needed();
    let records = c.channels.records();
    let weights = rows.bytes().and_then(|bytes| bytes.checked_mul(c.groups));
    // What the inner loops read through pointers.
    let there = weights.is_some_and(|bytes| bytes <= c.weights.len())
        && records.len() >= c.to.channels
        && records.as_ptr().cast::<u32>().is_aligned()
        && c.x.data.len() >= c.x.height * c.x.width * c.x.channels;
    if needed > scratch::MOST || !there {
        return super::super::portable_conv(c, first, out);
    }
    scratch::with(needed, |scratch| run(c, rows, gather, first, scratch, out));
    clamp(&c.to, out);
}

fn run(
    c: &Convolution<'_>,
    rows: WeightRows,
    mut gather: Gather<'_>,
    first: usize,
    scratch: &mut Words,
    out: &mut [i8],
) {
    let channels = c.to.channels;
    let pixels = out.len() / channels;
    let group_bytes = rows.bytes().unwrap_or(0);
    let whole = rows.outputs - rows.outputs % BLOCK;
    for group in 0..c.groups {
        let output = group * rows.outputs;
        let records = c.channels.records().as_ptr().wrapping_add(output);
        let weights = c.weights.as_ptr().wrapping_add(group * group_bytes);
        let mut tile = Tile {
            rows: scratch.as_ptr().cast(),
            quads: rows.quads(),
            weights,
            records,
            out: core::ptr::null_mut(),
            out_stride: channels,
            channels: whole,
            zero_point: c.to.zero_point.into(),
            step: BLOCK * QUAD,
        };
        let (mut done, mut left) = (0, 0);
        while done < pixels {
            if left == 0 {
                left = gather.start_row(group, first + done).min(pixels - done);
                gather.whole = left >= gather.most;
            }
            let count = if gather.whole && left > 1 { gather.most } else { 1 };
            // The last ones of a row begin earlier: four are as fast as two.
            let back = count.saturating_sub(left);
            let at = done - back;
            gather.pixels(back, count, scratch);
            tile.out = out.as_mut_ptr().wrapping_add(at * channels + output);
            // SAFETY: the pixels were laid out in `scratch`; `conv` checked that weights and records of all
            // channels are there, and so are `pixels` results of each. Whole blocks are asked for first.
            unsafe {
                if whole > 0 {
                    inner::multiply(&tile, count);
                }
                if whole < rows.outputs {
                    let rest = Tile {
                        weights: weights.add(whole * rows.quads() * QUAD),
                        records: records.add(whole),
                        out: tile.out.add(whole),
                        channels: rows.outputs - whole,
                        step: rows.width(rows.outputs / BLOCK) * QUAD,
                        ..tile
                    };
                    inner::multiply(&rest, count);
                }
            }
            done = at + count;
            left -= count - back;
        }
    }
}

/// Lays out what output pixels read.
struct Gather<'a> {
    c: &'a Convolution<'a>,
    quads: usize,
    /// Pixels of a tile: 4 or 1.
    most: usize,
    /// Whether the row has so many.
    whole: bool,
    /// Inputs of a tap.
    depth: usize,
    /// Whether a pixel reads just the one at its place: then all rows are one.
    point: bool,
    /// Columns of input and output.
    columns: [usize; 2],
    /// Whether neighbouring taps of a kernel row are neighbours in memory.
    joined: bool,
    /// Bytes from a tap to the next in its row, and to the one below.
    taps: [usize; 2],
    /// The next output column.
    column: usize,
    /// The kernel's rows that lie inside the input at this output row.
    rows: Range<usize>,
    /// What tap 0 of the row's first pixel reads, be it inside the input or not.
    from: *const i8,
}

impl<'a> Gather<'a> {
    fn new(c: &'a Convolution<'a>, rows: WeightRows, pixels: usize) -> Self {
        let (window, x) = (c.window, &c.x);
        let still = window.stride == [1, 1] && window.padding == [0, 0];
        let point = window.kernel == [1, 1] && still;
        let columns = if point { [x.height * x.width; 2] } else { [x.width, c.to.width] };
        let most = if columns[1].min(pixels) < PIXELS { 1 } else { PIXELS };
        let [below, beside] = window.dilation.map(usize::from);
        Self {
            c,
            quads: rows.quads(),
            most,
            whole: true,
            depth: x.channels / c.groups,
            point,
            columns,
            joined: c.groups == 1 && beside == 1,
            taps: [beside * x.channels, below * x.width * x.channels],
            column: 0,
            rows: 0..0,
            from: x.data.as_ptr(),
        }
    }

    /// Words of the largest tile.
    const fn tile_words(&self) -> usize {
        self.most * 2 * self.quads
    }

    /// Words of a tile and of patches.
    const fn needed(&self) -> usize {
        let patches = if self.in_quads() { 0 } else { self.most * self.patch_words() };
        self.tile_words() + patches
    }

    /// Words in which one pixel's inputs are put together, where taps do not begin at a quad, so that they cannot be widened from where
    /// they lie. One word more takes what is copied past the end.
    const fn patch_words(&self) -> usize {
        self.quads + 1
    }

    const fn in_quads(&self) -> bool {
        self.depth.is_multiple_of(QUAD)
    }

    /// Goes to output pixel `index`; gives the number of pixels in its row from there on.
    fn start_row(&mut self, group: usize, index: usize) -> usize {
        let (window, x) = (self.c.window, &self.c.x);
        let (row, column) = (index / self.columns[1], index % self.columns[1]);
        self.column = column;
        let height = if self.point { 1 } else { x.height };
        self.rows = window.inside(0, row, height);
        let [above, before] = window.padding.map(usize::from);
        let top = row * usize::from(window.stride[0]) * self.columns[0];
        self.from = (x.data.as_ptr())
            .wrapping_add(top * x.channels + group * self.depth)
            .wrapping_sub((above * self.columns[0] + before) * x.channels);
        self.columns[1] - column
    }

    /// The kernel's columns that lie inside the input at an output column.
    fn inside(&self, column: usize) -> Range<usize> {
        self.c.window.inside(1, column, self.columns[0])
    }

    /// Widens the inputs of the next `count` output pixels of the row, or from `back` pixels earlier on.
    fn pixels(&mut self, back: usize, count: usize, scratch: &mut Words) {
        let column = self.column - back;
        self.column = column + count;
        let to: *mut u32 = scratch.as_mut_ptr().cast();
        let step = usize::from(self.c.window.stride[1]) * self.c.x.channels;
        let from = self.from.wrapping_add(column * step);
        // SAFETY: `conv` checked that the scratch holds so many pixels and patches, and the input all that windows read inside it.
        unsafe {
            if self.point && self.in_quads() && count == PIXELS {
                inner::widen_four(from, step, self.quads, to);
            } else if self.in_quads() {
                self.widen_taps(from, step, column, count, to);
            } else {
                let patches = to.add(self.tile_words()).cast();
                self.fill_patches(from, step, column, count, patches);
                if count == PIXELS {
                    inner::widen_four(patches, self.patch_words() * 4, self.quads, to);
                } else {
                    inner::widen(patches, self.quads, to, count);
                }
            }
        }
    }

    /// Widens taps that begin at quads, from where they lie.
    ///
    /// # Safety
    /// `to` is writable for a layout of `count` pixels and all quads; `from` is the first pixel's tap 0, and `step` the next one's.
    unsafe fn widen_taps(
        &self,
        from: *const i8,
        step: usize,
        column: usize,
        count: usize,
        to: *mut u32,
    ) {
        let zero = self.c.x.zero_point;
        let [height, width] = self.c.window.kernel.map(usize::from);
        let quads = self.depth / QUAD;
        // Neighbouring taps that all four pixels have inside the input.
        let joint = if self.joined && count == PIXELS {
            self.inside(column).start..self.inside(column + count - 1).end
        } else {
            0..0
        };
        let mut to = to;
        for ky in 0..height {
            let line = from.wrapping_add(ky * self.taps[1]);
            let mut kx = 0;
            while kx < width {
                let from = line.wrapping_add(kx * self.taps[0]);
                let mut taps = 1;
                // SAFETY: what is read lies inside the input; there is room for all taps.
                unsafe {
                    if !self.rows.contains(&ky) {
                        taps = width;
                        inner::fill(zero, width * quads * count, to, 1);
                    } else if kx == joint.start && !joint.is_empty() {
                        taps = joint.len();
                        inner::widen_four(from, step, taps * quads, to);
                    } else {
                        for pixel in 0..count {
                            let to = to.add(pixel);
                            if self.inside(column + pixel).contains(&kx) {
                                let from = from.wrapping_add(pixel * step);
                                inner::widen(from, quads, to, count);
                            } else {
                                inner::fill(zero, quads, to, count);
                            }
                        }
                    }
                    to = to.add(taps * quads * 2 * count);
                }
                kx += taps;
            }
        }
    }

    /// Puts the inputs of so many pixels together, each in a patch.
    ///
    /// # Safety
    /// As [`widen_taps`](Self::widen_taps)'s, but `to` is writable for as many times [`patch_words`](Self::patch_words).
    unsafe fn fill_patches(
        &self,
        from: *const i8,
        step: usize,
        column: usize,
        count: usize,
        to: *mut i8,
    ) {
        let [height, width] = self.c.window.kernel.map(usize::from);
        let (patch, line, length) = (self.patch_words() * 4, self.taps[1], width * self.depth);
        let ends = [self.inside(column).start, self.inside(column + count - 1).end];
        let last = from.wrapping_add((count - 1) * step + (height - 1) * line + length + QUAD);
        let whole = ends == [0, width] && self.rows.len() == height && self.joined;
        if whole && last <= self.c.x.data.as_ptr_range().end {
            let (rows, pixels) = (height, count);
            // SAFETY: what is read lies inside the input, also the three bytes past the last product; for those a word is kept.
            return unsafe {
                inner::copy_rows(&Rows { from, to, length, line, rows, pixels, step, patch });
            };
        }
        for pixel in 0..count {
            let (from, to) = (from.wrapping_add(pixel * step), to.wrapping_add(pixel * patch));
            // SAFETY: what is read lies inside the input.
            unsafe {
                to.write_bytes(self.c.x.zero_point.cast_unsigned(), self.quads * QUAD);
                let columns = self.inside(column + pixel);
                let (runs, taps) =
                    if self.joined { (1, columns.len()) } else { (columns.len(), 1) };
                for ky in self.rows.clone() {
                    for kx in columns.start..columns.start + runs {
                        let from = from.wrapping_add(ky * line + kx * self.taps[0]);
                        let to = to.add((ky * width + kx) * self.depth);
                        inner::copy(from, taps * self.depth, to);
                    }
                }
            }
        }
    }
}
