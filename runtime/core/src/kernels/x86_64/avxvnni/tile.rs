use core::arch::x86_64::*;

use super::AvxVnni;
use crate::kernels::tiles::{Panel, Runs, Tile, read_records};
use crate::kernels::x86_64::avx2::Block;
use crate::network::{BLOCK, QUAD};

impl Tile for AvxVnni {
    const PIXELS: usize = 6;
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
        read_records(records, bias, multiplier);
        // SAFETY: the token proves the features.
        unsafe { offset_bias(weights, width, bias) }
    }

    fn ready(self, bytes: &mut [i8]) {
        // SAFETY: the token proves the features.
        unsafe { offset_in_place(bytes) }
    }

    unsafe fn run(self, panel: &Panel<'_>) {
        for block in 0..panel.channels.div_ceil(BLOCK) {
            let mut done = 0;
            while done < panel.pixels {
                // SAFETY: the token proves the features; `done` and the pixels behind it are below
                // `pixels`, which the caller vouches for.
                unsafe {
                    done += match size(panel.pixels - done) {
                        6 => multiply::<6>(panel, block, done),
                        5 => multiply::<5>(panel, block, done),
                        4 => multiply::<4>(panel, block, done),
                        3 => multiply::<3>(panel, block, done),
                        2 => multiply::<2>(panel, block, done),
                        _ => multiply::<1>(panel, block, done),
                    };
                }
            }
        }
    }
}

/// How many of `left` pixels to multiply next: the last two tiles are about as large.
#[inline(always)]
fn size(left: usize) -> usize {
    match left {
        12.. | 6 => 6,
        7.. => left.div_ceil(2),
        _ => left,
    }
}

/// Adds 128 to every input.
///
/// # Safety
/// As [`Tile::prepare`] says.
#[target_feature(enable = "avx2")]
unsafe fn offset(runs: &Runs, pixels: usize, to: *mut u8) {
    let products = runs.count * runs.length;
    let step = products.next_multiple_of(QUAD);
    for pixel in 0..pixels {
        let to = to.wrapping_add(pixel * step);
        for run in 0..runs.count {
            let from = runs.from.wrapping_add(pixel * runs.pixel + run * runs.line);
            // SAFETY: the caller's.
            unsafe { offset_run(from, runs.length, to.wrapping_add(run * runs.length)) };
        }
        if products != step {
            // The last quad's weights are zero there.
            // SAFETY: what is written past the row is written again by the next one, or is slack.
            unsafe { to.add(products).cast::<u32>().write_unaligned(0) };
        }
    }
}

/// Adds 128 to every byte of a run: whole units, and the last one again where they do not end with
/// the run.
///
/// # Safety
/// `from` is readable and `to` writable for `length` bytes.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn offset_run(from: *const i8, length: usize, to: *mut u8) {
    let sign = _mm256_set1_epi8(i8::MIN);
    // SAFETY: every unit ends with the run or before.
    unsafe {
        if length >= 32 {
            let mut at = 0;
            while at < length {
                let here = at.min(length - 32);
                let inputs = _mm256_loadu_si256(from.add(here).cast());
                _mm256_storeu_si256(to.add(here).cast(), _mm256_xor_si256(inputs, sign));
                at += 32;
            }
        } else if length >= 16 {
            for at in [0, length - 16] {
                let inputs = _mm_loadu_si128(from.add(at).cast());
                let inputs = _mm_xor_si128(inputs, _mm256_castsi256_si128(sign));
                _mm_storeu_si128(to.add(at).cast(), inputs);
            }
        } else if length >= 8 {
            for at in [0, length - 8] {
                let inputs = from.add(at).cast::<u64>().read_unaligned();
                to.add(at).cast::<u64>().write_unaligned(inputs ^ 0x8080_8080_8080_8080);
            }
        } else if length >= 4 {
            for at in [0, length - 4] {
                let inputs = from.add(at).cast::<u32>().read_unaligned();
                to.add(at).cast::<u32>().write_unaligned(inputs ^ 0x8080_8080);
            }
        } else {
            for at in 0..length {
                to.add(at).write(from.add(at).read().cast_unsigned() ^ 0x80);
            }
        }
    }
}

/// Adds 128 to every byte.
#[target_feature(enable = "avx2")]
fn offset_in_place(bytes: &mut [i8]) {
    for byte in bytes {
        *byte ^= i8::MIN;
    }
}

/// Takes `128 · Σ w` off every bias.
#[target_feature(enable = "avx2,avxvnni")]
fn offset_bias(weights: &[i8], width: usize, bias: &mut [i32; BLOCK]) {
    if width < BLOCK {
        for quad in weights.chunks_exact(width * QUAD) {
            for (bias, weights) in bias.iter_mut().zip(quad.chunks_exact(QUAD)) {
                *bias -= 128 * weights.iter().map(|&w| i32::from(w)).sum::<i32>();
            }
        }
        return;
    }
    let offset = _mm256_set1_epi8(i8::MIN);
    // Eight sums at once: one would wait for itself.
    let mut sums = [[_mm256_setzero_si256(); 2]; 4];
    for quads in weights.chunks(4 * BLOCK * QUAD) {
        for (sums, quad) in sums.iter_mut().zip(quads.chunks_exact(BLOCK * QUAD)) {
            for (half, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the chunk has 64 bytes.
                let w = unsafe { _mm256_loadu_si256(quad.as_ptr().add(half * 32).cast()) };
                *sum = _mm256_dpbusd_avx_epi32(*sum, offset, w);
            }
        }
    }
    for half in 0..2 {
        let [a, b, c, d] = sums.map(|sums| sums[half]);
        let sum = _mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d));
        // SAFETY: there are 16 biases.
        unsafe {
            let bias: *mut __m256i = bias.as_mut_ptr().add(half * 8).cast();
            _mm256_storeu_si256(bias, _mm256_sub_epi32(_mm256_loadu_si256(bias), sum));
        }
    }
}

/// Multiplies `M` rows from `first` on with one block of channels.
///
/// # Safety
/// As [`Tile::run`] says; `first + M` is at most the panel's pixels.
#[target_feature(enable = "avx2,avxvnni")]
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
#[target_feature(enable = "avx2,avxvnni")]
unsafe fn products<const M: usize, const FULL: bool>(
    panel: &Panel<'_>,
    block: usize,
    first: usize,
) -> usize {
    let step = panel.step;
    // SAFETY: the block is one of the panel's.
    let block = unsafe { Block::new(panel, block) };
    let mut weights = block.weights;
    let mut sums = [block.bias; M];
    for run in 0..panel.runs {
        // Every third row has a pointer; the others are reached from it.
        let row = panel.rows.wrapping_add(first * step + run * panel.line);
        let mut rows = [row, row.wrapping_add(3 * step)];
        for _ in 0..panel.quads {
            // SAFETY: the block has `runs` times `quads` of them.
            let w = unsafe { block.quad::<FULL>(weights) };
            weights = weights.wrapping_add(if FULL { BLOCK * QUAD } else { block.step });
            unroll!(m in [0 1 2 3 4 5], below M => {
                // SAFETY: row `m` has `quads` quads.
                let inputs = unsafe {
                    let at = rows[m / 3].wrapping_add(m % 3 * step);
                    _mm256_set1_epi32(at.cast::<i32>().read_unaligned())
                };
                unroll!(half in [0 1], below 2 => {
                    sums[m][half] = _mm256_dpbusd_avx_epi32(sums[m][half], inputs, w[half]);
                });
            });
            rows = rows.map(|row| row.wrapping_add(QUAD));
        }
    }
    unroll!(pair in [0 1 2], below M.div_ceil(2) => {
        let second = if pair * 2 + 1 < M { Some(sums[pair * 2 + 1]) } else { None };
        // SAFETY: the panel has `M` pixels from `first` on.
        unsafe { block.finish(panel, first + pair * 2, sums[pair * 2], second) };
    });
    M
}
