//! The inputs of output pixels as rows of products: read where they stand, or gathered where padding
//! touches them.

use core::ops::Range;

use super::Tile;
use crate::kernels::copy::copy;
use crate::kernels::generic::Convolution;
use crate::network::QUAD;

/// Inputs of neighbouring output pixels. A pixel's row of products is made of runs of
/// neighbouring bytes: one for each row of the kernel.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Runs {
    /// The first pixel's first run.
    pub(in crate::kernels) from: *const i8,
    /// Bytes from one pixel's run to the next one's.
    pub(in crate::kernels) pixel: usize,
    /// Bytes from one run to the next.
    pub(in crate::kernels) line: usize,
    /// Runs of a pixel.
    pub(in crate::kernels) count: usize,
    /// Bytes of a run.
    pub(in crate::kernels) length: usize,
}

/// Output pixels whose windows lie inside the input, so that their inputs are plain runs of it.
pub(super) struct Inner {
    /// Rows of them.
    rows: Range<usize>,
    /// Columns of them.
    columns: Range<usize>,
    /// Columns of the output and of the input. A 1 × 1 kernel sees all pixels as one row.
    width: [usize; 2],
}

impl Inner {
    pub(super) fn new(c: &Convolution<'_>) -> Self {
        let window = c.window;
        let plain = [window.kernel, window.stride] == [[1, 1]; 2] && window.padding == [0, 0];
        if plain {
            let pixels = c.to.height * c.to.width;
            return Self { rows: 0..1, columns: 0..pixels, width: [pixels; 2] };
        }
        // Runs are whole rows of the kernel, unless its columns or their channels are apart.
        let runs = window.kernel[1] == 1 || (window.dilation[1] == 1 && c.groups == 1);
        let inside = |axis: usize, extent: usize, windows: usize| {
            let whole = usize::from(window.kernel[axis]);
            let is_whole = |&at: &usize| window.inside(axis, at, extent).len() == whole;
            let first = (0..windows).find(is_whole).unwrap_or(windows);
            first..(first..windows).rfind(is_whole).map_or(first, |last| last + 1)
        };
        Self {
            rows: if runs { inside(0, c.x.height, c.to.height) } else { 0..0 },
            columns: inside(1, c.x.width, c.to.width),
            width: [c.to.width, c.x.width],
        }
    }

    /// The runs of output pixel `index` and how many pixels behind it, itself included, go on
    /// likewise; `None` if padding touches its window.
    pub(super) fn runs(
        &self,
        c: &Convolution<'_>,
        index: usize,
        group: usize,
    ) -> Option<(Runs, usize)> {
        let (row, column) = (index / self.width[0], index % self.width[0]);
        if !self.rows.contains(&row) || !self.columns.contains(&column) {
            return None;
        }
        let (window, depth) = (c.window, c.x.channels / c.groups);
        let [count, width] = window.kernel.map(usize::from);
        let (y, x) = (window.position(0, row, 0), window.position(1, column, 0));
        let first = (y * self.width[1] + x) * c.x.channels + group * depth;
        let runs = Runs {
            from: c.x.data[first..].as_ptr(),
            pixel: usize::from(window.stride[1]) * c.x.channels,
            line: usize::from(window.dilation[0]) * self.width[1] * c.x.channels,
            count,
            length: width * depth,
        };
        Some((runs, self.columns.end - column))
    }
}

/// Lays the inputs of `count` output pixels from `first` on out as rows and prepares them.
///
/// # Safety
/// `rows` is writable as [`Tile::prepare`] says, and `patches` for the bytes of `count` rows.
pub(super) unsafe fn gather<T: Tile>(
    isa: T,
    c: &Convolution<'_>,
    inner: &Inner,
    (first, count): (usize, usize),
    group: usize,
    rows: *mut u8,
    patches: *mut i8,
) {
    let stride = c.weight_rows().quads() * QUAD;
    let patch_runs = Runs { from: patches, pixel: stride, line: 0, count: 1, length: stride };
    let mut done = 0;
    while done < count {
        let to = rows.wrapping_add(done * stride * T::WIDTH);
        let (runs, pixels) = inner.runs(c, first + done, group).unwrap_or((patch_runs, 0));
        let here = pixels.min(count - done);
        // SAFETY: the windows of `here` pixels lie inside the input; the caller vouches for both
        // buffers.
        unsafe {
            if here == 0 {
                patch(c, first + done, group, stride, patches);
                isa.prepare(&patch_runs, 1, to);
            } else if runs.count == 1 && runs.pixel == runs.length && runs.length == stride {
                // One row behind the other already.
                isa.prepare(&Runs { length: here * stride, ..runs }, 1, to);
            } else if T::ANY_LENGTH || runs.length.is_multiple_of(QUAD) {
                isa.prepare(&runs, here, to);
            } else {
                join(&runs, here, stride, patches);
                isa.prepare(&Runs { length: here * stride, ..patch_runs }, 1, to);
            }
        }
        done += here.max(1);
    }
}

/// Joins each pixel's runs, and fills them up to `stride` bytes.
///
/// # Safety
/// The runs are readable; `to` is writable for `stride` bytes a pixel.
unsafe fn join(runs: &Runs, pixels: usize, stride: usize, to: *mut i8) {
    for pixel in 0..pixels {
        let to = to.wrapping_add(pixel * stride);
        for run in 0..runs.count {
            let from = runs.from.wrapping_add(pixel * runs.pixel + run * runs.line);
            // SAFETY: the caller's; the runs are no longer than the row.
            unsafe { copy(from, runs.length, to.add(run * runs.length)) };
        }
        for at in runs.count * runs.length..stride {
            // SAFETY: `at` is below `stride`.
            unsafe { to.add(at).write(0) };
        }
    }
}

/// Writes what output pixel `index` reads, `[row][column][channel]`, filled up to `stride` bytes.
///
/// # Safety
/// `to` is writable for `stride` bytes.
unsafe fn patch(c: &Convolution<'_>, index: usize, group: usize, stride: usize, to: *mut i8) {
    let (window, depth) = (c.window, c.x.channels / c.groups);
    let (row, column) = (index / c.to.width, index % c.to.width);
    let rows = window.inside(0, row, c.x.height);
    let columns = window.inside(1, column, c.x.width);
    let [kernel_height, kernel_width] = window.kernel.map(usize::from);
    let joined = c.groups == 1 && window.dilation[1] == 1;
    let products = kernel_height * kernel_width * depth;
    // SAFETY: `products` is at most `stride`.
    unsafe {
        to.write_bytes(c.x.zero_point.cast_unsigned(), products);
        to.add(products).write_bytes(0, stride - products);
    }
    let runs = if joined { columns.len().min(1) } else { columns.len() };
    let length = if joined { columns.len() * depth } else { depth };
    for ky in rows {
        let line = window.position(0, row, ky) * c.x.width;
        for kx in columns.start..columns.start + runs {
            let pixel = line + window.position(1, column, kx);
            let source = &c.x.data[pixel * c.x.channels + group * depth..][..length];
            let at = (ky * kernel_width + kx) * depth;
            // SAFETY: the run ends at `products`, at most `stride`.
            unsafe { copy(source.as_ptr(), length, to.add(at)) };
        }
    }
}
