//! Convolutions: what up to four output pixels read is laid out in vectors, then multiplied by every output channel's weights. Of few
//! products a pixel is one vector, which stays where it lies if it can.
#![allow(unsafe_code, reason = "the inner loops take pointers that this driver bounds")]

use super::super::generic::Convolution;
use super::super::scratch::{self, Words};
use super::lay::{Place, Source};
use super::{Points, Rounding, Tile, VECTOR, inner};
use crate::network::{BLOCK, QUAD, WeightRows};

/// Pixels of a tile, where there is room.
const PIXELS: usize = 4;

/// Pixels of few products that are laid out together.
const BATCH: usize = 64;

pub(super) fn conv(c: &Convolution<'_>, first: usize, out: &mut [i8]) {
    let rows = c.weight_rows();
    let records = c.channels.records();
    let weights = rows.bytes().and_then(|bytes| bytes.checked_mul(c.groups));
    // What the inner loops read through pointers.
    let there = weights.is_some_and(|bytes| bytes <= c.weights.len())
        && c.weights.as_ptr().cast::<u32>().is_aligned()
        && records.len() >= c.to.channels
        && records.as_ptr().cast::<u32>().is_aligned()
        && c.x.data.len() >= c.x.height * c.x.width * c.x.channels;
    let point = c.window.kernel == [1, 1] && c.window.padding == [0, 0];
    // Pixels of a tile, and patches in which they are put together.
    let words = |pixels: usize, patches: usize| {
        (pixels + patches) * rows.products.div_ceil(VECTOR) * (VECTOR / 4)
    };
    let few = rows.products <= VECTOR;
    let pixels = out.len() / c.to.channels;
    let [most, patches] = if few {
        [BATCH, 0]
    } else {
        let patches = usize::from(!point);
        let most = if pixels == 1 || words(PIXELS, patches) > scratch::MOST { 1 } else { PIXELS };
        let many = patches * PIXELS;
        [most, if words(most, many) > scratch::SMALL { patches } else { many }]
    };
    if words(most, patches) > scratch::MOST || !there {
        return super::super::portable_conv(c, first, out);
    }
    scratch::with(words(most, patches), |scratch| {
        let node = Node { c, rows, point, first, pixels };
        if few { node.points(scratch, out) } else { node.tiles([most, patches], scratch, out) }
    });
}

struct Node<'a> {
    c: &'a Convolution<'a>,
    rows: WeightRows,
    /// Whether a pixel reads just one tap, which is inside the input.
    point: bool,
    first: usize,
    pixels: usize,
}

impl Node<'_> {
    /// The weights of a group from a channel on, which begins a block or four channels of one.
    fn weights(&self, group: usize, channel: usize) -> *const i8 {
        let group_bytes = self.rows.bytes().unwrap_or(0);
        let block = channel / BLOCK * BLOCK * self.rows.quads() * QUAD;
        self.c.weights.as_ptr().wrapping_add(group * group_bytes + block + channel % BLOCK * QUAD)
    }

    /// So many pixels at a time by all channels.
    fn tiles(&self, [most, count]: [usize; 2], scratch: &mut Words, out: &mut [i8]) {
        let (channels, outputs) = (self.c.to.channels, self.rows.outputs);
        let inputs: *mut i8 = scratch.as_mut_ptr().cast();
        let step = most * VECTOR;
        let patches = inputs.wrapping_add(self.rows.products.div_ceil(VECTOR) * step);
        let place = Place { to: inputs, step, apart: VECTOR, patches, count };
        let whole = outputs - outputs % BLOCK;
        let Rounding { zero_point, min, max } = Rounding::new(&self.c.to);
        let mut source = Source::new(self.c, self.rows.products);
        for group in 0..self.c.groups {
            source.start(group, self.first);
            let records = self.c.channels.records().as_ptr().wrapping_add(group * outputs);
            let mut tile = Tile {
                inputs,
                quads: self.rows.quads(),
                weights: self.weights(group, 0),
                records,
                out: core::ptr::null_mut(),
                out_stride: channels,
                channels: whole,
                zero_point,
                step: BLOCK * QUAD,
                min,
                max,
                pixels: 0,
            };
            for at in (0..self.pixels).step_by(most) {
                tile.pixels = most.min(self.pixels - at);
                tile.out = out.as_mut_ptr().wrapping_add(at * channels + group * outputs);
                // SAFETY: `conv` saw to room for so many pixels and patches, and that weights and records of all channels are there;
                // so are results. A tile of four that has one pixel left holds others, which are not stored.
                unsafe {
                    source.next(tile.pixels, place);
                    if whole > 0 {
                        inner::multiply(&tile, most);
                    }
                    if whole < outputs {
                        let rest = Tile {
                            weights: self.weights(group, whole),
                            records: records.add(whole),
                            out: tile.out.add(whole),
                            channels: outputs - whole,
                            step: self.rows.width(outputs / BLOCK) * QUAD,
                            ..tile
                        };
                        inner::multiply(&rest, most);
                    }
                }
            }
        }
    }

    /// Pixels of one vector each.
    fn points(&self, scratch: &mut Words, out: &mut [i8]) {
        let c = self.c;
        let depth = c.x.channels / c.groups;
        let laid: *mut i8 = scratch.as_mut_ptr().cast();
        let place = Place { to: laid, step: VECTOR, apart: VECTOR, patches: laid, count: 0 };
        let mut source = Source::new(c, self.rows.products);
        for group in 0..c.groups {
            // Those that stay where they lie: a whole vector is read of each.
            let start = self.first * c.x.channels + group * depth;
            let vectors = c.x.data.len().checked_sub(start + VECTOR);
            let mut done = match vectors {
                Some(more) if self.point && c.window.stride == [1, 1] => {
                    (more / c.x.channels + 1).min(self.pixels)
                }
                _ => 0,
            };
            if done > 0 {
                let inputs = c.x.data.as_ptr().wrapping_add(start);
                self.multiply(group, (inputs, c.x.channels), 0, done, out);
            }
            if done == self.pixels {
                continue;
            }
            source.start(group, self.first + done);
            while done < self.pixels {
                let count = BATCH.min(self.pixels - done);
                // SAFETY: `conv` saw to room for so many pixels, and the input holds what windows read inside it.
                unsafe { source.next(count, place) };
                self.multiply(group, (laid, VECTOR), done, count, out);
                done += count;
            }
        }
    }

    /// `count` pixels from `at` on, whose inputs are so many bytes apart, by all channels of a group.
    fn multiply(
        &self,
        group: usize,
        (inputs, pitch): (*const i8, usize),
        at: usize,
        count: usize,
        out: &mut [i8],
    ) {
        let (channels, outputs) = (self.c.to.channels, self.rows.outputs);
        for channel in (0..outputs).step_by(QUAD) {
            let output = group * outputs + channel;
            let points = Points {
                inputs,
                pitch,
                pixels: count,
                quads: self.rows.quads(),
                weights: self.weights(group, channel),
                step: self.rows.width(channel / BLOCK) * QUAD,
                records: self.c.channels.records().as_ptr().wrapping_add(output),
                channels: QUAD.min(outputs - channel),
                out: out.as_mut_ptr().wrapping_add(at * channels + output),
                out_stride: channels,
                rounding: Rounding::new(&self.c.to),
            };
            // SAFETY: the caller has a whole vector for each pixel; `conv` checked weights and records, and results are there.
            unsafe { inner::points(&points) };
        }
    }
}
