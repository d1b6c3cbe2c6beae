use core::arch::x86_64::*;

use super::{Avx2, Block};
use crate::kernels::tiles::{Panel, Runs, Tile, read_records};
use crate::network::{BLOCK, QUAD};

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
    // SAFETY: the caller's; a whole block is loaded as two vectors, of another what it has.
    unsafe {
        if panel.width(block) == BLOCK {
            products::<M, true>(panel, block, first)
        } else {
            products::<M, false>(panel, block, first)
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
) -> usize {
    let step = panel.step;
    // SAFETY: the block is one of the panel's, and so are the rows from `first` on.
    let (block, rows) = unsafe { (Block::new(panel, block), panel.rows.add(first * step)) };
    let mut sums = [block.bias; M];
    for quad in 0..panel.quads {
        // SAFETY: there are `quads` of them.
        let w = unsafe { block.quad::<FULL>(block.weights.wrapping_add(quad * block.step)) };
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
    unroll!(pair in [0 1 2], below M.div_ceil(2) => {
        let second = if pair * 2 + 1 < M { Some(sums[pair * 2 + 1]) } else { None };
        // SAFETY: the panel has `M` pixels from `first` on.
        unsafe { block.finish(panel, first + pair * 2, sums[pair * 2], second) };
    });
    M
}
