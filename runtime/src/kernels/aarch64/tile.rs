use core::arch::aarch64::*;
use core::arch::asm;

use super::requantise::{Requantise, store};
use super::{DotProd, Neon};
use crate::backbone::{BLOCK, QUAD};
use crate::kernels::tiles::{Panel, Tile};

/// Most pixels of a tile: five times four sums, four weights, inputs and products.
pub(super) const PIXELS: usize = 5;

macro_rules! tile {
    ($token:ident, $multiply:ident) => {
        impl Tile for $token {
            const PIXELS: usize = PIXELS;
            const WIDTH: usize = 1;

            unsafe fn prepare(
                self,
                from: *const i8,
                stride: usize,
                pixels: usize,
                quads: usize,
                to: *mut u8,
            ) {
                for pixel in 0..pixels {
                    // SAFETY: the caller vouches for both rows, which lie in different memory.
                    unsafe {
                        let row = to.add(pixel * Self::STRIDE).cast::<i8>();
                        row.copy_from_nonoverlapping(from.add(pixel * stride), quads * QUAD);
                    }
                }
            }

            fn correct(self, _weights: &[i8], _width: usize, _bias: &mut [i32]) {}

            unsafe fn run(self, panel: &Panel<'_>) {
                for block in 0..panel.channels.div_ceil(BLOCK) {
                    let mut done = 0;
                    while done < panel.pixels {
                        // SAFETY: the token proves the features; `done` and the pixels behind it
                        // are below `pixels`, which the caller vouches for.
                        unsafe {
                            done += match panel.pixels - done {
                                5.. => $multiply::<5>(panel, block, done),
                                4 => $multiply::<4>(panel, block, done),
                                2.. => $multiply::<2>(panel, block, done),
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
    rows: *const u8,
    width: usize,
    sums: [int32x4_t; 4],
    multiplier: [float32x4_t; 4],
}

/// # Safety
/// As [`Tile::run`] says.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn block(panel: &Panel<'_>, block: usize, first: usize) -> Block {
    // SAFETY: biases and multipliers of a whole panel are there, the weights of its blocks, and
    // rows from `first` on.
    unsafe {
        let bias = panel.bias.as_ptr().add(block * BLOCK);
        let multiplier = panel.multiplier.as_ptr().add(block * BLOCK);
        Block {
            weights: panel.weights.as_ptr().add(block * panel.quads * BLOCK * QUAD),
            rows: panel.rows.add(first * <Neon as Tile>::STRIDE),
            width: panel.width(block),
            sums: [0, 4, 8, 12].map(|at| vld1q_s32(bias.add(at))),
            multiplier: [0, 4, 8, 12].map(|at| vld1q_f32(multiplier.add(at))),
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
    for (index, w) in w.iter_mut().enumerate() {
        if width == BLOCK || index * 4 < width {
            // SAFETY: the caller's; widths are multiples of four.
            *w = unsafe { vld1q_s8(at.add(index * 16)) };
        }
    }
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
    sums: &[[int32x4_t; 4]; M],
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

/// `sdot`: four products of each of four channels at once. The intrinsic is not stable yet.
///
/// # Safety
/// As [`Tile::run`] says; `first + M` is at most the panel's pixels.
#[target_feature(enable = "neon,dotprod")]
unsafe fn dot<const M: usize>(panel: &Panel<'_>, index: usize, first: usize) -> usize {
    // SAFETY: the caller's.
    let b = unsafe { block(panel, index, first) };
    let mut sums = [b.sums; M];
    for quad in 0..panel.quads {
        // SAFETY: every block has `quads` times `width` quads.
        let w = unsafe { load(b.weights.add(quad * b.width * QUAD), b.width) };
        unroll!(m in [0 1 2 3 4], below M => {
            // SAFETY: row `m` has `quads` quads.
            let inputs = unsafe {
                let at = b.rows.add(m * <Neon as Tile>::STRIDE + quad * QUAD);
                vreinterpretq_s8_s32(vdupq_n_s32(at.cast::<i32>().read_unaligned()))
            };
            unroll!(v in [0 1 2 3], below 4 => {
                // SAFETY: the instruction reads and writes these registers alone.
                unsafe {
                    asm!(
                        "sdot {sums:v}.4s, {w:v}.16b, {inputs:v}.16b",
                        sums = inout(vreg) sums[m][v],
                        w = in(vreg) w[v],
                        inputs = in(vreg) inputs,
                        options(pure, nomem, nostack, preserves_flags),
                    );
                }
            });
        });
    }
    // SAFETY: the caller's.
    unsafe { finish(panel, index, first, &sums, b.multiplier) }
}

/// Products as int16, added in pairs: `smull` and `sadalp`. Each vector of sums holds two partial
/// sums of two channels; a pairwise addition at the end makes them four channels.
///
/// # Safety
/// As [`Tile::run`] says; `first + M` is at most the panel's pixels.
#[target_feature(enable = "neon")]
unsafe fn widen<const M: usize>(panel: &Panel<'_>, index: usize, first: usize) -> usize {
    let mut done = 0;
    // Two pixels at a time: sixteen vectors of partial sums are all that fit.
    while done < M {
        // SAFETY: the caller's.
        unsafe {
            done += if M - done >= 2 {
                widen_some::<2>(panel, index, first + done)
            } else {
                widen_some::<1>(panel, index, first + done)
            };
        }
    }
    M
}

#[inline]
#[target_feature(enable = "neon")]
unsafe fn widen_some<const M: usize>(panel: &Panel<'_>, index: usize, first: usize) -> usize {
    // SAFETY: the caller's.
    let b = unsafe { block(panel, index, first) };
    let mut partial = [[vdupq_n_s32(0); 8]; M];
    for quad in 0..panel.quads {
        // SAFETY: every block has `quads` times `width` quads.
        let w = unsafe { load(b.weights.add(quad * b.width * QUAD), b.width) };
        unroll!(m in [0 1], below M => {
            // SAFETY: row `m` has `quads` quads.
            let inputs = unsafe {
                let at = b.rows.add(m * <Neon as Tile>::STRIDE + quad * QUAD);
                vreinterpretq_s8_s32(vdupq_n_s32(at.cast::<i32>().read_unaligned()))
            };
            unroll!(v in [0 1 2 3], below 4 => {
                let low = vmull_s8(vget_low_s8(w[v]), vget_low_s8(inputs));
                let high = vmull_high_s8(w[v], inputs);
                partial[m][2 * v] = vpadalq_s16(partial[m][2 * v], low);
                partial[m][2 * v + 1] = vpadalq_s16(partial[m][2 * v + 1], high);
            });
        });
    }
    let mut sums = [b.sums; M];
    unroll!(m in [0 1], below M => {
        unroll!(v in [0 1 2 3], below 4 => {
            let whole = vpaddq_s32(partial[m][2 * v], partial[m][2 * v + 1]);
            sums[m][v] = vaddq_s32(sums[m][v], whole);
        });
    });
    // SAFETY: the caller's.
    unsafe { finish(panel, index, first, &sums, b.multiplier) }
}
