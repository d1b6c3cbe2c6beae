//! Convolutions as products of tiles: the part that all fast kernels share.
//!
//! A tile is a few output pixels. The inputs that each of them reads are laid out as one row of
//! products ([`Tile::prepare`]), once; then every panel of 32 output channels is multiplied,
//! requantised and stored while its sums are in registers ([`Tile::run`]). Small inputs are copied
//! with their padding around them, and read from there without being laid out.
#![allow(unsafe_code, reason = "kernels read and write through pointers that this driver bounds")]

mod ready;
mod runs;

use core::mem::MaybeUninit;

pub(super) use self::ready::read_records;
use self::ready::{CHUNK, Ready};
pub(super) use self::runs::Runs;
use self::runs::{Inner, gather};
use super::generic::{Convolution, Output};
use super::padded::Padded;
use crate::network::{BLOCK, QUAD, WeightRows};

/// Output channels of a panel.
pub(super) const PANEL: usize = 2 * BLOCK;

/// Bytes that may be written behind the last prepared row.
const SLACK: usize = 128;

/// Room for the longest row, of 2^16 products.
const LONGEST: usize = (1 << 16) + SLACK;

/// Room for rows where they are short: then no call has to touch much of the stack.
const SHORT: usize = 14 * 1024;

/// Most tiles that are laid out together: all of them use a panel's weights in turn.
const MOST_TILES: usize = 8;

/// Channels of a panel and the pixels of a tile.
#[derive(Debug)]
#[cfg_attr(
    target_arch = "wasm32",
    expect(dead_code, reason = "rows are prepared there, and never read in place")
)]
pub(in crate::kernels) struct Panel<'a> {
    /// The first pixel's first run of inputs, ready to be multiplied.
    pub(in crate::kernels) rows: *const u8,
    /// Bytes from one pixel's run to the next one's.
    pub(in crate::kernels) step: usize,
    /// Number of pixels.
    pub(in crate::kernels) pixels: usize,
    /// Runs of a pixel; 1, unless inputs are read in place.
    pub(in crate::kernels) runs: usize,
    /// Bytes from one run to the next.
    pub(in crate::kernels) line: usize,
    /// Groups of four products in a run.
    pub(in crate::kernels) quads: usize,
    /// Weights of the panel's blocks: all quads of one block, then of the next.
    pub(in crate::kernels) weights: &'a [i8],
    /// Output channels, 1 to [`PANEL`].
    pub(in crate::kernels) channels: usize,
    /// A bias for each of [`PANEL`] channels, what [`Tile::correct`] adds included.
    pub(in crate::kernels) bias: &'a [i32],
    /// A multiplier for each of them.
    pub(in crate::kernels) multiplier: &'a [f32],
    /// How results are rounded.
    pub(in crate::kernels) to: &'a Output,
    /// Where the first pixel's first channel goes; pixels are `out_stride` bytes apart.
    pub(in crate::kernels) out: *mut i8,
    /// Bytes from one pixel to the next.
    pub(in crate::kernels) out_stride: usize,
}

impl Panel<'_> {
    /// Channels that block 0 or 1 of the panel has room for; 0 if there is no such block.
    #[inline(always)]
    pub(in crate::kernels) fn width(&self, block: usize) -> usize {
        WeightRows { outputs: self.channels, products: 0 }.width(block)
    }
}

/// What an instruction set brings to a convolution.
pub(super) trait Tile: Copy {
    /// Most pixels of a tile.
    const PIXELS: usize;
    /// Bytes that stand for one input in a prepared row.
    const WIDTH: usize;
    /// Whether runs of any length are prepared in place, or only whole quads.
    const ANY_LENGTH: bool;
    /// Whether rows of products may be read where they stand, once [`ready`](Self::ready).
    const IN_PLACE: bool;
    /// Whether nothing has to be made ready: rows are multiplied as they are stored.
    const AS_STORED: bool;

    /// Makes the rows of `pixels` neighbouring output pixels ready for [`run`](Self::run), one
    /// behind the other: [`WIDTH`](Self::WIDTH) times as many bytes as they have products, rounded
    /// up to whole quads.
    ///
    /// # Safety
    /// All runs are readable, their lengths multiples of four unless
    /// [`ANY_LENGTH`](Self::ANY_LENGTH). `to` is writable for the rows and [`SLACK`] bytes more.
    unsafe fn prepare(self, runs: &Runs, pixels: usize, to: *mut u8);

    /// Makes a block of `width` channels ready: biases, with what must be added to them because of
    /// how rows are prepared, and multipliers.
    fn ready_block(
        self,
        records: &[[u8; 8]],
        weights: &[i8],
        width: usize,
        bias: &mut [i32; BLOCK],
        multiplier: &mut [f32; BLOCK],
    );

    /// Makes inputs ready to be multiplied in place.
    fn ready(self, bytes: &mut [i8]);

    /// Multiplies, requantises and stores one panel.
    ///
    /// # Safety
    /// `rows` holds what the panel says, made ready by this instruction set; `out` is writable for
    /// `channels` bytes of every pixel.
    unsafe fn run(self, panel: &Panel<'_>);
}

#[repr(align(64))]
struct Lines<const N: usize>([MaybeUninit<u8>; N]);

impl<const N: usize> Lines<N> {
    /// Nothing is written: what is read was written first.
    #[inline(always)]
    const fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; N])
    }
}

/// A convolution of the output pixels from `first` on that `out` holds.
pub(super) fn conv<T: Tile>(isa: T, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
    let window = c.window;
    let plain = [window.kernel, window.stride] == [[1, 1]; 2] && window.padding == [0, 0];
    if !plain {
        return padded(isa, c, first, out);
    }
    let depth = c.x.channels / c.groups;
    if T::PIXELS * depth * T::WIDTH + SLACK <= SHORT && depth.is_multiple_of(QUAD) {
        // No input is gathered.
        products::<T, SHORT, 0>(isa, c, T::AS_STORED.then_some(InPlace), first, out);
    } else {
        long(isa, c, None, first, out);
    }
}

/// Where padding may occur.
#[inline(never)]
fn padded<T: Tile>(isa: T, c: &Convolution<'_>, first: usize, out: &mut [i8]) {
    let mut room = Padded::new();
    let mut window = *c.window;
    let run = usize::from(window.kernel[1]) * c.x.channels;
    let whole = window.dilation[1] == 1 && c.groups == 1 && run.is_multiple_of(QUAD);
    let ready = |rows: &mut [i8]| {
        if T::IN_PLACE && whole {
            isa.ready(rows);
        }
    };
    let copy = room.pad(c, first, out.len() / c.to.channels, &mut window, ready);
    let stands_ready = T::AS_STORED || (T::IN_PLACE && copy.is_some());
    let in_place = (stands_ready && whole).then_some(InPlace);
    let c = &copy.unwrap_or(*c);
    if T::PIXELS * c.weight_rows().quads() * QUAD * T::WIDTH + SLACK <= SHORT {
        products::<T, SHORT, SHORT>(isa, c, in_place, first, out);
    } else {
        long(isa, c, in_place, first, out);
    }
}

/// For rows of any length.
fn long<T: Tile>(
    isa: T,
    c: &Convolution<'_>,
    in_place: Option<InPlace>,
    first: usize,
    out: &mut [i8],
) {
    products::<T, { 2 * LONGEST }, LONGEST>(isa, c, in_place, first, out);
}

/// Says that inputs that no padding touches stand [ready](Tile::ready) to be multiplied.
struct InPlace;

/// `ROWS` and `PATCHES` are the bytes for prepared rows and for gathered inputs.
#[inline(never)]
fn products<T: Tile, const ROWS: usize, const PATCHES: usize>(
    isa: T,
    c: &Convolution<'_>,
    in_place: Option<InPlace>,
    first: usize,
    out: &mut [i8],
) {
    let (mut prepared, mut patches) = (Lines::<ROWS>::new(), Lines::<PATCHES>::new());
    let prepared: *mut u8 = prepared.0.as_mut_ptr().cast();
    let patches: *mut i8 = patches.0.as_mut_ptr().cast();
    let mut ready = Ready::new();
    let rows = c.weight_rows();
    let group_bytes = rows.bytes().unwrap_or(0);
    let stride = rows.quads() * QUAD;
    let step = stride * T::WIDTH;
    assert!(step + SLACK <= ROWS, "a pack holds at most 2^16 products");
    let room = (ROWS - SLACK) / step;
    let room = if PATCHES == 0 { room } else { room.min(PATCHES / stride) };
    let most = if room < T::PIXELS { room } else { room.min(MOST_TILES * T::PIXELS) };
    let most = if room < T::PIXELS { most } else { most - most % T::PIXELS };
    let block_bytes = stride * BLOCK;
    let inner = Inner::new(c);
    let pixels = out.len() / c.to.channels;
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
                let left = pixels - done;
                let (runs, count) = match inner.runs(c, first + done, group) {
                    Some((runs, row)) if in_place.is_some() => (runs, row.min(left)),
                    _ => {
                        // Beside inputs in place, single pixels that padding touches.
                        let count = if in_place.is_some() { 1 } else { left.min(most) };
                        // SAFETY: `most` rows fit in `prepared`, and as many in `patches`, if any
                        // are gathered.
                        unsafe {
                            let part = (first + done, count);
                            gather(isa, c, &inner, part, group, prepared, patches);
                        }
                        let from = prepared.cast();
                        (Runs { from, pixel: step, line: 0, count: 1, length: stride }, count)
                    }
                };
                for panel in (0..channels).step_by(PANEL) {
                    let at = done * c.to.channels + first_output + chunk + panel;
                    let end = at + (count - 1) * c.to.channels + (channels - panel).min(PANEL);
                    let results = &mut out[at..end];
                    let panel = Panel {
                        rows: runs.from.cast(),
                        step: runs.pixel,
                        pixels: count,
                        runs: runs.count,
                        line: runs.line,
                        quads: runs.length / QUAD,
                        weights: &weights[panel / BLOCK * block_bytes..],
                        channels: (channels - panel).min(PANEL),
                        bias: &bias[panel..][..PANEL],
                        multiplier: &multiplier[panel..][..PANEL],
                        to: &c.to,
                        out: results.as_mut_ptr(),
                        out_stride: c.to.channels,
                    };
                    // SAFETY: `gather` prepared `count` rows, or as many stand ready in the copy;
                    // `results` reaches from the first pixel's first channel to the last pixel's
                    // last one.
                    unsafe { isa.run(&panel) };
                }
                done += count;
            }
        }
    }
}
