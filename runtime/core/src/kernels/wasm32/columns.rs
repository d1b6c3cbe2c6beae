use core::arch::wasm32::*;

use super::Simd128;
use super::requantise::{Requantise, store};
use crate::kernels::columns::{Columns, Run};
use crate::kernels::portable::Depthwise;

/// Channels of a block.
const CHANNELS: usize = 16;
/// Channels that are computed together: with four pixels eight vectors of sums.
const HALF: usize = CHANNELS / 2;
/// Bytes of a half's biases, and of its multipliers.
const RECORDS: usize = 4 * HALF;
/// Bytes of a half: records, and at most five columns of three pairs of rows.
const HALF_BYTES: usize = 2 * RECORDS + 5 * 3 * 2 * 16;

impl Columns for Simd128 {
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
        for half in 0..records.len().div_ceil(HALF) {
            let records = &records[half * HALF..];
            let records = &records[..records.len().min(HALF)];
            // SAFETY: the caller's; two halves have room in a block.
            unsafe {
                let (weights, to) = (weights.add(half * HALF), block.add(half * HALF_BYTES));
                match kernel {
                    3 => prepare::<3>(weights, step, records, to),
                    _ => prepare::<5>(weights, step, records, to),
                }
            }
        }
    }

    unsafe fn run(self, run: &Run<'_>, pixels: usize) {
        // SAFETY: the caller vouches for the run.
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

/// Up to eight bytes; zeros behind them.
///
/// # Safety
/// `from` is readable for `count` bytes.
#[inline(always)]
unsafe fn load(from: *const i8, count: usize) -> v128 {
    // SAFETY: the caller's.
    unsafe {
        if count >= HALF {
            return v128_load64_zero(from.cast());
        }
        let mut bytes = [0_i8; HALF];
        bytes.as_mut_ptr().copy_from_nonoverlapping(from, count);
        v128_load64_zero(bytes.as_ptr().cast())
    }
}

/// Two rows of eight bytes as pairs of int16: those of four channels, then of the other four.
#[inline(always)]
fn pairs(rows: [v128; 2]) -> [v128; 2] {
    let both =
        i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(rows[0], rows[1]);
    [i16x8_extend_low_i8x16(both), i16x8_extend_high_i8x16(both)]
}

/// Writes a half's biases, its multipliers, and then the pairs of every kernel column.
///
/// # Safety
/// `weights` is readable at `tap · step` for a byte a record and every tap; `to` is writable for [`HALF_BYTES`] and aligned to 16.
unsafe fn prepare<const K: usize>(
    weights: *const i8,
    step: usize,
    records: &[[u8; 8]],
    to: *mut u8,
) {
    let (mut bias, mut multiplier) = ([0_i32; HALF], [0.0_f32; HALF]);
    for (channel, &[a, b, c, d, e, f, g, h]) in records.iter().enumerate() {
        bias[channel] = i32::from_le_bytes([a, b, c, d]);
        multiplier[channel] = f32::from_le_bytes([e, f, g, h]);
    }
    let pairs_of_rows = K.div_ceil(2);
    // SAFETY: no more than the half's channels are loaded; all is within a half.
    unsafe {
        to.cast::<[i32; HALF]>().write(bias);
        to.add(RECORDS).cast::<[f32; HALF]>().write(multiplier);
        for kx in 0..K {
            for pair in 0..pairs_of_rows {
                let mut rows = [i32x4_splat(0); 2];
                for (row, ky) in rows.iter_mut().zip(pair * 2..K) {
                    *row = load(weights.add((ky * K + kx) * step), records.len());
                }
                let at = to.add(2 * RECORDS + (kx * pairs_of_rows + pair) * 32).cast::<v128>();
                let [low, high] = pairs(rows);
                at.write(low);
                at.add(1).write(high);
            }
        }
    }
}

/// `P` pixels of a kernel of `K` rows and columns with stride `S`.
///
/// # Safety
/// As [`Columns::run`] says.
unsafe fn tile<const K: usize, const S: usize, const P: usize>(run: &Run<'_>) {
    for half in 0..run.channels.div_ceil(HALF) {
        let channels = (run.channels - half * HALF).min(HALF);
        // SAFETY: the caller's; the half has channels of the block.
        unsafe {
            if run.whole && channels == HALF {
                columns::<K, S, P, true>(run, half, channels);
            } else {
                columns::<K, S, P, false>(run, half, channels);
            }
        }
    }
}

/// Half a block. `WHOLE` says that all its channels are there, and all inputs inside.
///
/// # Safety
/// As [`Columns::run`] says; the half has `channels` of the block's.
#[inline(always)]
unsafe fn columns<const K: usize, const S: usize, const P: usize, const WHOLE: bool>(
    run: &Run<'_>,
    half: usize,
    channels: usize,
) {
    let block = run.block.wrapping_add(half * HALF_BYTES);
    let weights = block.wrapping_add(2 * RECORDS).cast::<v128>();
    let padding = i8x16_splat(run.zero_point);
    // SAFETY: `prepare` wrote biases and multipliers first.
    let (bias, multiplier) = unsafe {
        let at = block.cast::<v128>();
        ([at.read(), at.add(1).read()], [at.add(2).read(), at.add(3).read()])
    };
    let mut sums = [bias; P];
    unroll!(column in [0 1 2 3 4 5 6 7 8 9 10], below (P - 1) * S + K => {
        let x = run.column + column as isize;
        let here = WHOLE || (x >= 0 && x < run.width.cast_signed());
        unroll!(pair in [0 1 2], below K.div_ceil(2) => {
            let mut rows = [i32x4_splat(0); 2];
            unroll!(r in [0 1], below 2 => {
                if pair * 2 + r < K {
                    let ky = pair * 2 + r;
                    rows[r] = if here && (WHOLE || run.inside[ky]) {
                        let at = run.rows[ky].wrapping_offset(x * run.step.cast_signed());
                        // SAFETY: the pixel lies inside the input; no more than the half's channels are loaded.
                        unsafe { load(at.add(half * HALF), if WHOLE { HALF } else { channels }) }
                    } else {
                        padding
                    };
                }
            });
            let inputs = pairs(rows);
            unroll!(p in [0 1 2 3], below P => {
                if column >= p * S && column - p * S < K {
                    unroll!(v in [0 1], below 2 => {
                        let at = ((column - p * S) * K.div_ceil(2) + pair) * 2 + v;
                        // SAFETY: `prepare` wrote all of them.
                        let w = unsafe { weights.add(at).read() };
                        sums[p][v] = i32x4_add(sums[p][v], i32x4_dot_i16x8(inputs[v], w));
                    });
                }
            });
        });
    });
    let requantise = Requantise::new(run.to);
    unroll!(p in [0 1 2 3], below P => {
        let words = requantise.sums(sums[p], multiplier);
        // SAFETY: the store keeps to the half's channels.
        unsafe { store(words, channels, run.out.add(p * run.out_step + half * HALF)) };
    });
}
