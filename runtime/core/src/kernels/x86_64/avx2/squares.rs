use core::arch::x86_64::*;

use crate::kernels::squares::{Line, Pairs, SIDE, Square};

/// See [`squares::product`](crate::kernels::squares::product). Eight registers hold half of two rows.
#[target_feature(enable = "avx2")]
pub(super) fn product(a: &[Line], b: &[Line], columns: usize, out: &mut Square) {
    let halves = columns.min(SIDE).div_ceil(SIDE / 2);
    for (group, lines) in out.chunks_exact_mut(2).enumerate() {
        for half in 0..halves {
            let mut sums = [[_mm256_setzero_ps(); 4]; 2];
            for (a, b) in a.iter().zip(b) {
                let (a, _) = a.as_chunks::<2>();
                // SAFETY: a line is eight times eight numbers.
                let b: [__m256; 4] = core::array::from_fn(|at| unsafe {
                    _mm256_loadu_ps(b.as_ptr().add(32 * half + 8 * at))
                });
                for (sums, &factor) in sums.iter_mut().zip(&a[group]) {
                    let factor = _mm256_set1_ps(factor);
                    for (sum, b) in sums.iter_mut().zip(b) {
                        *sum = _mm256_add_ps(*sum, _mm256_mul_ps(factor, b));
                    }
                }
            }
            for (line, sums) in lines.iter_mut().zip(sums) {
                for (at, sum) in sums.into_iter().enumerate() {
                    // SAFETY: a line is eight times eight numbers.
                    unsafe { _mm256_storeu_ps(line.as_mut_ptr().add(32 * half + 8 * at), sum) };
                }
            }
        }
    }
}

/// See [`squares::whole_product`](crate::kernels::squares::whole_product). Eight registers hold a quarter of four rows.
#[target_feature(enable = "avx2")]
pub(super) fn whole_product(a: &[Pairs], b: &[Pairs], out: &mut [[i32; SIDE]; SIDE]) {
    for first in (0..SIDE).step_by(16) {
        for (group, lines) in out.chunks_exact_mut(4).enumerate() {
            let mut sums = [[_mm256_setzero_si256(); 2]; 4];
            for (a, b) in a.iter().zip(b) {
                let (a, _) = a.as_chunks::<4>();
                // SAFETY: a line is four times sixteen pairs.
                let b: [__m256i; 2] = core::array::from_fn(|at| unsafe {
                    _mm256_loadu_si256(b.as_ptr().add(first + 8 * at).cast())
                });
                for (sums, &pair) in sums.iter_mut().zip(&a[group]) {
                    let pair = _mm256_set1_epi32(both(pair));
                    for (sum, b) in sums.iter_mut().zip(b) {
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pair, b));
                    }
                }
            }
            for (line, sums) in lines.iter_mut().zip(sums) {
                for (at, sum) in sums.into_iter().enumerate() {
                    // SAFETY: a line is four times sixteen numbers.
                    unsafe {
                        _mm256_storeu_si256(line.as_mut_ptr().add(first + 8 * at).cast(), sum);
                    }
                }
            }
        }
    }
}

/// A pair as one number, the first in its lower half: as it lies in memory.
#[inline(always)]
pub(in crate::kernels::x86_64) fn both([first, second]: [i16; 2]) -> i32 {
    i32::from(first.cast_unsigned()) | i32::from(second) << 16
}
