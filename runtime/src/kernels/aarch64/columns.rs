use core::arch::aarch64::*;

use super::Neon;
use super::requantise::{Requantise, store};
use crate::kernels::columns::{Columns, Run};

/// Bytes of a block that hold biases and multipliers, before the weights.
const RECORDS: usize = 128;
/// Channels of a block.
const CHANNELS: usize = 16;

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
        let (mut bias, mut multiplier) = ([0_i32; CHANNELS], [0.0_f32; CHANNELS]);
        for (channel, &[a, b, c, d, e, f, g, h]) in records.iter().enumerate() {
            bias[channel] = i32::from_le_bytes([a, b, c, d]);
            multiplier[channel] = f32::from_le_bytes([e, f, g, h]);
        }
        // SAFETY: `25 · 16` weights and the records before them are within the block.
        unsafe {
            block.cast::<[i32; CHANNELS]>().write(bias);
            block.add(64).cast::<[f32; CHANNELS]>().write(multiplier);
            for tap in 0..kernel * kernel {
                let mut row = [0_i8; CHANNELS];
                row.as_mut_ptr().copy_from_nonoverlapping(weights.add(tap * step), records.len());
                block.add(RECORDS + tap * CHANNELS).cast::<[i8; CHANNELS]>().write(row);
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

    fn portable(self, work: impl FnOnce()) {
        self.compiled(work);
    }
}

/// # Safety
/// `from` is readable for `count` bytes.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn load(from: *const i8, count: usize) -> int8x16_t {
    // SAFETY: no more than `count` bytes are read.
    unsafe {
        if count == CHANNELS {
            vld1q_s8(from)
        } else {
            let mut bytes = [0_i8; CHANNELS];
            bytes.as_mut_ptr().copy_from_nonoverlapping(from, count.min(CHANNELS));
            vld1q_s8(bytes.as_ptr())
        }
    }
}

/// `P` pixels of a kernel of `K` rows and columns with stride `S`.
///
/// # Safety
/// As [`Columns::run`] says.
#[target_feature(enable = "neon")]
unsafe fn tile<const K: usize, const S: usize, const P: usize>(run: &Run<'_>) {
    // SAFETY: the caller's.
    unsafe {
        if run.whole && run.channels == CHANNELS {
            columns::<K, S, P, true>(run);
        } else {
            columns::<K, S, P, false>(run);
        }
    }
}

/// See [`tile`]; `WHOLE` says that all inputs lie inside and the block has all channels.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn columns<const K: usize, const S: usize, const P: usize, const WHOLE: bool>(
    run: &Run<'_>,
) {
    let channels = if WHOLE { CHANNELS } else { run.channels };
    let padding = vdupq_n_s8(run.zero_point);
    // SAFETY: `prepare` wrote biases and multipliers first.
    let (bias, multiplier) = unsafe {
        let (bias, multiplier) = (run.block.cast::<i32>(), run.block.add(64).cast::<f32>());
        (
            [0, 4, 8, 12].map(|at| vld1q_s32(bias.add(at))),
            [0, 4, 8, 12].map(|at| vld1q_f32(multiplier.add(at))),
        )
    };
    let requantise = Requantise::new(run.to);
    let mut sums = [[vdupq_n_s32(0); 4]; P];
    unroll!(column in [0 1 2 3 4 5 6 7 8 9 10], below (P - 1) * S + K => {
        let x = run.column + column as isize;
        let here = WHOLE || (x >= 0 && x < run.width.cast_signed());
        let mut inputs = [padding; K];
        unroll!(ky in [0 1 2 3 4], below K => {
            if here && (WHOLE || run.inside[ky]) {
                // SAFETY: the pixel lies inside the input; no more than the block's channels are
                // loaded.
                inputs[ky] =
                    unsafe { load(run.rows[ky].offset(x * run.step.cast_signed()), channels) };
            }
        });
        unroll!(p in [0 1 2 3], below P => {
            if column >= p * S && column - p * S < K {
                let tap = column - p * S;
                if tap == 0 {
                    sums[p] = bias;
                }
                // SAFETY: `prepare` wrote all taps.
                let w = |ky: usize| unsafe {
                    vld1q_s8(run.block.add(RECORDS + (ky * K + tap) * CHANNELS).cast())
                };
                unroll!(pair in [0 1 2], below K.div_ceil(2) => {
                    let w0 = w(pair * 2);
                    let mut low = vmull_s8(vget_low_s8(inputs[pair * 2]), vget_low_s8(w0));
                    let mut high = vmull_high_s8(inputs[pair * 2], w0);
                    if pair * 2 + 1 < K {
                        // Two products fit: weights are at least -127.
                        let w1 = w(pair * 2 + 1);
                        low = vmlal_s8(low, vget_low_s8(inputs[pair * 2 + 1]), vget_low_s8(w1));
                        high = vmlal_high_s8(high, inputs[pair * 2 + 1], w1);
                    }
                    sums[p][0] = vaddw_s16(sums[p][0], vget_low_s16(low));
                    sums[p][1] = vaddw_high_s16(sums[p][1], low);
                    sums[p][2] = vaddw_s16(sums[p][2], vget_low_s16(high));
                    sums[p][3] = vaddw_high_s16(sums[p][3], high);
                });
                // A pixel is finished with its last column: few sums are in registers at any time.
                if tap + 1 == K {
                    let sums = [sums[p][0], sums[p][1], sums[p][2], sums[p][3]];
                    // SAFETY: the store keeps to the block's channels.
                    unsafe {
                        let out = run.out.add(p * run.out_step);
                        store(requantise.results(sums, multiplier), channels, out);
                    }
                }
            }
        });
    });
}
