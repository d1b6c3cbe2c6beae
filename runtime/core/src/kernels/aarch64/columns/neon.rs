use core::arch::aarch64::*;
use core::arch::asm;

use super::edge::Edge;
use super::{CHANNELS, MULTIPLIERS, RECORDS, prepare_records, tap};
use crate::kernels::aarch64::Neon;
use crate::kernels::aarch64::requantise::{Requantise, integers, reals};
use crate::kernels::columns::{Columns, Run};
use crate::kernels::portable::Depthwise;

/// Pixels that are computed together.
const TOGETHER: usize = 2;

impl Columns for Neon {
    const CHANNELS: usize = CHANNELS;
    const TILES: &'static [usize] = &[4, 1];
    const FOLDS: &'static [usize] = &[2];

    unsafe fn prepare(
        self,
        weights: *const i8,
        kernel: usize,
        step: usize,
        records: &[[u8; 8]],
        block: *mut u8,
    ) {
        // SAFETY: `25 · 16` weights and the records before them are within the block.
        unsafe {
            prepare_records(records, block);
            for index in 0..kernel * kernel {
                let row = tap(weights.add(index * step), records.len());
                block.add(RECORDS + index * CHANNELS).cast::<[i8; CHANNELS]>().write(row);
            }
        }
    }

    unsafe fn run(self, run: &Run<'_>, pixels: usize) {
        // SAFETY: the token proves the feature; the caller vouches for the run.
        unsafe {
            match (run.kernel, run.stride, pixels) {
                (3, 1, 4) => tile::<3, 1, 4>(run),
                (3, 1, _) => tile::<3, 1, 1>(run),
                (3, _, 4) => tile::<3, 2, 4>(run),
                (3, _, _) => tile::<3, 2, 1>(run),
                (_, 1, 4) => tile::<5, 1, 4>(run),
                (_, 1, _) => tile::<5, 1, 1>(run),
                (_, _, 4) => tile::<5, 2, 4>(run),
                (_, _, _) => tile::<5, 2, 1>(run),
            }
        }
    }

    fn portable(self, work: Depthwise<'_>) {
        self.apply(work);
    }
}

/// `P` pixels of a kernel of `K` rows and columns with stride `S`.
///
/// # Safety
/// As [`Columns::run`] says.
#[target_feature(enable = "neon")]
unsafe fn tile<const K: usize, const S: usize, const P: usize>(run: &Run<'_>) {
    let mut edge = Edge::new();
    let requantise = Requantise::new(run.to);
    // SAFETY: the caller's; tiles of more than one pixel are of pairs.
    unsafe {
        let whole = edge.whole(run, (P - 1) * S + K);
        for first in (0..P).step_by(TOGETHER) {
            if P == 1 {
                pixels::<K, S, 1>(&whole, first, &requantise);
            } else {
                pixels::<K, S, TOGETHER>(&whole, first, &requantise);
            }
        }
        edge.store(run, P);
    }
}

/// `M` pixels from `first` on, row by row of the kernel, whose weights serve all of them.
///
/// # Safety
/// As [`Columns::run`] says; all inputs lie inside, the block has all channels, and `first + M` is
/// at most the tile's pixels.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn pixels<const K: usize, const S: usize, const M: usize>(
    run: &Run<'_>,
    first: usize,
    requantise: &Requantise,
) {
    let start = (run.column + (first * S).cast_signed()) * run.step.cast_signed();
    // SAFETY: `prepare` wrote biases first.
    let mut sums = [unsafe { integers(run.block.cast()) }; M];
    let nothing = vdupq_n_s8(0);
    let (mut inputs, mut weights) = ([[nothing; 7]; K], [[nothing; K]; K]);
    unroll!(ky in [0 1 2 3 4], below K => {
        // SAFETY: every pixel of the row lies inside the input; `prepare` wrote all taps.
        unsafe {
            let row = run.rows[ky].offset(start);
            // Registers hold the pointers of two rows' columns.
            let row = if ky < 2 { row } else { opaque(row) };
            unroll!(column in [0 1 2 3 4 5 6], below (M - 1) * S + K => {
                inputs[ky][column] = vld1q_s8(row.add(column * run.step));
            });
            let taps = run.block.add(RECORDS + ky * K * CHANNELS).cast::<i8>();
            unroll!(kx in [0 1 2 3 4], below K => {
                weights[ky][kx] = vld1q_s8(taps.add(kx * CHANNELS));
            });
        }
        unroll!(m in [0 1], below M => {
            unroll!(pair in [0 1], below K / 2 => {
                let (kx, at) = (pair * 2, m * S + pair * 2);
                let products = product(inputs[ky][at], weights[ky][kx]);
                let products = add_product(products, inputs[ky][at + 1], weights[ky][kx + 1]);
                sums[m] = add(sums[m], products);
            });
            // The kernel's last column has no other beside it: its pairs are of two rows.
            let (last, above) = (m * S + K - 1, ky / 2 * 2);
            if ky % 2 == 1 {
                let products = product(inputs[above][last], weights[above][K - 1]);
                let products = add_product(products, inputs[ky][last], weights[ky][K - 1]);
                sums[m] = add(sums[m], products);
            } else if ky + 1 == K {
                sums[m] = add(sums[m], product(inputs[ky][last], weights[ky][K - 1]));
            }
        });
    });
    // SAFETY: `prepare` wrote multipliers.
    let multiplier = unsafe { reals(run.block.add(MULTIPLIERS).cast()) };
    unroll!(m in [0 1], below M => {
        let sums = [sums[m][0], sums[m][1], sums[m][2], sums[m][3]];
        let results = requantise.results(sums, multiplier);
        // SAFETY: the block has all channels.
        unsafe { vst1q_s8(run.out.add((first + m) * run.out_step), results) };
    });
}

/// The same pointer, of unknown origin: else the compiler keeps a pointer for each column of each row,
/// more than there are registers, instead of a row's pointer and so many steps.
#[inline(always)]
#[allow(clippy::pointers_in_nomem_asm_block, reason = "nothing is read or written through it")]
fn opaque(pointer: *const i8) -> *const i8 {
    let mut pointer = pointer;
    // SAFETY: no instruction at all.
    unsafe { asm!("/* {0} */", inout(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

/// Products of the low and of the high eight bytes.
#[inline]
#[target_feature(enable = "neon")]
fn product(x: int8x16_t, w: int8x16_t) -> [int16x8_t; 2] {
    [vmull_s8(vget_low_s8(x), vget_low_s8(w)), vmull_high_s8(x, w)]
}

/// One more product beside each: two fit, since weights are at least -127.
#[inline]
#[target_feature(enable = "neon")]
fn add_product(sums: [int16x8_t; 2], x: int8x16_t, w: int8x16_t) -> [int16x8_t; 2] {
    [vmlal_s8(sums[0], vget_low_s8(x), vget_low_s8(w)), vmlal_high_s8(sums[1], x, w)]
}

#[inline]
#[target_feature(enable = "neon")]
fn add(sums: [int32x4_t; 4], products: [int16x8_t; 2]) -> [int32x4_t; 4] {
    [
        vaddw_s16(sums[0], vget_low_s16(products[0])),
        vaddw_high_s16(sums[1], products[0]),
        vaddw_s16(sums[2], vget_low_s16(products[1])),
        vaddw_high_s16(sums[3], products[1]),
    ]
}
