//! Lays out what output pixels read.
#![allow(unsafe_code, reason = "the inner loops take pointers that this bounds")]

use core::ops::Range;

use super::super::generic::Convolution;
use super::{Rows, VECTOR, inner};

/// Where pixels go.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The first one's first vector.
    pub(super) to: *mut i8,
    /// Bytes from a pixel's vector to its next one.
    pub(super) step: usize,
    /// Bytes from a pixel's first vector to the next one's.
    pub(super) apart: usize,
    /// Where pixels are put together whose rows do not begin at a vector, if `step` is not that of a vector.
    pub(super) patches: *mut i8,
    /// How many there is room for.
    pub(super) count: usize,
}

/// Output pixels in their order.
pub(super) struct Source<'a> {
    c: &'a Convolution<'a>,
    /// Inputs of a tap.
    depth: usize,
    /// Products of an output.
    products: usize,
    /// Bytes from a tap to the next in its row, and to the one below.
    taps: [usize; 2],
    /// Columns of input and output. All pixels are one row where each reads just the one at its place.
    columns: [usize; 2],
    /// Whether neighbouring taps of a kernel row are neighbours in memory.
    joined: bool,
    /// Output columns whose windows lie between the input's edges.
    inner: Range<usize>,
    group: usize,
    /// The next output pixel.
    place: [usize; 2],
    /// The kernel's rows that lie inside the input at this output row.
    rows: Range<usize>,
    /// What tap 0 of the row's first pixel reads, be it inside the input or not.
    from: *const i8,
}

impl<'a> Source<'a> {
    pub(super) fn new(c: &'a Convolution<'a>, products: usize) -> Self {
        let (window, x) = (c.window, &c.x);
        let [below, beside] = window.dilation.map(usize::from);
        let [stride, before] = [window.stride[1], window.padding[1]].map(usize::from);
        let still = window.kernel == [1, 1] && window.stride == [1, 1] && window.padding == [0, 0];
        let columns = if still { [x.height * x.width; 2] } else { [x.width, c.to.width] };
        let reach = (usize::from(window.kernel[1]) - 1) * beside + 1;
        let end = (columns[0] + before).checked_sub(reach).map_or(0, |last| last / stride + 1);
        Self {
            c,
            depth: x.channels / c.groups,
            products,
            taps: [beside * x.channels, below * x.width * x.channels],
            columns,
            joined: (c.groups == 1 && beside == 1) || window.kernel[1] == 1,
            inner: before.div_ceil(stride)..end,
            group: 0,
            place: [0, 0],
            rows: 0..0,
            from: x.data.as_ptr(),
        }
    }

    /// Goes to output pixel `index` of a group.
    pub(super) fn start(&mut self, group: usize, index: usize) {
        self.group = group;
        self.place = [index / self.columns[1], index % self.columns[1]];
        self.start_row();
    }

    fn start_row(&mut self) {
        let (window, x, row) = (self.c.window, &self.c.x, self.place[0]);
        self.rows = window.inside(0, row, x.height);
        let [above, before] = window.padding.map(usize::from);
        let top = row * usize::from(window.stride[0]) * self.columns[0];
        self.from = (x.data.as_ptr())
            .wrapping_add(top * x.channels + self.group * self.depth)
            .wrapping_sub((above * self.columns[0] + before) * x.channels);
    }

    /// Lays out the inputs of the next `count` output pixels.
    ///
    /// # Safety
    /// All vectors and patches are writable; the input holds all that windows read inside it.
    pub(super) unsafe fn next(&mut self, mut count: usize, mut place: Place) {
        let [height, width] = self.c.window.kernel.map(usize::from);
        let across = usize::from(self.c.window.stride[1]) * self.c.x.channels;
        let length = width * self.depth;
        let packed = place.step == VECTOR;
        let direct = packed || height == 1 || length.is_multiple_of(VECTOR);
        while count > 0 {
            let column = self.place[1];
            let from = self.from.wrapping_add(column * across);
            let mut rows = Rows {
                from,
                to: place.to,
                length,
                line: self.taps[1],
                rows: height,
                step: place.step,
                advance: if packed { length } else { length / VECTOR * place.step },
                pixels: 1,
                across,
                apart: place.apart,
            };
            let whole = self.joined && self.rows.len() == height && self.inner.contains(&column);
            if whole {
                rows.pixels = count.min(self.inner.end - column);
            }
            // SAFETY: as the function's.
            unsafe {
                if whole && direct {
                    inner::copy(&rows);
                } else {
                    let pitch = self.products.next_multiple_of(VECTOR);
                    let to = if packed { place.to } else { place.patches };
                    if whole {
                        rows.pixels = rows.pixels.min(place.count);
                        inner::copy(&Rows {
                            to,
                            step: VECTOR,
                            advance: length,
                            apart: pitch,
                            ..rows
                        });
                    } else {
                        self.clip(from, to);
                    }
                    if !packed {
                        let (from, length) = (to, self.products);
                        inner::copy(&Rows { from, length, rows: 1, across: pitch, ..rows });
                    }
                }
            }
            count -= rows.pixels;
            place.to = place.to.wrapping_add(rows.pixels * place.apart);
            self.place[1] += rows.pixels;
            if self.place[1] == self.columns[1] {
                self.place = [self.place[0] + 1, 0];
                self.start_row();
            }
        }
    }

    /// Puts the inputs of a pixel one behind the other; what lies outside is the zero point.
    ///
    /// # Safety
    /// As [`next`](Self::next)'s.
    unsafe fn clip(&self, from: *const i8, to: *mut i8) {
        let (window, x) = (self.c.window, &self.c.x);
        let width = usize::from(window.kernel[1]);
        let columns = window.inside(1, self.place[1], x.width);
        // Taps one by one where they are not neighbours.
        let (runs, taps) = if self.joined { (1, columns.len()) } else { (columns.len(), 1) };
        // SAFETY: as the function's; what is read lies inside the input.
        unsafe {
            inner::fill(to, self.products, x.zero_point);
            if self.rows.is_empty() || columns.is_empty() {
                return;
            }
            for run in columns.start..columns.start + runs {
                let at = self.rows.start * self.taps[1] + run * self.taps[0];
                inner::copy(&Rows {
                    from: from.wrapping_add(at),
                    to: to.add((self.rows.start * width + run) * self.depth),
                    length: taps * self.depth,
                    line: self.taps[1],
                    rows: self.rows.len(),
                    step: VECTOR,
                    advance: width * self.depth,
                    pixels: 1,
                    across: 0,
                    apart: 0,
                });
            }
        }
    }
}
