use core::arch::x86_64::*;

use crate::kernels::squares::{Line, Pairs, SIDE, Square};
use crate::kernels::x86_64::avx2::squares::both;

/// See [`squares::product`](crate::kernels::squares::product). Sixteen registers hold four rows.
#[target_feature(enable = "avx512f")]
pub(super) fn product(a: &[Line], b: &[Line], out: &mut Square) {
    for (group, lines) in out.chunks_exact_mut(4).enumerate() {
        let mut sums = [[_mm512_setzero_ps(); 4]; 4];
        for (a, b) in a.iter().zip(b) {
            let (a, _) = a.as_chunks::<4>();
            // SAFETY: a line is four times sixteen numbers.
            let b: [__m512; SIDE / 16] =
                core::array::from_fn(|at| unsafe { _mm512_loadu_ps(b.as_ptr().add(16 * at)) });
            for (sums, &factor) in sums.iter_mut().zip(&a[group]) {
                let factor = _mm512_set1_ps(factor);
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = _mm512_add_ps(*sum, _mm512_mul_ps(factor, b));
                }
            }
        }
        for (line, sums) in lines.iter_mut().zip(sums) {
            for (at, sum) in sums.into_iter().enumerate() {
                // SAFETY: a line is four times sixteen numbers.
                unsafe { _mm512_storeu_ps(line.as_mut_ptr().add(16 * at), sum) };
            }
        }
    }
}

/// See [`squares::whole_product`](crate::kernels::squares::whole_product), in the same order.
#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) fn whole_product(a: &[Pairs], b: &[Pairs], out: &mut [[i32; SIDE]; SIDE]) {
    for (group, lines) in out.chunks_exact_mut(4).enumerate() {
        let mut sums = [[_mm512_setzero_si512(); 4]; 4];
        for (a, b) in a.iter().zip(b) {
            let (a, _) = a.as_chunks::<4>();
            // SAFETY: a line is four times sixteen pairs.
            let b: [__m512i; SIDE / 16] = core::array::from_fn(|at| unsafe {
                _mm512_loadu_si512(b.as_ptr().add(16 * at).cast())
            });
            for (sums, &pair) in sums.iter_mut().zip(&a[group]) {
                let pair = _mm512_set1_epi32(both(pair));
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = _mm512_dpwssd_epi32(*sum, pair, b);
                }
            }
        }
        for (line, sums) in lines.iter_mut().zip(sums) {
            for (at, sum) in sums.into_iter().enumerate() {
                // SAFETY: a line is four times sixteen numbers.
                unsafe { _mm512_storeu_si512(line.as_mut_ptr().add(16 * at).cast(), sum) };
            }
        }
    }
}
