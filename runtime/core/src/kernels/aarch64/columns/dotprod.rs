use core::arch::aarch64::*;
use core::arch::asm;

use super::edge::Edge;
use super::{CHANNELS, MULTIPLIERS, RECORDS, prepare_records, tap};
use crate::kernels::aarch64::requantise::{Requantise, integers, reals};
use crate::kernels::aarch64::{DotProd, Neon};
use crate::kernels::columns::{Columns, Run};
use crate::kernels::portable::Depthwise;

/// Rows and columns of a kernel whose columns are multiplied as quads of rows, the last one zero.
/// Five rows would be two quads, of which three rows are zero: products one by one are as fast.
const KERNEL: usize = 3;

impl Columns for DotProd {
    const CHANNELS: usize = CHANNELS;
    const TILES: &'static [usize] = Neon::TILES;
    const FOLDS: &'static [usize] = Neon::FOLDS;

    unsafe fn prepare(
        self,
        weights: *const i8,
        kernel: usize,
        step: usize,
        records: &[[u8; 8]],
        block: *mut u8,
    ) {
        if kernel != KERNEL {
            // SAFETY: the caller's.
            return unsafe { self.0.prepare(weights, kernel, step, records, block) };
        }
        // SAFETY: `3 · 4` vectors and the records before them are within the block.
        unsafe {
            prepare_records(records, block);
            for kx in 0..KERNEL {
                let mut rows = [vdupq_n_s8(0); 4];
                for (ky, row) in rows[..KERNEL].iter_mut().enumerate() {
                    let tap = tap(weights.add((ky * KERNEL + kx) * step), records.len());
                    *row = vld1q_s8(tap.as_ptr());
                }
                let to = block.add(RECORDS + kx * 4 * CHANNELS).cast::<i8>();
                for (i, quads) in quads(rows).into_iter().enumerate() {
                    vst1q_s8(to.add(i * CHANNELS), quads);
                }
            }
        }
    }

    unsafe fn run(self, run: &Run<'_>, pixels: usize) {
        // SAFETY: the token proves the features; the caller vouches for the run.
        unsafe {
            match (run.kernel, run.stride, pixels) {
                (KERNEL, 1, 4) => tile::<1, 4>(run),
                (KERNEL, 1, _) => tile::<1, 1>(run),
                (KERNEL, _, 4) => tile::<2, 4>(run),
                (KERNEL, _, _) => tile::<2, 1>(run),
                _ => self.0.run(run, pixels),
            }
        }
    }

    fn portable(self, work: Depthwise<'_>) {
        self.apply(work);
    }
}

/// Four rows of 16 channels as quads, four channels a vector.
#[inline]
#[target_feature(enable = "neon")]
fn quads(rows: [int8x16_t; 4]) -> [int8x16_t; 4] {
    let words = vreinterpretq_s16_s8;
    let (a, b) = (vzip1q_s8(rows[0], rows[1]), vzip2q_s8(rows[0], rows[1]));
    let (c, d) = (vzip1q_s8(rows[2], rows[3]), vzip2q_s8(rows[2], rows[3]));
    [
        vreinterpretq_s8_s16(vzip1q_s16(words(a), words(c))),
        vreinterpretq_s8_s16(vzip2q_s16(words(a), words(c))),
        vreinterpretq_s8_s16(vzip1q_s16(words(b), words(d))),
        vreinterpretq_s8_s16(vzip2q_s16(words(b), words(d))),
    ]
}

/// Four products of each of four channels. The intrinsic is not stable yet.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot(sums: int32x4_t, w: int8x16_t, inputs: int8x16_t) -> int32x4_t {
    let mut sums = sums;
    // SAFETY: the instruction reads and writes these registers alone.
    unsafe {
        asm!(
            "sdot {sums:v}.4s, {w:v}.16b, {inputs:v}.16b",
            sums = inout(vreg) sums,
            w = in(vreg) w,
            inputs = in(vreg) inputs,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

/// `P` pixels with stride `S`.
///
/// # Safety
/// As [`Columns::run`] says.
#[target_feature(enable = "neon,dotprod")]
unsafe fn tile<const S: usize, const P: usize>(run: &Run<'_>) {
    let mut edge = Edge::new();
    // SAFETY: the caller's.
    unsafe {
        columns::<S, P>(&edge.whole(run, (P - 1) * S + KERNEL));
        edge.store(run, P);
    }
}

/// Each column is interleaved by rows once, and multiplied into every pixel that it belongs to.
///
/// # Safety
/// As [`Columns::run`] says; all inputs lie inside, and the block has all channels.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn columns<const S: usize, const P: usize>(run: &Run<'_>) {
    let requantise = Requantise::new(run.to);
    let start = run.column * run.step.cast_signed();
    let weights = run.block.wrapping_add(RECORDS).cast::<i8>();
    let mut sums = [[vdupq_n_s32(0); 4]; P];
    unroll!(column in [0 1 2 3 4 5 6 7 8], below (P - 1) * S + KERNEL => {
        let mut rows = [vdupq_n_s8(0); 4];
        unroll!(ky in [0 1 2], below KERNEL => {
            // SAFETY: the pixel lies inside the input.
            rows[ky] = unsafe { vld1q_s8(run.rows[ky].offset(start).add(column * run.step)) };
        });
        let inputs = quads(rows);
        unroll!(p in [0 1 2 3], below P => {
            if column >= p * S && column - p * S < KERNEL {
                let kx = column - p * S;
                if kx == 0 {
                    // SAFETY: `prepare` wrote biases first.
                    sums[p] = unsafe { integers(run.block.cast()) };
                }
                unroll!(i in [0 1 2 3], below 4 => {
                    // SAFETY: `prepare` wrote all of them.
                    let w = unsafe { vld1q_s8(weights.add((kx * 4 + i) * CHANNELS)) };
                    sums[p][i] = sdot(sums[p][i], w, inputs[i]);
                });
                // A pixel is finished with its last column: few sums are in registers at any time.
                if kx + 1 == KERNEL {
                    let sums = [sums[p][0], sums[p][1], sums[p][2], sums[p][3]];
                    // SAFETY: `prepare` wrote multipliers; the block has all channels.
                    unsafe {
                        let multiplier = reals(run.block.add(MULTIPLIERS).cast());
                        let results = requantise.results(sums, multiplier);
                        vst1q_s8(run.out.add(p * run.out_step), results);
                    }
                }
            }
        });
    });
}
