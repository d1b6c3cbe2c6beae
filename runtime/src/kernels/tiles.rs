//! Convolutions as products of tiles: the part that all fast kernels share.
//!
//! A tile is a few output pixels. The inputs that each of them reads are laid out as one row of
//! products ([`Tile::prepare`]), once; then every panel of 32 output channels is multiplied,
//! requantised and stored while its sums are in registers ([`Tile::run`]). Pixels whose windows
//! lie inside the input are read in place; what padding touches is gathered by portable code.
#![allow(unsafe_code, reason = "kernels read and write through pointers that this driver bounds")]

use core::mem::MaybeUninit;
use core::ops::Range;

use super::generic::{Convolution, Output, Tensor};
use crate::backbone::{BLOCK, QUAD, WeightRows, Window};

/// Output channels of a panel.
pub(super) const PANEL: usize = 2 * BLOCK;

/// Output channels whose biases are made ready together.
const CHUNK: usize = 1024;

/// Bytes of an input row that fit where several rows stand side by side: 512 channels of a 3 × 3
/// kernel, and room for a vector that is written past the end.
pub(super) const ROW: usize = 512 * 9 + 128;

/// Bytes of the longest row, of 2^16 products.
pub(super) const LONGEST: usize = (1 << 16) + 64;

/// Bytes of the largest input that is copied with its padding: of larger ones, padding touches few
/// pixels.
const PADDED: usize = 1 << 16;

/// Channels of a panel and the pixels of a tile.
#[derive(Debug)]
pub(super) struct Panel<'a> {
    /// Prepared rows of `quads` quads, [`Tile::STRIDE`] bytes apart.
    pub(super) rows: *const u8,
    /// Number of rows, at most [`Tile::PIXELS`].
    pub(super) pixels: usize,
    /// Groups of four products.
    pub(super) quads: usize,
    /// Weights of the panel's blocks: `quads` of one block, then of the next.
    pub(super) weights: &'a [i8],
    /// Output channels, 1 to [`PANEL`].
    pub(super) channels: usize,
    /// A bias for each of [`PANEL`] channels, what [`Tile::correct`] adds included.
    pub(super) bias: &'a [i32],
    /// A multiplier for each of them.
    pub(super) multiplier: &'a [f32],
    /// How results are rounded.
    pub(super) to: &'a Output,
    /// Where the first pixel's first channel goes; pixels are `out_stride` bytes apart.
    pub(super) out: *mut i8,
    /// Bytes from one pixel to the next.
    pub(super) out_stride: usize,
}

impl Panel<'_> {
    /// Channels that block 0 or 1 of the panel has room for; 0 if there is no such block.
    #[inline(always)]
    pub(super) fn width(&self, block: usize) -> usize {
        WeightRows { outputs: self.channels, products: 0 }.width(block)
    }
}

/// Inputs of neighbouring output pixels. A pixel's row of products is made of runs of
/// neighbouring bytes: one for each row of the kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Runs {
    /// The first pixel's first run.
    pub(super) from: *const i8,
    /// Bytes from one pixel's run to the next one's.
    pub(super) pixel: usize,
    /// Bytes from one run to the next.
    pub(super) line: usize,
    /// Runs of a pixel.
    pub(super) count: usize,
    /// Bytes of a run.
    pub(super) length: usize,
}

/// What an instruction set brings to a convolution.
pub(super) trait Tile: Copy {
    /// Most pixels of a tile.
    const PIXELS: usize;
    /// Bytes that stand for one input in a prepared row.
    const WIDTH: usize;
    /// Bytes from one prepared row to the next.
    const STRIDE: usize = ROW * Self::WIDTH;

    /// Whether runs of any length are prepared in place, or only whole quads.
    const ANY_LENGTH: bool;

    /// Whether `bytes` of scratch memory hold a tile's prepared rows.
    fn fits(bytes: usize) -> bool {
        bytes >= Self::PIXELS * Self::STRIDE && bytes >= LONGEST * Self::WIDTH
    }

    /// Makes the rows of `pixels` neighbouring output pixels ready for [`run`](Self::run).
    ///
    /// # Safety
    /// All runs are readable, their lengths multiples of four unless
    /// [`ANY_LENGTH`](Self::ANY_LENGTH). `to` is writable for as many rows,
    /// [`STRIDE`](Self::STRIDE) bytes apart, and 64 bytes more.
    unsafe fn prepare(self, runs: &Runs, pixels: usize, to: *mut u8);

    /// What a block's biases must have added because of how rows are prepared. `weights` is a block
    /// of `width` channels.
    fn correct(self, weights: &[i8], width: usize, bias: &mut [i32]);

    /// Multiplies, requantises and stores one panel.
    ///
    /// # Safety
    /// `rows` holds what the panel says, prepared by this instruction set; `out` is writable for
    /// `channels` bytes of every pixel.
    unsafe fn run(self, panel: &Panel<'_>);
}

/// Memory that a convolution works in.
#[derive(Debug)]
pub(super) struct Scratch<const ROWS: usize> {
    /// Rows as the kernel reads them.
    rows: Lines<ROWS>,
    /// Inputs that were gathered for a tile.
    patches: Lines<{ 14 * ROW }>,
    /// The input with its padding around it.
    padded: Lines<PADDED>,
}

#[derive(Debug)]
#[repr(align(64))]
struct Lines<const N: usize>([MaybeUninit<u8>; N]);

impl<const ROWS: usize> Scratch<ROWS> {
    /// Nothing is written: what is read was written first.
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self {
            rows: Lines([const { MaybeUninit::uninit() }; ROWS]),
            patches: Lines([const { MaybeUninit::uninit() }; 14 * ROW]),
            padded: Lines([const { MaybeUninit::uninit() }; PADDED]),
        }
    }
}

const _: () = assert!(14 * ROW >= LONGEST, "a row of the most products fits");

/// Biases and multipliers of up to [`CHUNK`] channels, and a panel's worth of room behind them.
struct Ready {
    bias: [MaybeUninit<i32>; CHUNK + PANEL],
    multiplier: [MaybeUninit<f32>; CHUNK + PANEL],
}

impl Ready {
    const fn new() -> Self {
        Self {
            bias: [const { MaybeUninit::uninit() }; CHUNK + PANEL],
            multiplier: [const { MaybeUninit::uninit() }; CHUNK + PANEL],
        }
    }

    /// Makes `channels` ready, the last panel filled up with zeros.
    fn fill<'r, T: Tile>(
        &'r mut self,
        isa: T,
        records: &[[u8; 8]],
        weights: &[i8],
        stride: usize,
    ) -> (&'r [i32], &'r [f32]) {
        let channels = records.len();
        let whole = channels.next_multiple_of(PANEL);
        let bias = &mut self.bias[..whole];
        let multiplier = &mut self.multiplier[..whole];
        for (at, (bias, multiplier)) in bias.iter_mut().zip(&mut *multiplier).enumerate() {
            let [a, b, c, d, e, f, g, h] = records.get(at).copied().unwrap_or_default();
            bias.write(i32::from_le_bytes([a, b, c, d]));
            multiplier.write(f32::from_le_bytes([e, f, g, h]));
        }
        // SAFETY: the loop wrote all of both.
        let (bias, multiplier) = unsafe { (bias.assume_init_mut(), multiplier.assume_init_ref()) };
        let blocks = WeightRows { outputs: channels, products: stride };
        for block in 0..channels.div_ceil(BLOCK) {
            let width = blocks.width(block);
            let weights = &weights[block * BLOCK * stride..][..width * stride];
            isa.correct(weights, width, &mut bias[block * BLOCK..][..BLOCK]);
        }
        (bias, multiplier)
    }
}

/// A convolution of the output pixels from `first` on that `out` holds.
pub(super) fn conv<T: Tile, const ROWS: usize>(
    isa: T,
    c: &Convolution<'_>,
    first: usize,
    out: &mut [i8],
    scratch: &mut Scratch<ROWS>,
) {
    let Scratch { rows: tile, patches, padded } = scratch;
    let mut window = *c.window;
    let c = &padded.pad(c, first, out.len() / c.to.channels, &mut window).unwrap_or(*c);
    let rows = c.weight_rows();
    let group_bytes = rows.bytes().unwrap_or(0);
    let stride = rows.quads() * QUAD;
    assert!(stride + 64 <= LONGEST && T::fits(ROWS), "a pack holds at most 2^16 products");
    let most = if stride + 64 <= ROW { T::PIXELS } else { 1 };
    let mut ready = Ready::new();
    let block_bytes = stride * BLOCK;
    let pixels = out.len() / c.to.channels;
    let inner = Inner::new(c);
    for group in 0..c.groups {
        let weights = &c.weights[group * group_bytes..][..group_bytes];
        let first_output = group * rows.outputs;
        for chunk in (0..rows.outputs).step_by(CHUNK) {
            let channels = (rows.outputs - chunk).min(CHUNK);
            let weights = &weights[chunk / BLOCK * block_bytes..];
            let records = &c.channels.records()[first_output + chunk..][..channels];
            let (bias, multiplier) = ready.fill(isa, records, weights, stride);
            let mut done = 0;
            while done < pixels {
                let count = (pixels - done).min(most);
                gather(isa, c, &inner, first + done, count, group, (tile, patches));
                for panel in (0..channels).step_by(PANEL) {
                    let at = done * c.to.channels + first_output + chunk + panel;
                    let end = at + (count - 1) * c.to.channels + (channels - panel).min(PANEL);
                    let results = &mut out[at..end];
                    let panel = Panel {
                        rows: tile.0.as_ptr().cast(),
                        pixels: count,
                        quads: rows.quads(),
                        weights: &weights[panel / BLOCK * block_bytes..],
                        channels: (channels - panel).min(PANEL),
                        bias: &bias[panel..][..PANEL],
                        multiplier: &multiplier[panel..][..PANEL],
                        to: &c.to,
                        out: results.as_mut_ptr(),
                        out_stride: c.to.channels,
                    };
                    // SAFETY: `gather` prepared `count` rows; `results` reaches from the first
                    // pixel's first channel to the last pixel's last one.
                    unsafe { isa.run(&panel) };
                }
                done += count;
            }
        }
    }
}

impl Lines<PADDED> {
    /// The same convolution of a copy of its input that has the padding around it, where there is
    /// some and the copy fits: of the `count` output pixels from `first` on, as far as they read.
    fn pad<'s>(
        &'s mut self,
        c: &Convolution<'s>,
        first: usize,
        count: usize,
        window: &'s mut Window,
    ) -> Option<Convolution<'s>> {
        let reach = |axis: usize, outputs: usize| {
            let dilation = usize::from(window.dilation[axis]);
            (outputs - 1) * usize::from(window.stride[axis])
                + (usize::from(window.kernel[axis]) - 1) * dilation
                + 1
        };
        let (x, padding) = (c.x, window.padding.map(usize::from));
        let (height, width) = (reach(0, c.to.height), reach(1, c.to.width));
        let bytes = height.checked_mul(width)?.checked_mul(x.channels)?;
        let touched = padding != [0, 0] || height > x.height || width > x.width;
        if !touched || bytes > PADDED || count == 0 {
            return None;
        }
        let stride = usize::from(window.stride[0]);
        let last = (first + count - 1) / c.to.width - first / c.to.width;
        let from = first / c.to.width * stride;
        let read = from..from + reach(0, last + 1);
        let to: *mut i8 = self.0.as_mut_ptr().cast();
        let zero_point = x.zero_point.cast_unsigned();
        let (line, before) = (width * x.channels, padding[1] * x.channels);
        let inside = x.width.min(width - padding[1]) * x.channels;
        for row in read {
            let source = row.checked_sub(padding[0]).filter(|&y| y < x.height);
            // SAFETY: rows are below `height`, so that all of this lies in the copy's `bytes`.
            unsafe {
                let to = to.add(row * line);
                let Some(y) = source else {
                    to.write_bytes(zero_point, line);
                    continue;
                };
                let source = &x.data[y * x.width * x.channels..][..inside];
                to.write_bytes(zero_point, before);
                copy(source.as_ptr(), inside, to.add(before));
                to.add(before + inside).write_bytes(zero_point, line - before - inside);
            }
        }
        window.padding = [0, 0];
        // SAFETY: the rows that these output pixels read were written above; others are not read.
        let data = unsafe { core::slice::from_raw_parts(to, bytes) };
        Some(Convolution { x: Tensor { data, height, width, ..x }, window, ..*c })
    }
}

/// Output pixels whose windows lie inside the input, so that their inputs are plain runs of it.
struct Inner {
    /// Rows of them.
    rows: Range<usize>,
    /// Columns of them.
    columns: Range<usize>,
    /// Columns of the output and of the input. A 1 × 1 kernel sees all pixels as one row.
    width: [usize; 2],
}

impl Inner {
    fn new(c: &Convolution<'_>) -> Self {
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
    fn runs(&self, c: &Convolution<'_>, index: usize, group: usize) -> Option<(Runs, usize)> {
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

/// Lays the inputs of `count` output pixels out as rows and prepares them.
fn gather<T: Tile, const ROWS: usize>(
    isa: T,
    c: &Convolution<'_>,
    inner: &Inner,
    first: usize,
    count: usize,
    group: usize,
    (rows, patches): (&mut Lines<ROWS>, &mut Lines<{ 14 * ROW }>),
) {
    let stride = c.weight_rows().quads() * QUAD;
    let to: *mut u8 = rows.0.as_mut_ptr().cast();
    let patches: *mut i8 = patches.0.as_mut_ptr().cast();
    let patch_runs =
        Runs { from: patches, pixel: stride, line: 0, count: 1, length: stride };
    let mut done = 0;
    while done < count {
        let to = to.wrapping_add(done * T::STRIDE);
        let (runs, pixels) = inner.runs(c, first + done, group).unwrap_or((patch_runs, 0));
        let here = pixels.min(count - done);
        // SAFETY: the windows of `here` pixels lie inside the input; `conv` checked that `count`
        // rows fit in `rows` and, of `stride` bytes, in `patches`, and 64 bytes more in each.
        unsafe {
            if here == 0 {
                patch(c, first + done, group, stride, patches);
                isa.prepare(&patch_runs, 1, to);
            } else if T::ANY_LENGTH || runs.length.is_multiple_of(QUAD) {
                isa.prepare(&runs, here, to);
            } else {
                join(&runs, here, stride, patches);
                isa.prepare(&patch_runs, here, to);
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

/// Copies `length` bytes between memory that does not overlap. Short runs are a few moves and no
/// call.
///
/// # Safety
/// `from` is readable and `to` writable for `length` bytes.
#[inline(always)]
pub(super) unsafe fn copy(from: *const i8, length: usize, to: *mut i8) {
    /// Whole units, and the last one again where they do not end with the run.
    #[inline(always)]
    unsafe fn units<U>(from: *const i8, length: usize, to: *mut i8) {
        let unit = size_of::<U>();
        let mut at = 0;
        while at < length {
            let here = at.min(length - unit);
            // SAFETY: the unit ends with the run or before.
            unsafe {
                to.add(here).cast::<U>().write_unaligned(from.add(here).cast::<U>().read_unaligned());
            }
            at += unit;
        }
    }
    // SAFETY: the caller's; units are no longer than the run.
    unsafe {
        match length {
            0 => (),
            1 => to.write(from.read()),
            2..4 => units::<[u8; 2]>(from, length, to),
            4..8 => units::<u32>(from, length, to),
            8..16 => units::<u64>(from, length, to),
            16..=256 => units::<u128>(from, length, to),
            _ => to.copy_from_nonoverlapping(from, length),
        }
    }
}
