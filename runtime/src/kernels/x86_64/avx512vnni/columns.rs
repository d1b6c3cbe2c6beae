use core::arch::x86_64::*;

use super::requantise::Requantise;
use super::{Avx512Vnni, low_bits};
use crate::kernels::columns::{Columns, Run};

/// Vectors of a block that hold biases and multipliers, before the weights.
const RECORDS: usize = 4;

impl Columns for Avx512Vnni {
    const CHANNELS: usize = 32;
    const TILES: &'static [usize] = &[7, 4, 1];

    unsafe fn prepare(
        self,
        weights: *const i8,
        kernel: usize,
        step: usize,
        records: &[[u8; 8]],
        block: *mut u8,
    ) {
        // SAFETY: the token proves the features; the caller vouches for the pointers.
        unsafe {
            match kernel {
                3 => prepare::<3>(weights, step, records, block.cast()),
                _ => prepare::<5>(weights, step, records, block.cast()),
            }
        }
    }

    unsafe fn run(self, run: &Run<'_>, pixels: usize) {
        // SAFETY: the token proves the features; the caller vouches for the run.
        unsafe {
            match (run.kernel, run.stride, pixels) {
                (3, 1, 7) => tile::<3, 1, 7>(run),
                (3, 1, 4) => tile::<3, 1, 4>(run),
                (3, 1, _) => tile::<3, 1, 1>(run),
                (3, _, 7) => tile::<3, 2, 7>(run),
                (3, _, 4) => tile::<3, 2, 4>(run),
                (3, _, _) => tile::<3, 2, 1>(run),
                (_, 1, 7) => tile::<5, 1, 7>(run),
                (_, 1, 4) => tile::<5, 1, 4>(run),
                (_, 1, _) => tile::<5, 1, 1>(run),
                (_, _, 7) => tile::<5, 2, 7>(run),
                (_, _, 4) => tile::<5, 2, 4>(run),
                (_, _, _) => tile::<5, 2, 1>(run),
            }
        }
    }

    fn portable(self, work: impl FnOnce()) {
        self.compiled(work);
    }
}

/// Four rows of 32 bytes as quads: in the first vector, the quads of channels 0 to 3 of each eight,
/// in the second those of 4 to 7. That is the order of [`Requantise::interleaved`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn quads(rows: [__m256i; 4], offset: __m512i) -> [__m512i; 2] {
    let pair = |low, high| {
        let high = _mm512_slli_epi16::<8>(_mm512_cvtepu8_epi16(high));
        // low | high ^ offset
        _mm512_ternarylogic_epi32::<0b0101_0110>(_mm512_cvtepu8_epi16(low), high, offset)
    };
    let (low, high) = (pair(rows[0], rows[1]), pair(rows[2], rows[3]));
    [_mm512_unpacklo_epi16(low, high), _mm512_unpackhi_epi16(low, high)]
}

/// Writes biases, multipliers and then the quads of every kernel column.
///
/// # Safety
/// As [`Columns::prepare`] says.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn prepare<const K: usize>(
    weights: *const i8,
    step: usize,
    records: &[[u8; 8]],
    block: *mut __m512i,
) {
    let groups = K.div_ceil(4);
    let mask = low_bits(records.len());
    let (zeros, offset) = (_mm512_setzero_si512(), _mm512_set1_epi8(i8::MIN));
    let mut offsets = [zeros; 2];
    for kx in 0..K {
        for group in 0..groups {
            let mut rows = [_mm256_setzero_si256(); 4];
            for (row, ky) in rows.iter_mut().zip(group * 4..K) {
                // SAFETY: the mask keeps the load within the block's channels.
                *row = unsafe { _mm256_maskz_loadu_epi8(mask, weights.add((ky * K + kx) * step)) };
            }
            for (half, quads) in quads(rows, zeros).into_iter().enumerate() {
                offsets[half] = _mm512_dpbusd_epi32(offsets[half], offset, quads);
                // SAFETY: `5 · 2 · 2` vectors and the four before them are within the block.
                unsafe { block.add(RECORDS + (kx * groups + group) * 2 + half).write(quads) };
            }
        }
    }
    let (mut bias, mut multiplier) = ([0_i32; 32], [0.0_f32; 32]);
    for (channel, &[a, b, c, d, e, f, g, h]) in records.iter().enumerate() {
        let at = channel % 8 / 4 * 16 + channel / 8 * 4 + channel % 4;
        bias[at] = i32::from_le_bytes([a, b, c, d]);
        multiplier[at] = f32::from_le_bytes([e, f, g, h]);
    }
    for (half, &offset) in offsets.iter().enumerate() {
        // SAFETY: both arrays are two vectors long; the block has room for four.
        unsafe {
            let bias = _mm512_loadu_si512(bias.as_ptr().add(half * 16).cast());
            block.add(half).write(_mm512_sub_epi32(bias, offset));
            block
                .add(2 + half)
                .write(_mm512_loadu_si512(multiplier.as_ptr().add(half * 16).cast()));
        }
    }
}

/// `P` pixels of a kernel of `K` rows and columns with stride `S`.
///
/// # Safety
/// As [`Columns::run`] says.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn tile<const K: usize, const S: usize, const P: usize>(run: &Run<'_>) {
    // SAFETY: the caller's.
    unsafe {
        if run.whole {
            columns::<K, S, P, true>(run);
        } else {
            columns::<K, S, P, false>(run);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn columns<const K: usize, const S: usize, const P: usize, const WHOLE: bool>(
    run: &Run<'_>,
) {
    let mask = low_bits(run.channels);
    let block = run.block.cast::<__m512i>();
    let padding = _mm256_set1_epi8(run.zero_point);
    let offset = _mm512_set1_epi8(i8::MIN);
    // SAFETY: `prepare` wrote biases and multipliers first.
    let (bias, multiplier) = unsafe {
        let multiplier = [block.add(2).read(), block.add(3).read()];
        ([block.read(), block.add(1).read()], multiplier.map(|m| _mm512_castsi512_ps(m)))
    };
    let mut sums = [bias; P];
    // SAFETY, for the loads below: the mask keeps them within the block's channels of a pixel that
    // lies inside the input; weights were written by `prepare`.
    unroll!(column in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16], below (P - 1) * S + K => {
        let x = run.column + column as isize;
        let here = WHOLE || (x >= 0 && x < run.width.cast_signed());
        unroll!(group in [0 1], below K.div_ceil(4) => {
            let mut rows = [_mm256_setzero_si256(); 4];
            unroll!(r in [0 1 2 3], below 4 => {
                if group * 4 + r < K {
                    let ky = group * 4 + r;
                    rows[r] = if here && (WHOLE || run.inside[ky]) {
                        // SAFETY: see above.
                        unsafe {
                            let at = run.rows[ky].offset(x * run.step.cast_signed());
                            _mm256_maskz_loadu_epi8(mask, at)
                        }
                    } else {
                        padding
                    };
                }
            });
            let inputs = quads(rows, offset);
            unroll!(p in [0 1 2 3 4 5 6], below P => {
                if column >= p * S && column - p * S < K {
                    unroll!(half in [0 1], below 2 => {
                        let at = RECORDS + ((column - p * S) * K.div_ceil(4) + group) * 2 + half;
                        // SAFETY: see above.
                        let w = unsafe { block.add(at).read() };
                        sums[p][half] = _mm512_dpbusd_epi32(sums[p][half], inputs[half], w);
                    });
                }
            });
        });
    });
    let requantise = Requantise::new(run.to);
    unroll!(p in [0 1 2 3 4 5 6], below P => {
        let results = requantise.interleaved(sums[p], multiplier);
        // SAFETY: the mask keeps the store within the block's channels.
        unsafe { _mm256_mask_storeu_epi8(run.out.add(p * run.step), mask, results) };
    });
}
