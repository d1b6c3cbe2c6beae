use core::arch::x86_64::*;

use crate::kernels::squares::{Line, Square};

/// See [`squares::product`](crate::kernels::squares::product). Eight registers hold half of two rows.
#[target_feature(enable = "avx2")]
pub(super) fn product(a: &[Line], b: &[Line], out: &mut Square) {
    for (group, lines) in out.chunks_exact_mut(2).enumerate() {
        for half in 0..2 {
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
