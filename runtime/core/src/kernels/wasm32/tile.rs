use core::arch::wasm32::*;

use super::Simd128;
use super::requantise::{Requantise, store};
use crate::kernels::tiles::{Panel, Runs, Tile, read_records};
use crate::network::{BLOCK, QUAD};

/// Channels whose sums are in registers together: with five pixels ten vectors of the sixteen that x86-64 has.
const HALF: usize = BLOCK / 2;

impl Tile for Simd128 {
    const PIXELS: usize = 5;
    const WIDTH: usize = 2;
    const ANY_LENGTH: bool = false;
    const IN_PLACE: bool = false;
    const AS_STORED: bool = false;

    unsafe fn prepare(self, runs: &Runs, pixels: usize, to: *mut u8) {
        // SAFETY: the caller's.
        unsafe { widen(runs, pixels, to) }
    }

    fn ready_block(
        self,
        records: &[[u8; 8]],
        _weights: &[i8],
        _width: usize,
        bias: &mut [i32; BLOCK],
        multiplier: &mut [f32; BLOCK],
    ) {
        read_records(records, bias, multiplier);
    }

    fn ready(self, _bytes: &mut [i8]) {}

    unsafe fn run(self, panel: &Panel<'_>) {
        for first in (0..panel.channels).step_by(HALF) {
            let mut done = 0;
            while done < panel.pixels {
                // SAFETY: the panel has these channels; `done` and the pixels behind it are below `pixels`.
                unsafe {
                    done += match panel.pixels - done {
                        5.. => multiply::<5>(panel, first, done),
                        4 => multiply::<4>(panel, first, done),
                        3 => multiply::<3>(panel, first, done),
                        2 => multiply::<2>(panel, first, done),
                        _ => multiply::<1>(panel, first, done),
                    };
                }
            }
        }
    }
}

/// The even bytes of every dword as int16.
#[inline(always)]
fn even(bytes: v128) -> v128 {
    i16x8_shr(i16x8_shl(bytes, 8), 8)
}

/// The odd ones.
#[inline(always)]
fn odd(bytes: v128) -> v128 {
    i16x8_shr(bytes, 8)
}

/// Widens every quad to two pairs of int16: its even inputs, then its odd ones.
///
/// # Safety
/// As [`Tile::prepare`] says.
unsafe fn widen(runs: &Runs, pixels: usize, to: *mut u8) {
    let mut to = to;
    for pixel in 0..pixels {
        for run in 0..runs.count {
            let from = runs.from.wrapping_add(pixel * runs.pixel + run * runs.line);
            let mut at = 0;
            while at < runs.length {
                // SAFETY: whole vectors are loaded where the run has them, single quads else; twice as many bytes are written.
                unsafe {
                    let source = from.add(at);
                    if at + 16 <= runs.length {
                        let bytes = v128_load(source.cast());
                        let (even, odd) = (even(bytes), odd(bytes));
                        v128_store(to.cast(), i32x4_shuffle::<0, 4, 1, 5>(even, odd));
                        v128_store(to.add(16).cast(), i32x4_shuffle::<2, 6, 3, 7>(even, odd));
                        (at, to) = (at + 16, to.add(32));
                    } else {
                        let bytes = v128_load32_zero(source.cast());
                        let pairs = i32x4_shuffle::<0, 4, 1, 5>(even(bytes), odd(bytes));
                        v128_store64_lane::<0>(pairs, to.cast());
                        (at, to) = (at + QUAD, to.add(2 * QUAD));
                    }
                }
            }
        }
    }
}

/// Multiplies `M` rows from `first` on with up to eight channels from `channel` on.
///
/// # Safety
/// As [`Tile::run`] says; `channel` is a multiple of eight below the panel's channels, `first + M` at most its pixels.
unsafe fn multiply<const M: usize>(panel: &Panel<'_>, channel: usize, first: usize) -> usize {
    // SAFETY: the caller's; four channels or eight have room in a block.
    unsafe {
        if panel.width(channel / BLOCK) - channel % BLOCK >= HALF {
            products::<M, 2>(panel, channel, first)
        } else {
            products::<M, 1>(panel, channel, first)
        }
    }
}

/// See [`multiply`]; `V` vectors of four channels.
#[inline(always)]
unsafe fn products<const M: usize, const V: usize>(
    panel: &Panel<'_>,
    channel: usize,
    first: usize,
) -> usize {
    let (block, within) = (channel / BLOCK, channel % BLOCK);
    let (step, width) = (panel.step, panel.width(block) * QUAD);
    let before = block * panel.quads * BLOCK * QUAD + within * QUAD;
    let mut row = panel.rows.wrapping_add(first * step);
    let mut weights = panel.weights.as_ptr().wrapping_add(before);
    let mut bias = [i32x4_splat(0); 2];
    let mut multiplier = [f32x4_splat(0.0); 2];
    unroll!(v in [0 1], below V => {
        // SAFETY: biases and multipliers of a whole panel are there.
        unsafe {
            bias[v] = v128_load(panel.bias.as_ptr().add(channel + 4 * v).cast());
            multiplier[v] = v128_load(panel.multiplier.as_ptr().add(channel + 4 * v).cast());
        }
    });
    let mut sums = [bias; M];
    for _ in 0..panel.quads {
        unroll!(parity in [0 1], below 2 => {
            let mut w = [i32x4_splat(0); 2];
            unroll!(v in [0 1], below V => {
                // SAFETY: a quad has as many vectors. They are loaded for each parity: registers are few.
                let bytes = unsafe { v128_load(weights.add(16 * v).cast()) };
                w[v] = if parity == 0 { even(bytes) } else { odd(bytes) };
            });
            unroll!(m in [0 1 2 3 4], below M => {
                // SAFETY: row `m` has `quads` pairs of each parity.
                let inputs = unsafe { v128_load32_splat(row.add(m * step + parity * QUAD).cast()) };
                unroll!(v in [0 1], below V => {
                    sums[m][v] = i32x4_add(sums[m][v], i32x4_dot_i16x8(inputs, w[v]));
                });
            });
        });
        row = row.wrapping_add(2 * QUAD);
        weights = weights.wrapping_add(width);
    }
    let requantise = Requantise::new(panel.to);
    let count = (panel.channels - channel).min(4 * V);
    unroll!(m in [0 1 2 3 4], below M => {
        let words = requantise.sums(sums[m], multiplier);
        // SAFETY: the store keeps to the panel's channels.
        unsafe { store(words, count, panel.out.add((first + m) * panel.out_stride + channel)) };
    });
    M
}
