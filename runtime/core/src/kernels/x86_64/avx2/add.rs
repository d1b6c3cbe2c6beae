use core::arch::x86_64::*;

use super::requantise::Requantise;
use crate::kernels::generic::{Output, Term};
use crate::kernels::steps::in_steps;

/// Elements of a step.
const STEP: usize = 32;

/// See [`generic::add`](crate::kernels::generic::add).
#[target_feature(enable = "avx2")]
pub(super) fn add(a: Term<'_>, b: Term<'_>, to: &Output, out: &mut [i8]) {
    let requantise = Requantise::new(to);
    in_steps(a.data, b.data, out, |x, y| step(&requantise, (x, &a), (y, &b)));
}

#[inline]
#[target_feature(enable = "avx2")]
fn step(
    requantise: &Requantise,
    (x, a): (&[i8; STEP], &Term<'_>),
    (y, b): (&[i8; STEP], &Term<'_>),
) -> [i8; STEP] {
    let mut reals = [_mm256_setzero_ps(); 4];
    for (at, real) in reals.iter_mut().enumerate() {
        *real = _mm256_add_ps(scaled(x, at, a), scaled(y, at, b));
    }
    let mut results = [0; STEP];
    // SAFETY: the array is 32 bytes.
    unsafe { _mm256_storeu_si256(results.as_mut_ptr().cast(), requantise.reals(reals)) };
    results
}

/// Quarter `at` of a step as reals.
#[inline]
#[target_feature(enable = "avx2")]
fn scaled(bytes: &[i8; STEP], at: usize, term: &Term<'_>) -> __m256 {
    let zero_point = _mm256_set1_epi32(i32::from(term.zero_point));
    // SAFETY: `at` is below 4.
    let bytes = unsafe { _mm_loadl_epi64(bytes.as_ptr().add(at * 8).cast()) };
    let integers = _mm256_sub_epi32(_mm256_cvtepi8_epi32(bytes), zero_point);
    _mm256_mul_ps(_mm256_cvtepi32_ps(integers), _mm256_set1_ps(term.scale))
}
