use core::arch::x86_64::*;

use super::requantise::Requantise;
use crate::kernels::generic::{Output, Term};
use crate::kernels::steps::in_steps;

/// Elements of a step.
const STEP: usize = 64;

/// See [`generic::add`](crate::kernels::generic::add).
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(super) fn add(a: Term<'_>, b: Term<'_>, to: &Output, out: &mut [i8]) {
    let requantise = Requantise::new(to);
    in_steps(a.data, b.data, out, |x, y| step(&requantise, (x, &a), (y, &b)));
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn step(
    requantise: &Requantise,
    (x, a): (&[i8; STEP], &Term<'_>),
    (y, b): (&[i8; STEP], &Term<'_>),
) -> [i8; STEP] {
    let mut reals = [_mm512_setzero_ps(); 4];
    for (at, real) in reals.iter_mut().enumerate() {
        *real = _mm512_add_ps(scaled(x, at, a), scaled(y, at, b));
    }
    let mut results = [0; STEP];
    // SAFETY: the array is 64 bytes.
    unsafe { _mm512_storeu_si512(results.as_mut_ptr().cast(), requantise.reals(reals)) };
    results
}

/// Quarter `at` of a step as reals.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn scaled(bytes: &[i8; STEP], at: usize, term: &Term<'_>) -> __m512 {
    let zero_point = _mm512_set1_epi32(i32::from(term.zero_point));
    // SAFETY: `at` is below 4.
    let bytes = unsafe { _mm_loadu_si128(bytes.as_ptr().add(at * 16).cast()) };
    let integers = _mm512_sub_epi32(_mm512_cvtepi8_epi32(bytes), zero_point);
    _mm512_mul_ps(_mm512_cvtepi32_ps(integers), _mm512_set1_ps(term.scale))
}
