//! Convolutions: the inputs of up to four output pixels are widened, then multiplied by every
//! output channel's weights.
#![allow(unsafe_code, reason = "the inner loops take pointers that this driver bounds")]

use core::ops::Range;

use super::super::generic::Convolution;
use super::scratch::{self, Words};
use super::{Rounding, Tile, inner};
use crate::network::{BLOCK, QUAD, WeightRows};

/// Pixels of the largest tile.
const PIXELS: usize = 4;

pub(super) fn conv(c: &Convolution<'_>, first: usize, out: &mut [i8]) {
    let rows = c.weight_rows();
    let records = c.channels.records();
    let mut gather = Gather::new(c, rows);
    // Two pixels at a time cost little where there are few, and less of the stack.
    if gather.needed() > scratch::SMALL && out.len() <= PIXELS * c.to.channels {
        gather.most = 2;
    }
    let needed = gather.needed();
    if needed > scratch::MOST || !records.as_ptr().cast::<u32>().is_aligned() {
        return super::super::portable_conv(c, first, out);
    }
    scratch::with(needed, |scratch| run(c, rows, &mut gather, first, scratch, out));
}

fn run(
    c: &Convolution<'_>,
    rows: WeightRows,
    gather: &mut Gather<'_>,
    first: usize,
    scratch: &mut Words,
    out: &mut [i8],
) {
    let records = c.channels.records();
    let pixels = out.len() / c.to.channels;
    let group_bytes = rows.bytes().unwrap_or(0);
    for group in 0..c.groups {
        let weights = &c.weights[group * group_bytes..][..group_bytes];
        let output = group * rows.outputs;
        let mut done = 0;
        while done < pixels {
            // Three are as fast as four that begin one pixel earlier.
            let (at, count) = match pixels - done {
                left @ (1 | 2) => (done, left),
                3 if done > 0 && gather.most == PIXELS => (done - 1, PIXELS),
                3 => (done, 2),
                _ => (done, gather.most),
            };
            gather.pixels(group, first + at, count, scratch);
            let start = at * c.to.channels + output;
            let end = start + (count - 1) * c.to.channels + rows.outputs;
            let mut tile = Tile {
                rows: scratch.as_ptr().cast(),
                quads: rows.quads(),
                weights: weights.as_ptr(),
                records: records[output..][..rows.outputs].as_ptr(),
                out: out[start..end].as_mut_ptr(),
                out_stride: c.to.channels,
                channels: rows.outputs - rows.outputs % BLOCK,
                to: Rounding::new(&c.to),
                step: BLOCK * QUAD,
            };
            // SAFETY: the pixels were laid out in `scratch`; weights, records and results of all
            // the group's channels are there, and whole blocks of them are asked for.
            unsafe {
                if tile.channels > 0 {
                    inner::multiply(&tile, count);
                }
                let whole = tile.channels;
                tile.weights = tile.weights.add(whole * rows.quads() * QUAD);
                tile.records = tile.records.add(whole);
                tile.out = tile.out.add(whole);
                tile.channels = rows.outputs - whole;
                tile.step = rows.width(rows.outputs / BLOCK) * QUAD;
                if tile.channels > 0 {
                    inner::multiply(&tile, count);
                }
            }
            done = at + count;
        }
    }
}

/// Lays out what output pixels read.
struct Gather<'a> {
    c: &'a Convolution<'a>,
    quads: usize,
    /// Most pixels of a tile.
    most: usize,
    /// Products of a channel.
    products: usize,
    /// Inputs of a tap.
    depth: usize,
    /// Whether an output pixel reads just the input pixel at its place.
    point: bool,
    /// Whether neighbouring taps of a kernel row are neighbours in memory.
    joined: bool,
    /// Output row whose input rows `inside` holds.
    row: usize,
    inside: Range<usize>,
}

impl<'a> Gather<'a> {
    fn new(c: &'a Convolution<'a>, rows: WeightRows) -> Self {
        let window = c.window;
        let still = window.stride == [1, 1] && window.padding == [0, 0];
        let depth = c.x.channels / c.groups;
        Self {
            c,
            quads: rows.quads(),
            most: PIXELS,
            products: rows.products,
            depth,
            point: window.kernel == [1, 1] && still && depth.is_multiple_of(QUAD),
            joined: c.groups == 1 && window.dilation[1] == 1,
            row: usize::MAX,
            inside: 0..0,
        }
    }

    /// Words of the largest tile.
    const fn tile_words(&self) -> usize {
        self.most * 2 * self.quads
    }

    /// Words of a tile and of a patch.
    const fn needed(&self) -> usize {
        self.tile_words() + self.patch_words()
    }

    /// Words behind the tile in which one pixel's inputs are put together; none where taps begin
    /// at a quad and are widened from where they lie.
    const fn patch_words(&self) -> usize {
        if self.depth.is_multiple_of(QUAD) { 0 } else { self.quads }
    }

    /// Widens the inputs of `count` output pixels from `first` on. `scratch` holds a tile and a
    /// patch.
    fn pixels(&mut self, group: usize, first: usize, count: usize, scratch: &mut Words) {
        let patch: *mut i8 = scratch[self.tile_words()..].as_mut_ptr().cast();
        let to: *mut u32 = scratch.as_mut_ptr().cast();
        if self.point && count == PIXELS {
            let (x, start) = (&self.c.x, group * self.depth);
            let from = &x.data[first * x.channels + start..];
            let from = &from[..(PIXELS - 1) * x.channels + self.depth];
            // SAFETY: `from` holds four pixels; `conv` checked that as many fit in `scratch`.
            unsafe { inner::widen_four(from.as_ptr(), x.channels, self.quads, to) };
            return;
        }
        for pixel in 0..count {
            // SAFETY: `conv` checked that so many pixels fit; the pixel is one of `count`.
            unsafe { self.pixel(group, first + pixel, count, to.add(pixel), patch) };
        }
    }

    /// Widens the inputs of one output pixel.
    ///
    /// # Safety
    /// `to` is a pixel of a layout of `count` pixels and all quads; `patch` is writable for
    /// [`patch_words`](Self::patch_words).
    unsafe fn pixel(
        &mut self,
        group: usize,
        index: usize,
        count: usize,
        to: *mut u32,
        patch: *mut i8,
    ) {
        let Convolution { x, window, .. } = *self.c;
        let (row, column) = (index / self.c.to.width, index % self.c.to.width);
        if row != self.row {
            self.row = row;
            self.inside = window.inside(0, row, x.height);
        }
        let rows = self.inside.clone();
        let columns = window.inside(1, column, x.width);
        let [height, width] = window.kernel.map(usize::from);
        let whole = rows.len() == height && columns.len() == width;
        let (runs, taps) = if self.joined { (1, columns.len()) } else { (columns.len(), 1) };
        let length = taps * self.depth;
        if columns.is_empty() || rows.is_empty() {
            // SAFETY: as the function's.
            return unsafe { inner::fill(x.zero_point, self.quads, to, count) };
        }
        // What the first tap inside reads, and where it stands among the products.
        let pixel = window.position(0, row, rows.start) * x.width
            + window.position(1, column, columns.start);
        let from = x.data[pixel * x.channels + group * self.depth..].as_ptr();
        let first = (rows.start * width + columns.start) * self.depth;
        let line = usize::from(window.dilation[0]) * x.width * x.channels;
        let tap = usize::from(window.dilation[1]) * x.channels;
        let in_quads = self.depth.is_multiple_of(QUAD);
        // SAFETY: rows and columns lie inside the input, and the products of a pixel end with the
        // last quad, up to which there is room in `to` and `patch`.
        unsafe {
            if in_quads && !whole {
                inner::fill(x.zero_point, self.quads, to, count);
            } else if !in_quads {
                // What fills the last quad up; products of it are written afterwards.
                patch.cast::<u32>().add(self.quads - 1).write(0);
                if !whole {
                    patch.write_bytes(x.zero_point.cast_unsigned(), self.products);
                }
            }
            for ky in 0..rows.len() {
                for kx in 0..runs {
                    let from = from.add(ky * line + kx * tap);
                    let at = first + (ky * width + kx) * self.depth;
                    if in_quads {
                        let to = to.add(at / QUAD * 2 * count);
                        inner::widen(from, length / QUAD, to, count);
                    } else {
                        inner::copy(from, length, patch.add(at));
                    }
                }
            }
            if !in_quads {
                inner::widen(patch, self.quads, to, count);
            }
        }
    }
}
