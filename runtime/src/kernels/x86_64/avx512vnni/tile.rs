use core::arch::x86_64::*;

use super::requantise::Requantise;
use super::{Avx512Vnni, low_bits};
use crate::backbone::{BLOCK, QUAD};
use crate::kernels::tiles::{Panel, Tile};

impl Tile for Avx512Vnni {
    const PIXELS: usize = 14;
    const WIDTH: usize = 1;

    unsafe fn prepare(
        self,
        from: *const i8,
        stride: usize,
        pixels: usize,
        quads: usize,
        to: *mut u8,
    ) {
        // SAFETY: the token proves the features; the caller vouches for the pointers.
        unsafe { offset(from, stride, pixels, quads, to) }
    }

    fn correct(self, weights: &[i8], width: usize, bias: &mut [i32]) {
        // SAFETY: the token proves the features.
        unsafe { take_off_offset(weights, width, bias) }
    }

    unsafe fn run(self, panel: &Panel<'_>) {
        let mut done = 0;
        while done < panel.pixels {
            // SAFETY: the token proves the features; `done` and the pixels behind it are below
            // `pixels`, which the caller vouches for.
            unsafe {
                done += match (panel.pixels - done, panel.channels > BLOCK) {
                    (14.., true) => multiply::<14, 2>(panel, done),
                    (14.., false) => multiply::<14, 1>(panel, done),
                    (7.., true) => multiply::<7, 2>(panel, done),
                    (7.., false) => multiply::<7, 1>(panel, done),
                    (4.., true) => multiply::<4, 2>(panel, done),
                    (4.., false) => multiply::<4, 1>(panel, done),
                    (2.., true) => multiply::<2, 2>(panel, done),
                    (2.., false) => multiply::<2, 1>(panel, done),
                    (_, true) => multiply::<1, 2>(panel, done),
                    (_, false) => multiply::<1, 1>(panel, done),
                };
            }
        }
    }
}

/// Adds 128 to every input.
///
/// # Safety
/// As [`Tile::prepare`] says.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn offset(from: *const i8, stride: usize, pixels: usize, quads: usize, to: *mut u8) {
    let sign = _mm512_set1_epi8(i8::MIN);
    for pixel in 0..pixels {
        for at in (0..quads).step_by(16) {
            let mask = low_bits(quads - at) as __mmask16;
            // SAFETY: `mask` keeps the load within the row's quads, and the store too.
            unsafe {
                let inputs = from.add(pixel * stride + at * QUAD).cast();
                let row = to.add(pixel * <Avx512Vnni as Tile>::STRIDE + at * QUAD).cast();
                let inputs = _mm512_maskz_loadu_epi32(mask, inputs);
                _mm512_mask_storeu_epi32(row, mask, _mm512_xor_si512(inputs, sign));
            }
        }
    }
}

/// Takes `128 · Σ w` off every channel's bias.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn take_off_offset(weights: &[i8], width: usize, bias: &mut [i32]) {
    let mask = low_bits(width) as __mmask16;
    let offset = _mm512_set1_epi8(i8::MIN);
    let mut sums = _mm512_setzero_si512();
    for quad in weights.chunks_exact(width * QUAD) {
        // SAFETY: the mask keeps the load within the chunk of `width` quads.
        let w = unsafe { _mm512_maskz_loadu_epi32(mask, quad.as_ptr().cast()) };
        sums = _mm512_dpbusd_epi32(sums, offset, w);
    }
    let mut offsets = [0_i32; BLOCK];
    // SAFETY: 16 int32 are 64 bytes.
    unsafe { _mm512_storeu_si512(offsets.as_mut_ptr().cast(), sums) };
    for (bias, offset) in bias.iter_mut().zip(offsets) {
        *bias = bias.wrapping_sub(offset);
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
    weights[1] = weights[1].wrapping_add(panel.quads * BLOCK * QUAD);
    unroll!(v in [0 1], below V => {
        // SAFETY: biases and multipliers of a whole panel are there.
        let bias = unsafe {
            multipliers[v] = _mm512_loadu_ps(panel.multiplier.as_ptr().add(v * BLOCK));
            _mm512_loadu_si512(panel.bias.as_ptr().add(v * BLOCK).cast())
        };
        unroll!(m in [0 1 2 3 4 5 6 7 8 9 10 11 12 13], below M => { sums[m][v] = bias; });
    });
    // SAFETY: the rows from `first` on are there.
    let rows = unsafe { panel.rows.add(first * <Avx512Vnni as Tile>::STRIDE) };
    for quad in 0..panel.quads {
        let mut w = [_mm512_setzero_si512(); V];
        unroll!(v in [0 1], below V => {
            // SAFETY: every block has `quads` times `width` quads, which the mask keeps to.
            w[v] = unsafe {
                let at = weights[v].add(quad * widths[v] * QUAD);
                _mm512_maskz_loadu_epi32(masks[v], at.cast())
            };
        });
        unroll!(m in [0 1 2 3 4 5 6 7 8 9 10 11 12 13], below M => {
            // SAFETY: row `m` has `quads` quads.
            let inputs = unsafe {
                let at = rows.add(m * <Avx512Vnni as Tile>::STRIDE + quad * QUAD);
                _mm512_set1_epi32(at.cast::<i32>().read_unaligned())
            };
            unroll!(v in [0 1], below V => {
                sums[m][v] = _mm512_dpbusd_epi32(sums[m][v], inputs, w[v]);
            });
        });
    }
    let requantise = Requantise::new(panel.to);
    let mask = low_bits(panel.channels);
    unroll!(m in [0 1 2 3 4 5 6 7 8 9 10 11 12 13], below M => {
        let second = if V == 2 { sums[m][V - 1] } else { _mm512_setzero_si512() };
        let results = requantise.in_order([sums[m][0], second], multipliers);
        // SAFETY: the mask keeps the store within the panel's channels.
        unsafe {
            let out = panel.out.add((first + m) * panel.out_stride);
            _mm256_mask_storeu_epi8(out, mask, results);
        }
    });
    M
}
