//! Depthwise convolutions by `vpdpbusd` on vectors of 32 bytes, for every instruction set that has it.
//!
//! Four rows of the kernel are one step; of the last four, those that the kernel lacks are zeros.

use core::arch::x86_64::*;

/// Four rows of 32 bytes as quads: vector `i` holds those of channels `4i` to `4i + 3` of each 16.
/// That is the order that [`narrow`](super::avx2::Requantise::narrow) undoes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn quads(rows: [__m256i; 4]) -> [__m256i; 4] {
    let (a, b) = (_mm256_unpacklo_epi8(rows[0], rows[1]), _mm256_unpackhi_epi8(rows[0], rows[1]));
    let (c, d) = (_mm256_unpacklo_epi8(rows[2], rows[3]), _mm256_unpackhi_epi8(rows[2], rows[3]));
    [
        _mm256_unpacklo_epi16(a, c),
        _mm256_unpackhi_epi16(a, c),
        _mm256_unpacklo_epi16(b, d),
        _mm256_unpackhi_epi16(b, d),
    ]
}

/// Implements [`Columns`](crate::kernels::columns::Columns) for a token. A function's features are
/// part of its text, so that what differs is put into the text: the features, the instruction,
/// and how up to 32 bytes are loaded and stored.
macro_rules! columns_by_quads {
    (
        $token:ty, $features:literal, $dpbusd:ident, $load:path, $store:path $(,)?
    ) => {
        use core::arch::x86_64::*;

        use crate::kernels::columns::{Columns, Run};
        use crate::kernels::portable::Depthwise;
        use crate::kernels::x86_64::avx2::Requantise;
        use crate::kernels::x86_64::quads::quads;

        /// Vectors of a block that hold biases and multipliers, before the weights.
        const RECORDS: usize = 8;
        /// Channels of a block.
        const CHANNELS: usize = 32;

        impl Columns for $token {
            const CHANNELS: usize = CHANNELS;
            const TILES: &'static [usize] = &[7, 4, 1];
            const FOLDS: &'static [usize] = &[2, 4];

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
                        (3, 2, 7) => tile::<3, 2, 7>(run),
                        (3, 2, 4) => tile::<3, 2, 4>(run),
                        (3, 2, _) => tile::<3, 2, 1>(run),
                        (3, _, 4) => tile::<3, 4, 4>(run),
                        (3, _, _) => tile::<3, 4, 1>(run),
                        (_, 1, 7) => tile::<5, 1, 7>(run),
                        (_, 1, 4) => tile::<5, 1, 4>(run),
                        (_, 1, _) => tile::<5, 1, 1>(run),
                        (_, 2, 7) => tile::<5, 2, 7>(run),
                        (_, 2, 4) => tile::<5, 2, 4>(run),
                        (_, 2, _) => tile::<5, 2, 1>(run),
                        (_, _, 4) => tile::<5, 4, 4>(run),
                        (_, _, _) => tile::<5, 4, 1>(run),
                    }
                }
            }

            fn portable(self, work: Depthwise<'_>) {
                self.apply(work);
            }
        }

        /// Writes biases, multipliers and then the quads of every kernel column.
        ///
        /// # Safety
        /// As [`Columns::prepare`] says.
        #[target_feature(enable = $features)]
        unsafe fn prepare<const K: usize>(
            weights: *const i8,
            step: usize,
            records: &[[u8; 8]],
            block: *mut __m256i,
        ) {
            let groups = K.div_ceil(4);
            let offset = _mm256_set1_epi8(i8::MIN);
            let mut offsets = [_mm256_setzero_si256(); 4];
            for kx in 0..K {
                for group in 0..groups {
                    let mut rows = [_mm256_setzero_si256(); 4];
                    for (row, ky) in rows.iter_mut().zip(group * 4..K) {
                        // SAFETY: no more than the block's channels are loaded.
                        *row = unsafe { $load(weights.add((ky * K + kx) * step), records.len()) };
                    }
                    for (i, quads) in quads(rows).into_iter().enumerate() {
                        offsets[i] = $dpbusd(offsets[i], offset, quads);
                        // SAFETY: `5 · 2 · 4` vectors and the eight before them are within the block.
                        unsafe { block.add(RECORDS + (kx * groups + group) * 4 + i).write(quads) };
                    }
                }
            }
            let mut all = [[0; 8]; CHANNELS];
            all[..records.len()].copy_from_slice(records);
            for (i, &offset) in offsets.iter().enumerate() {
                // SAFETY: records `4i` to `4i + 3` of each 16 are there; the block has room for eight
                // vectors before its weights.
                unsafe {
                    let part = |first: usize| _mm256_loadu_ps(all.as_ptr().add(first).cast());
                    let (low, high) = (part(i * 4), part(16 + i * 4));
                    let in_order = |v| _mm256_permute4x64_epi64::<0b1101_1000>(_mm256_castps_si256(v));
                    let bias = in_order(_mm256_shuffle_ps::<0b1000_1000>(low, high));
                    block.add(i).write(_mm256_sub_epi32(bias, offset));
                    block.add(4 + i).write(in_order(_mm256_shuffle_ps::<0b1101_1101>(low, high)));
                }
            }
        }

        /// `P` pixels of a kernel of `K` rows and columns with stride `S`.
        ///
        /// # Safety
        /// As [`Columns::run`] says.
        #[target_feature(enable = $features)]
        unsafe fn tile<const K: usize, const S: usize, const P: usize>(run: &Run<'_>) {
            // SAFETY: the caller's.
            unsafe {
                match (run.whole, run.channels == CHANNELS) {
                    (true, true) => columns::<K, S, P, true, true>(run),
                    (true, false) => columns::<K, S, P, true, false>(run),
                    (false, true) => columns::<K, S, P, false, true>(run),
                    (false, false) => columns::<K, S, P, false, false>(run),
                }
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn columns<
            const K: usize,
            const S: usize,
            const P: usize,
            const WHOLE: bool,
            const FULL: bool,
        >(
            run: &Run<'_>,
        ) {
            let channels = if FULL { CHANNELS } else { run.channels };
            let block = run.block.cast::<__m256i>();
            let padding = _mm256_set1_epi8(run.zero_point);
            let offset = _mm256_set1_epi8(i8::MIN);
            let requantise = Requantise::new(run.to);
            let mut sums = [[_mm256_setzero_si256(); 4]; P];
            // SAFETY, for the loads below: they keep to the block's channels of a pixel that
            // lies inside the input; biases, multipliers and weights were written by `prepare`.
            unroll!(column in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16], below (P - 1) * S + K => {
                // Columns between the windows of a stride above the kernel are not read.
                if column % S < K || column / S >= P {
                    let x = run.column + column as isize;
                    let here = WHOLE || (x >= 0 && x < run.width.cast_signed());
                    unroll!(group in [0 1], below K.div_ceil(4) => {
                        let mut rows = [offset; 4];
                        unroll!(r in [0 1 2 3], below 4 => {
                            if group * 4 + r < K {
                                let ky = group * 4 + r;
                                let inputs = if here && (WHOLE || run.inside[ky]) {
                                    // SAFETY: see above.
                                    unsafe {
                                        let at = run.rows[ky].offset(x * run.step.cast_signed());
                                        $load(at, channels)
                                    }
                                } else {
                                    padding
                                };
                                rows[r] = _mm256_xor_si256(inputs, offset);
                            }
                        });
                        let inputs = quads(rows);
                        unroll!(p in [0 1 2 3 4 5 6], below P => {
                            if column >= p * S && column - p * S < K {
                                unroll!(i in [0 1 2 3], below 4 => {
                                    if column == p * S && group == 0 {
                                        // SAFETY: see above.
                                        sums[p][i] = unsafe { block.add(i).read() };
                                    }
                                    let at = RECORDS + ((column - p * S) * K.div_ceil(4) + group) * 4 + i;
                                    // SAFETY: see above.
                                    let w = unsafe { block.add(at).read() };
                                    sums[p][i] = $dpbusd(sums[p][i], inputs[i], w);
                                });
                            }
                        });
                    });
                    // A pixel is finished with its last column: few sums are in registers at any time.
                    unroll!(p in [0 1 2 3 4 5 6], below P => {
                        if column + 1 == p * S + K {
                            // SAFETY: see above; the store keeps to the block's channels.
                            unsafe {
                                let results = requantise.narrow(sums[p], block.add(4).cast());
                                let out = run.out.add(p * run.out_step);
                                $store(results, channels, out);
                            }
                        }
                    });
                }
            });
        }
    };
}
pub(super) use columns_by_quads;
