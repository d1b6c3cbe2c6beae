use core::arch::x86_64::*;

use super::requantise::Requantise;
use super::{Avx512Vnni, low_bits, low_bits_of_64};
use crate::kernels::tiles::{Panel, Runs, Tile};
use crate::network::{BLOCK, QUAD};

impl Tile for Avx512Vnni {
    const PIXELS: usize = 14;
    const WIDTH: usize = 1;
    const ANY_LENGTH: bool = true;
    const IN_PLACE: bool = true;
    const AS_STORED: bool = false;

    unsafe fn prepare(self, runs: &Runs, pixels: usize, to: *mut u8) {
        // SAFETY: the token proves the features; the caller vouches for the pointers.
        unsafe { offset(runs, pixels, to) }
    }

    fn ready_block(
        self,
        records: &[[u8; 8]],
        weights: &[i8],
        width: usize,
        bias: &mut [i32; BLOCK],
        multiplier: &mut [f32; BLOCK],
    ) {
        // SAFETY: the token proves the features.
        unsafe { ready_block(records, weights, width, bias, multiplier) }
    }

    fn ready(self, bytes: &mut [i8]) {
        // SAFETY: the token proves the features.
        unsafe { offset_in_place(bytes) }
    }

    unsafe fn run(self, panel: &Panel<'_>) {
        let mut done = 0;
        while done < panel.pixels {
            let left = panel.pixels - done;
            // SAFETY: the token proves the features; `done` and the pixels behind it are below
            // `pixels`, which the caller vouches for.
            unsafe {
                done += if panel.channels > BLOCK {
                    match size::<14>(left) {
                        14 => multiply::<14, 2>(panel, done),
                        8 => multiply::<8, 2>(panel, done),
                        7 => multiply::<7, 2>(panel, done),
                        4 => multiply::<4, 2>(panel, done),
                        2 => multiply::<2, 2>(panel, done),
                        _ => multiply::<1, 2>(panel, done),
                    }
                } else {
                    match size::<16>(left) {
                        16 => multiply::<16, 1>(panel, done),
                        14 => multiply::<14, 1>(panel, done),
                        8 => multiply::<8, 1>(panel, done),
                        7 => multiply::<7, 1>(panel, done),
                        4 => multiply::<4, 1>(panel, done),
                        2 => multiply::<2, 1>(panel, done),
                        _ => multiply::<1, 1>(panel, done),
                    }
                };
            }
        }
    }
}

/// How many of `left` pixels to multiply next: a large size that divides them, else the largest.
#[inline(always)]
fn size<const MOST: usize>(left: usize) -> usize {
    match left {
        _ if left.is_multiple_of(MOST) => MOST,
        _ if left.is_multiple_of(8) => 8,
        _ if left.is_multiple_of(7) => 7,
        14.. => 14,
        8.. => 8,
        4.. => 4,
        2.. => 2,
        _ => 1,
    }
}

/// Adds 128 to every input.
///
/// # Safety
/// As [`Tile::prepare`] says.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn offset(runs: &Runs, pixels: usize, to: *mut u8) {
    let products = runs.count * runs.length;
    let step = products.next_multiple_of(QUAD);
    for pixel in 0..pixels {
        let from = runs.from.wrapping_add(pixel * runs.pixel);
        let to = to.wrapping_add(pixel * step);
        // SAFETY: the caller's.
        unsafe {
            if products <= 64 {
                offset_short(runs, from, to);
            } else {
                offset_long(runs, from, to);
            }
        }
    }
}

/// Adds 128 to every byte.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn offset_in_place(bytes: &mut [i8]) {
    for byte in bytes {
        *byte ^= i8::MIN;
    }
}

/// One row of at most 64 products, put together in a register.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn offset_short(runs: &Runs, from: *const i8, to: *mut u8) {
    let mut row = _mm512_setzero_si512();
    for run in 0..runs.count {
        let before = run * runs.length;
        let mask = low_bits_of_64(runs.length) << before;
        // SAFETY: the mask keeps the load within the run.
        row = unsafe {
            let at = from.wrapping_add(run * runs.line).wrapping_sub(before);
            _mm512_mask_loadu_epi8(row, mask, at)
        };
    }
    let sign = _mm512_set1_epi8(i8::MIN);
    // SAFETY: what is written past the row is written again by the next one, or is slack.
    unsafe { _mm512_storeu_si512(to.cast(), _mm512_xor_si512(row, sign)) };
}

/// One row, run after run.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn offset_long(runs: &Runs, from: *const i8, to: *mut u8) {
    let sign = _mm512_set1_epi8(i8::MIN);
    let whole = runs.length / 64 * 64;
    let mask = low_bits_of_64(runs.length - whole);
    for run in 0..runs.count {
        let from = from.wrapping_add(run * runs.line);
        let to = to.wrapping_add(run * runs.length);
        // SAFETY: the mask keeps the loads within the run. What is written past it is written again
        // by the next run or row, or is slack.
        unsafe {
            for at in (0..whole).step_by(64) {
                let inputs = _mm512_loadu_si512(from.add(at).cast());
                _mm512_storeu_si512(to.add(at).cast(), _mm512_xor_si512(inputs, sign));
            }
            let inputs = _mm512_maskz_loadu_epi8(mask, from.wrapping_add(whole));
            _mm512_storeu_si512(to.add(whole).cast(), _mm512_xor_si512(inputs, sign));
        }
    }
    let products = runs.count * runs.length;
    if !products.is_multiple_of(QUAD) {
        // The last quad's weights are zero there.
        // SAFETY: as above.
        unsafe { to.add(products).cast::<u32>().write_unaligned(0) };
    }
}

/// Parts records in biases and multipliers, and takes `128 · Σ w` off every bias.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn ready_block(
    records: &[[u8; 8]],
    weights: &[i8],
    width: usize,
    bias: &mut [i32; BLOCK],
    multiplier: &mut [f32; BLOCK],
) {
    let mask = low_bits(width) as __mmask16;
    let offset = _mm512_set1_epi8(i8::MIN);
    // Four sums at once: one would wait for itself.
    let mut sums = [_mm512_setzero_si512(); 4];
    for quads in weights.chunks(4 * width * QUAD) {
        for (sum, quad) in sums.iter_mut().zip(quads.chunks_exact(width * QUAD)) {
            // SAFETY: the mask keeps the load within the chunk of `width` quads.
            let w = unsafe { _mm512_maskz_loadu_epi32(mask, quad.as_ptr().cast()) };
            *sum = _mm512_dpbusd_epi32(*sum, offset, w);
        }
    }
    let sums =
        _mm512_add_epi32(_mm512_add_epi32(sums[0], sums[1]), _mm512_add_epi32(sums[2], sums[3]));
    let mask = low_bits(records.len());
    let (low, high) = ((mask & 0xff) as __mmask8, (mask >> 8 & 0xff) as __mmask8);
    let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    let odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    // SAFETY: the masks keep the loads within the records; results are 16 numbers each.
    unsafe {
        let from = records.as_ptr().cast::<i64>();
        let a = _mm512_maskz_loadu_epi64(low, from);
        let b = _mm512_maskz_loadu_epi64(high, from.wrapping_add(8));
        let biases = _mm512_sub_epi32(_mm512_permutex2var_epi32(a, even, b), sums);
        _mm512_storeu_si512(bias.as_mut_ptr().cast(), biases);
        let multipliers = _mm512_permutex2var_epi32(a, odd, b);
        _mm512_storeu_si512(multiplier.as_mut_ptr().cast(), multipliers);
    }
}

/// Multiplies `M` rows from `first` on with `V` blocks of channels.
///
/// # Safety
/// As [`Tile::run`] says; `first + M` is at most the panel's pixels.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn multiply<const M: usize, const V: usize>(panel: &Panel<'_>, first: usize) -> usize {
    let widths = [panel.width(0), panel.width(1)];
    let masks = widths.map(|width| low_bits(width) as __mmask16);
    let mut sums = [[_mm512_setzero_si512(); V]; M];
    let mut multipliers = [_mm512_setzero_ps(); 2];
    let mut weights = [panel.weights.as_ptr(); 2];
    weights[1] = weights[1].wrapping_add(panel.runs * panel.quads * BLOCK * QUAD);
    unroll!(v in [0 1], below V => {
        // SAFETY: biases and multipliers of a whole panel are there.
        let bias = unsafe {
            multipliers[v] = _mm512_loadu_ps(panel.multiplier.as_ptr().add(v * BLOCK));
            _mm512_loadu_si512(panel.bias.as_ptr().add(v * BLOCK).cast())
        };
        unroll!(m in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15], below M => { sums[m][v] = bias; });
    });
    let step = panel.step;
    for run in 0..panel.runs {
        // Every fourth row has a pointer; the others are reached from it.
        let row = panel.rows.wrapping_add(first * step + run * panel.line);
        let mut rows = [row; 4];
        unroll!(r in [0 1 2 3], below 4 => { rows[r] = row.wrapping_add(4 * r * step); });
        for _ in 0..panel.quads {
            let mut w = [_mm512_setzero_si512(); V];
            unroll!(v in [0 1], below V => {
                // SAFETY: every block has `runs` times `quads` times `width` quads, which the mask
                // keeps to.
                w[v] = unsafe { _mm512_maskz_loadu_epi32(masks[v], weights[v].cast()) };
                weights[v] = weights[v].wrapping_add(widths[v] * QUAD);
            });
            unroll!(m in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15], below M => {
                // SAFETY: row `m` has `quads` quads.
                let inputs = unsafe {
                    let at = rows[m / 4].wrapping_add(m % 4 * step);
                    _mm512_set1_epi32(at.cast::<i32>().read_unaligned())
                };
                unroll!(v in [0 1], below V => {
                    sums[m][v] = _mm512_dpbusd_epi32(sums[m][v], inputs, w[v]);
                });
            });
            unroll!(r in [0 1 2 3], below 4 => { rows[r] = rows[r].wrapping_add(QUAD); });
        }
    }
    let requantise = Requantise::new(panel.to);
    let zero = _mm512_setzero_si512();
    unroll!(four in [0 1 2 3 4 5 6], below (M * V).div_ceil(4) => {
        let mut vectors = [(zero, multipliers[0]); 4];
        unroll!(i in [0 1 2 3], below 4 => {
            if four * 4 + i < M * V {
                let (m, v) = ((four * 4 + i) / V, (four * 4 + i) % V);
                vectors[i] = (sums[m][v], multipliers[v]);
            }
        });
        let results = requantise.in_order(vectors.map(|v| v.0), vectors.map(|v| v.1));
        let m = four * 4 / V;
        let count = if M - m < 4 / V { M - m } else { 4 / V };
        // SAFETY: pixels `m` and up are there; the store keeps to the panel's channels.
        unsafe {
            let out = panel.out.add((first + m) * panel.out_stride);
            store::<V>(results, panel, count, out);
        }
    });
    M
}

/// Stores `count` pixels of `V` blocks of channels.
///
/// # Safety
/// `out` is writable for the panel's channels of `count` pixels.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn store<const V: usize>(results: __m512i, panel: &Panel<'_>, count: usize, out: *mut i8) {
    let mask = low_bits(panel.channels);
    let step = panel.out_stride;
    // SAFETY: masks keep to the channels, conditions to the pixels.
    unsafe {
        if V == 2 && panel.channels == 2 * BLOCK {
            out.cast::<__m256i>().write_unaligned(_mm512_castsi512_si256(results));
            if count > 1 {
                let second = _mm512_extracti64x4_epi64::<1>(results);
                out.add(step).cast::<__m256i>().write_unaligned(second);
            }
        } else if V == 2 {
            _mm256_mask_storeu_epi8(out, mask, _mm512_castsi512_si256(results));
            if count > 1 {
                let second = _mm512_extracti64x4_epi64::<1>(results);
                _mm256_mask_storeu_epi8(out.add(step), mask, second);
            }
        } else if panel.channels == BLOCK && step == BLOCK {
            _mm512_mask_storeu_epi8(out, low_bits_of_64(count * BLOCK), results);
        } else if panel.channels == 8 && step == 8 {
            let halves = _mm512_setr_epi64(0, 2, 4, 6, 0, 2, 4, 6);
            let results = _mm512_permutexvar_epi64(halves, results);
            _mm512_mask_storeu_epi64(out.cast(), low_bits(count) as __mmask8, results);
        } else if panel.channels == 8 {
            let quarters = [
                _mm512_castsi512_si128(results),
                _mm512_extracti32x4_epi32::<1>(results),
                _mm512_extracti32x4_epi32::<2>(results),
                _mm512_extracti32x4_epi32::<3>(results),
            ];
            for (at, quarter) in quarters.into_iter().take(count).enumerate() {
                _mm_storel_epi64(out.add(at * step).cast(), quarter);
            }
        } else {
            let mask = mask as __mmask16;
            _mm_mask_storeu_epi8(out, mask, _mm512_castsi512_si128(results));
            if count > 1 {
                let second = _mm512_extracti32x4_epi32::<1>(results);
                _mm_mask_storeu_epi8(out.add(step), mask, second);
            }
            if count > 2 {
                let third = _mm512_extracti32x4_epi32::<2>(results);
                _mm_mask_storeu_epi8(out.add(2 * step), mask, third);
            }
            if count > 3 {
                let fourth = _mm512_extracti32x4_epi32::<3>(results);
                _mm_mask_storeu_epi8(out.add(3 * step), mask, fourth);
            }
        }
    }
}
