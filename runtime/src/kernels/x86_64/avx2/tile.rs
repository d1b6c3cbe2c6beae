use core::arch::x86_64::*;

use super::Avx2;
use super::requantise::Requantise;
use crate::backbone::{BLOCK, QUAD};
use crate::kernels::tiles::{Panel, Runs, Tile, read_records};

impl Tile for Avx2 {
    const PIXELS: usize = 5;
    const WIDTH: usize = 2;
    const ANY_LENGTH: bool = false;
    const IN_PLACE: bool = false;
    const AS_STORED: bool = false;

    unsafe fn prepare(self, runs: &Runs, pixels: usize, to: *mut u8) {
        // SAFETY: the token proves the feature; the caller vouches for the pointers.
        unsafe { widen(runs, pixels, to) }
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
                // SAFETY: the token proves the feature; `done` and the pixels behind it are below
                // `pixels`, which the caller vouches for.
                unsafe {
                    done += match panel.pixels - done {
                        5.. => multiply::<5>(panel, block, done),
                        2.. => multiply::<2>(panel, block, done),
                        _ => multiply::<1>(panel, block, done),
                    };
                }
            }
        }
    }
}

/// The even bytes of every dword as int16, and the odd ones.
#[inline]
#[target_feature(enable = "avx2")]
fn halves(bytes: __m256i) -> [__m256i; 2] {
    let even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(bytes));
    [even, _mm256_srai_epi16::<8>(bytes)]
}

/// Widens every quad to two pairs of int16: its even inputs, then its odd ones.
///
/// # Safety
/// As [`Tile::prepare`] says.
#[target_feature(enable = "avx2")]
unsafe fn widen(runs: &Runs, pixels: usize, to: *mut u8) {
    let mut to = to;
    for pixel in 0..pixels {
        for run in 0..runs.count {
            let from = runs.from.wrapping_add(pixel * runs.pixel + run * runs.line);
            let mut at = 0;
            while at < runs.length {
                // SAFETY: whole vectors are loaded where the run has them, single quads else; twice
                // as many bytes are written.
                unsafe {
                    let source = from.add(at);
                    if at + 32 <= runs.length {
                        let [even, odd] = halves(_mm256_loadu_si256(source.cast()));
                        let low = _mm256_unpacklo_epi32(even, odd);
                        let high = _mm256_unpackhi_epi32(even, odd);
                        let first = _mm256_permute2x128_si256::<0x20>(low, high);
                        let second = _mm256_permute2x128_si256::<0x31>(low, high);
                        _mm256_storeu_si256(to.cast(), first);
                        _mm256_storeu_si256(to.add(32).cast(), second);
                        (at, to) = (at + 32, to.add(64));
                    } else {
                        let quad = _mm256_set1_epi32(source.cast::<i32>().read_unaligned());
                        let [even, odd] = halves(quad);
                        let pairs = _mm256_castsi256_si128(_mm256_unpacklo_epi32(even, odd));
                        _mm_storel_epi64(to.cast(), pairs);
                        (at, to) = (at + QUAD, to.add(2 * QUAD));
                    }
                }
            }
        }
    }
}

/// Multiplies `M` rows from `first` on with one block of channels.
///
/// # Safety
/// As [`Tile::run`] says; `first + M` is at most the panel's pixels.
#[target_feature(enable = "avx2")]
unsafe fn multiply<const M: usize>(panel: &Panel<'_>, block: usize, first: usize) -> usize {
    let channels = (panel.channels - block * BLOCK).min(BLOCK);
    // SAFETY: the caller's; a whole block is loaded as two vectors, of another what it has.
    unsafe {
        if panel.width(block) == BLOCK {
            products::<M, true>(panel, block, first, channels)
        } else {
            products::<M, false>(panel, block, first, channels)
        }
    }
}

/// See [`multiply`]; `FULL` says that the block has 16 channels.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn products<const M: usize, const FULL: bool>(
    panel: &Panel<'_>,
    block: usize,
    first: usize,
    channels: usize,
) -> usize {
    let width = panel.width(block);
    let step = panel.step;
    let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    let width_lanes = _mm256_set1_epi32(width as i32);
    let masks = [
        _mm256_cmpgt_epi32(width_lanes, lanes),
        _mm256_cmpgt_epi32(width_lanes, _mm256_add_epi32(lanes, _mm256_set1_epi32(8))),
    ];
    // SAFETY: biases and multipliers of a whole panel are there; so are the weights of its blocks
    // and the rows from `first` on.
    let (bias, multiplier, weights, rows) = unsafe {
        let bias: *const __m256i = panel.bias.as_ptr().add(block * BLOCK).cast();
        let multiplier = panel.multiplier.as_ptr().add(block * BLOCK);
        (
            [_mm256_loadu_si256(bias), _mm256_loadu_si256(bias.add(1))],
            [_mm256_loadu_ps(multiplier), _mm256_loadu_ps(multiplier.add(8))],
            panel.weights.as_ptr().add(block * panel.quads * BLOCK * QUAD),
            panel.rows.add(first * panel.step),
        )
    };
    let mut sums = [bias; M];
    for quad in 0..panel.quads {
        let at = weights.wrapping_add(quad * width * QUAD);
        let mut w = [_mm256_setzero_si256(); 2];
        unroll!(half in [0 1], below 2 => {
            let at = at.wrapping_add(half * 32);
            w[half] = if FULL {
                // SAFETY: a full block has 64 bytes a quad.
                unsafe { _mm256_loadu_si256(at.cast()) }
            } else {
                // SAFETY: the mask keeps the load within the block's channels.
                unsafe { _mm256_maskload_epi32(at.cast(), masks[half]) }
            };
        });
        let w = [halves(w[0]), halves(w[1])];
        unroll!(parity in [0 1], below 2 => {
            unroll!(m in [0 1 2 3 4], below M => {
                // SAFETY: row `m` has `quads` pairs of each parity.
                let inputs = unsafe {
                    let at = rows.add(m * step + (quad * 2 + parity) * QUAD);
                    _mm256_set1_epi32(at.cast::<i32>().read_unaligned())
                };
                unroll!(half in [0 1], below 2 => {
                    let products = _mm256_madd_epi16(inputs, w[half][parity]);
                    sums[m][half] = _mm256_add_epi32(sums[m][half], products);
                });
            });
        });
    }
    let requantise = Requantise::new(panel.to);
    let multipliers = [multiplier[0], multiplier[1], multiplier[0], multiplier[1]];
    unroll!(pair in [0 1 2], below M.div_ceil(2) => {
        let (m, second) = (pair * 2, if pair * 2 + 1 < M { pair * 2 + 1 } else { pair * 2 });
        let vectors = [sums[m][0], sums[m][1], sums[second][0], sums[second][1]];
        let results = requantise.in_order(vectors, multipliers);
        // SAFETY: the stores keep to the block's channels.
        unsafe {
            let out = panel.out.add((first + m) * panel.out_stride + block * BLOCK);
            super::store(_mm256_castsi256_si128(results), channels, out);
            if second > m {
                let results = _mm256_extracti128_si256::<1>(results);
                super::store(results, channels, out.add(panel.out_stride));
            }
        }
    });
    M
}
