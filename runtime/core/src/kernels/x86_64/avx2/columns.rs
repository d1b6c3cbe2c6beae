use core::arch::x86_64::*;

use super::Avx2;
use super::requantise::Requantise;
use crate::kernels::columns::{Columns, Run};
use crate::kernels::portable::Depthwise;

/// Vectors of a block that hold biases and multipliers, before the weights.
const RECORDS: usize = 4;

impl Columns for Avx2 {
    const CHANNELS: usize = 16;
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
        // SAFETY: the token proves the feature; the caller vouches for the pointers.
        unsafe {
            match kernel {
                3 => prepare::<3>(weights, step, records, block.cast()),
                _ => prepare::<5>(weights, step, records, block.cast()),
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

/// Two rows of 16 bytes as pairs of int16: in the first vector, the pairs of channels 0 to 3 of
/// each eight, in the second those of 4 to 7. That is the order of [`Requantise::interleaved`].
#[inline]
#[target_feature(enable = "avx2")]
fn pairs(rows: [__m128i; 2]) -> [__m256i; 2] {
    let (a, b) = (_mm256_cvtepi8_epi16(rows[0]), _mm256_cvtepi8_epi16(rows[1]));
    [_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)]
}

/// Writes biases, multipliers and then the pairs of every kernel column.
///
/// # Safety
/// As [`Columns::prepare`] says.
#[target_feature(enable = "avx2")]
unsafe fn prepare<const K: usize>(
    weights: *const i8,
    step: usize,
    records: &[[u8; 8]],
    block: *mut __m256i,
) {
    let pairs_of_rows = K.div_ceil(2);
    for kx in 0..K {
        for pair in 0..pairs_of_rows {
            let mut rows = [_mm_setzero_si128(); 2];
            for (row, ky) in rows.iter_mut().zip(pair * 2..K) {
                // SAFETY: no more than the block's channels are loaded.
                *row = unsafe { super::load(weights.add((ky * K + kx) * step), records.len()) };
            }
            for (half, pairs) in pairs(rows).into_iter().enumerate() {
                // SAFETY: `5 · 3 · 2` vectors and the four before them are within the block.
                unsafe { block.add(RECORDS + (kx * pairs_of_rows + pair) * 2 + half).write(pairs) };
            }
        }
    }
    let (mut bias, mut multiplier) = ([0_i32; 16], [0.0_f32; 16]);
    for (channel, &[a, b, c, d, e, f, g, h]) in records.iter().enumerate() {
        let at = channel % 8 / 4 * 8 + channel / 8 * 4 + channel % 4;
        bias[at] = i32::from_le_bytes([a, b, c, d]);
        multiplier[at] = f32::from_le_bytes([e, f, g, h]);
    }
    for half in 0..2 {
        // SAFETY: both arrays are two vectors long; the block has room for four.
        unsafe {
            block.add(half).write(_mm256_loadu_si256(bias.as_ptr().add(half * 8).cast()));
            let multiplier = _mm256_loadu_si256(multiplier.as_ptr().add(half * 8).cast());
            block.add(2 + half).write(multiplier);
        }
    }
}

/// `P` pixels of a kernel of `K` rows and columns with stride `S`.
///
/// # Safety
/// As [`Columns::run`] says.
#[target_feature(enable = "avx2")]
unsafe fn tile<const K: usize, const S: usize, const P: usize>(run: &Run<'_>) {
    // SAFETY: the caller's.
    unsafe {
        match (run.whole, run.channels == Avx2::CHANNELS) {
            (true, true) => columns::<K, S, P, true, true>(run),
            (true, false) => columns::<K, S, P, true, false>(run),
            (false, true) => columns::<K, S, P, false, true>(run),
            (false, false) => columns::<K, S, P, false, false>(run),
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
unsafe fn columns<
    const K: usize,
    const S: usize,
    const P: usize,
    const WHOLE: bool,
    const FULL: bool,
>(
    run: &Run<'_>,
) {
    let channels = if FULL { Avx2::CHANNELS } else { run.channels };
    let block = run.block.cast::<__m256i>();
    let padding = _mm_set1_epi8(run.zero_point);
    // SAFETY: `prepare` wrote biases and multipliers first.
    let (bias, multiplier) = unsafe {
        let multiplier = [block.add(2).read(), block.add(3).read()];
        ([block.read(), block.add(1).read()], multiplier.map(|m| _mm256_castsi256_ps(m)))
    };
    let mut sums = [bias; P];
    unroll!(column in [0 1 2 3 4 5 6 7 8 9 10], below (P - 1) * S + K => {
        let x = run.column + column as isize;
        let here = WHOLE || (x >= 0 && x < run.width.cast_signed());
        unroll!(pair in [0 1 2], below K.div_ceil(2) => {
            let mut rows = [_mm_setzero_si128(); 2];
            unroll!(r in [0 1], below 2 => {
                if pair * 2 + r < K {
                    let ky = pair * 2 + r;
                    rows[r] = if here && (WHOLE || run.inside[ky]) {
                        // SAFETY: the pixel lies inside the input; no more than the block's
                        // channels are loaded.
                        unsafe {
                            super::load(run.rows[ky].offset(x * run.step.cast_signed()), channels)
                        }
                    } else {
                        padding
                    };
                }
            });
            let inputs = pairs(rows);
            unroll!(p in [0 1 2 3], below P => {
                if column >= p * S && column - p * S < K {
                    unroll!(half in [0 1], below 2 => {
                        let at = RECORDS + ((column - p * S) * K.div_ceil(2) + pair) * 2 + half;
                        // SAFETY: `prepare` wrote all of them.
                        let w = unsafe { block.add(at).read() };
                        let products = _mm256_madd_epi16(inputs[half], w);
                        sums[p][half] = _mm256_add_epi32(sums[p][half], products);
                    });
                }
            });
        });
    });
    let requantise = Requantise::new(run.to);
    unroll!(p in [0 1 2 3], below P => {
        let results = requantise.interleaved(sums[p], multiplier);
        // SAFETY: the store keeps to the block's channels.
        unsafe { super::store(results, channels, run.out.add(p * run.out_step)) };
    });
}
