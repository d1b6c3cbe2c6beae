use core::arch::aarch64::*;
use core::arch::asm;

use super::requantise::{Requantise, integers, reals, store};
use super::{DotProd, Neon};
use crate::kernels::copy::copy;
use crate::kernels::tiles::{Panel, Runs, Tile, read_records};
use crate::network::{BLOCK, QUAD};

/// Most pixels of a tile: five times four sums, four weights, inputs and products.
pub(super) const PIXELS: usize = 5;

macro_rules! tile {
    ($token:ident, $multiply:ident) => {
        impl Tile for $token {
            const PIXELS: usize = PIXELS;
            const WIDTH: usize = 1;
            const ANY_LENGTH: bool = true;
            const IN_PLACE: bool = true;
            const AS_STORED: bool = true;

            unsafe fn prepare(self, runs: &Runs, pixels: usize, to: *mut u8) {
                let products = runs.count * runs.length;
                for pixel in 0..pixels {
                    let from = runs.from.wrapping_add(pixel * runs.pixel);
                    let to = to.wrapping_add(pixel * products.next_multiple_of(QUAD)).cast::<i8>();
                    // SAFETY: the caller vouches for both rows, which lie in different memory.
                    unsafe {
                        for run in 0..runs.count {
                            let from = from.wrapping_add(run * runs.line);
                            copy(from, runs.length, to.add(run * runs.length));
                        }
                        // The last quad's weights are zero there.
                        to.add(products).cast::<u32>().write_unaligned(0);
                    }
                }
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
                for block in 0..panel.channels.div_ceil(BLOCK) {
                    let mut done = 0;
                    while done < panel.pixels {
                        // SAFETY: the token proves the features; `done` and the pixels behind it
                        // are below `pixels`, which the caller vouches for.
                        unsafe {
                            done += match panel.pixels - done {
                                6 => $multiply::<3>(panel, block, done),
                                7 | 8 => $multiply::<4>(panel, block, done),
                                5.. => $multiply::<5>(panel, block, done),
                                4 => $multiply::<4>(panel, block, done),
                                3 => $multiply::<3>(panel, block, done),
                                2 => $multiply::<2>(panel, block, done),
                                _ => $multiply::<1>(panel, block, done),
                            };
                        }
                    }
                }
            }
        }
    };
}

tile!(DotProd, dot);
tile!(Neon, widen);

/// A block of a panel as the inner loops read it.
struct Block {
    weights: *const i8,
    width: usize,
    sums: [int32x4_t; 4],
    multiplier: [float32x4_t; 4],
}

/// # Safety
/// As [`Tile::run`] says.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn block(panel: &Panel<'_>, block: usize) -> Block {
    let before = block * panel.runs * panel.quads * BLOCK * QUAD;
    // SAFETY: biases and multipliers of a whole panel are there, and the weights of its blocks.
    unsafe {
        let bias = panel.bias.as_ptr().add(block * BLOCK);
        let multiplier = panel.multiplier.as_ptr().add(block * BLOCK);
        Block {
            weights: panel.weights.as_ptr().add(before),
            width: panel.width(block),
            sums: integers(bias),
            multiplier: reals(multiplier),
        }
    }
}

/// One quad of weights of a block's channels, four channels a vector.
///
/// # Safety
/// `at` is readable for `width` quads.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn load(at: *const i8, width: usize) -> [int8x16_t; 4] {
    let mut w = [vdupq_n_s8(0); 4];
    unroll!(v in [0 1 2 3], below 4 => {
        if width == BLOCK || v * 4 < width {
            // SAFETY: the caller's; widths are multiples of four.
            w[v] = unsafe { vld1q_s8(at.add(v * 16)) };
        }
    });
    w
}

/// # Safety
/// As [`Tile::run`] says.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn finish<const M: usize>(
    panel: &Panel<'_>,
    index: usize,
    first: usize,
    sums: [[int32x4_t; 4]; M],
    multiplier: [float32x4_t; 4],
) -> usize {
    let requantise = Requantise::new(panel.to);
    let channels = (panel.channels - index * BLOCK).min(BLOCK);
    unroll!(m in [0 1 2 3 4], below M => {
        // SAFETY: the store keeps to the block's channels.
        unsafe {
            let out = panel.out.add((first + m) * panel.out_stride + index * BLOCK);
            store(requantise.results(sums[m], multiplier), channels, out);
        }
    });
    M
}

/// `sdot` with quad `LANE` of the inputs: four products of each of four channels at once. The
/// intrinsic is not stable yet.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot<const LANE: usize>(sums: int32x4_t, w: int8x16_t, inputs: int8x16_t) -> int32x4_t {
    let mut sums = sums;
    // SAFETY: the instruction reads and writes these registers alone.
    unsafe {
        asm!(
            "sdot {sums:v}.4s, {w:v}.16b, {inputs:v}.4b[{lane}]",
            sums = inout(vreg) sums,
            w = in(vreg) w,
            inputs = in(vreg) inputs,
            lane = const LANE,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

/// Multiplies `M` rows, four quads of each loaded at once.
///
/// # Safety
/// As [`Tile::run`] says; `first + M` is at most the panel's pixels.
#[target_feature(enable = "neon,dotprod")]
unsafe fn dot<const M: usize>(panel: &Panel<'_>, index: usize, first: usize) -> usize {
    // SAFETY: the caller's.
    unsafe {
        if panel.width(index) == BLOCK {
            dot_block::<M, true>(panel, index, first)
        } else {
            dot_block::<M, false>(panel, index, first)
        }
    }
}

/// See [`dot`]; `FULL` says that the block has 16 channels.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn dot_block<const M: usize, const FULL: bool>(
    panel: &Panel<'_>,
    index: usize,
    first: usize,
) -> usize {
    // SAFETY: the caller's.
    let b = unsafe { block(panel, index) };
    let width = if FULL { BLOCK } else { b.width };
    let (mut sums, mut weights) = ([[vdupq_n_s32(0); 4]; M], b.weights);
    unroll!(m in [0 1 2 3 4], below M => { sums[m] = b.sums; });
    for run in 0..panel.runs {
        let row = panel.rows.wrapping_add(first * panel.step + run * panel.line).cast::<i8>();
        let whole = panel.quads / 4 * 4;
        for quad in (0..whole).step_by(4) {
            let mut inputs = [vdupq_n_s8(0); M];
            unroll!(m in [0 1 2 3 4], below M => {
                // SAFETY: row `m` has four more quads.
                inputs[m] = unsafe { vld1q_s8(row.add(m * panel.step + quad * QUAD)) };
            });
            macro_rules! lane {
                ($lane:literal) => {
                    // SAFETY: every block has all quads times `width` quads.
                    let w = unsafe { load(weights.add($lane * width * QUAD), width) };
                    unroll!(m in [0 1 2 3 4], below M => {
                        unroll!(v in [0 1 2 3], below 4 => {
                            sums[m][v] = sdot::<$lane>(sums[m][v], w[v], inputs[m]);
                        });
                    });
                };
            }
            lane!(0);
            lane!(1);
            lane!(2);
            lane!(3);
            weights = weights.wrapping_add(4 * width * QUAD);
        }
        for quad in whole..panel.quads {
            // SAFETY: as above.
            let w = unsafe { load(weights, width) };
            unroll!(m in [0 1 2 3 4], below M => {
                // SAFETY: row `m` has this quad.
                let inputs = unsafe { quad_of(row.add(m * panel.step + quad * QUAD)) };
                unroll!(v in [0 1 2 3], below 4 => {
                    sums[m][v] = sdot::<0>(sums[m][v], w[v], inputs);
                });
            });
            weights = weights.wrapping_add(width * QUAD);
        }
    }
    // A copy goes to the call, so that the sums above stay in registers.
    let mut whole = [[vdupq_n_s32(0); 4]; M];
    unroll!(m in [0 1 2 3 4], below M => {
        unroll!(v in [0 1 2 3], below 4 => { whole[m][v] = sums[m][v]; });
    });
    // SAFETY: the caller's.
    unsafe { finish(panel, index, first, whole, b.multiplier) }
}

/// Four inputs, in every lane.
///
/// # Safety
/// `at` is readable for four bytes.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn quad_of(at: *const i8) -> int8x16_t {
    // SAFETY: the caller's.
    vreinterpretq_s8_s32(vdupq_n_s32(unsafe { at.cast::<i32>().read_unaligned() }))
}

/// Products as int16, added in pairs: `smull` and `sadalp`. Each vector of sums holds two partial
/// sums of two channels; a pairwise addition at the end makes them four channels.
///
/// # Safety
/// As [`Tile::run`] says; `first + M` is at most the panel's pixels.
#[target_feature(enable = "neon")]
unsafe fn widen<const M: usize>(panel: &Panel<'_>, index: usize, first: usize) -> usize {
    let full = panel.width(index) == BLOCK;
    let mut done = 0;
    // Two pixels at a time: sixteen vectors of partial sums are all that fit.
    while done < M {
        // SAFETY: the caller's.
        unsafe {
            done += match (M - done >= 2, full) {
                (true, true) => widen_some::<2, true>(panel, index, first + done),
                (true, false) => widen_some::<2, false>(panel, index, first + done),
                (false, true) => widen_some::<1, true>(panel, index, first + done),
                (false, false) => widen_some::<1, false>(panel, index, first + done),
            }
        }
    }
    M
}

#[inline]
#[target_feature(enable = "neon")]
unsafe fn widen_some<const M: usize, const FULL: bool>(
    panel: &Panel<'_>,
    index: usize,
    first: usize,
) -> usize {
    // SAFETY: the caller's.
    let b = unsafe { block(panel, index) };
    let width = if FULL { BLOCK } else { b.width };
    let (mut partial, mut weights) = ([[vdupq_n_s32(0); 8]; M], b.weights);
    for run in 0..panel.runs {
        let row = panel.rows.wrapping_add(first * panel.step + run * panel.line).cast::<i8>();
        for quad in 0..panel.quads {
            // SAFETY: every block has all quads times `width` quads.
            let w = unsafe { load(weights, width) };
            weights = weights.wrapping_add(width * QUAD);
            unroll!(m in [0 1], below M => {
                // SAFETY: row `m` has this quad.
                let inputs = unsafe { quad_of(row.add(m * panel.step + quad * QUAD)) };
                unroll!(v in [0 1 2 3], below 4 => {
                    let low = vmull_s8(vget_low_s8(w[v]), vget_low_s8(inputs));
                    let high = vmull_high_s8(w[v], inputs);
                    partial[m][2 * v] = vpadalq_s16(partial[m][2 * v], low);
                    partial[m][2 * v + 1] = vpadalq_s16(partial[m][2 * v + 1], high);
                });
            });
        }
    }
    let mut sums = [b.sums; M];
    unroll!(m in [0 1], below M => {
        unroll!(v in [0 1 2 3], below 4 => {
            let whole = vpaddq_s32(partial[m][2 * v], partial[m][2 * v + 1]);
            sums[m][v] = vaddq_s32(sums[m][v], whole);
        });
    });
    // SAFETY: the caller's.
    unsafe { finish(panel, index, first, sums, b.multiplier) }
}
