use core::arch::x86_64::*;

use crate::kernels::generic::Output;

/// [`Output::quantise`] on vectors.
///
/// Bounds are applied to int8 after the packs, which saturate; only reals past int32 are bounded
/// before. Conversion rounds to nearest even, the mode that Rust demands of the CPU.
#[derive(Clone, Copy)]
pub(super) struct Requantise {
    greatest: __m512,
    zero_point: __m512i,
    min: __m256i,
    max: __m256i,
}

impl Requantise {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(super) fn new(to: &Output) -> Self {
        Self {
            greatest: _mm512_set1_ps(1e9),
            zero_point: _mm512_set1_epi16(i16::from(to.zero_point)),
            min: _mm256_set1_epi8(to.min),
            max: _mm256_set1_epi8(to.max),
        }
    }

    /// 64 results, those of `sums[0]` first.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(super) fn in_order(self, sums: [__m512i; 4], multipliers: [__m512; 4]) -> __m512i {
        self.reals([
            _mm512_mul_ps(_mm512_cvtepi32_ps(sums[0]), multipliers[0]),
            _mm512_mul_ps(_mm512_cvtepi32_ps(sums[1]), multipliers[1]),
            _mm512_mul_ps(_mm512_cvtepi32_ps(sums[2]), multipliers[2]),
            _mm512_mul_ps(_mm512_cvtepi32_ps(sums[3]), multipliers[3]),
        ])
    }

    /// 64 reals, rounded.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(super) fn reals(self, reals: [__m512; 4]) -> __m512i {
        let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        let words = |a, b| {
            let a = _mm512_cvtps_epi32(_mm512_min_ps(a, self.greatest));
            let b = _mm512_cvtps_epi32(_mm512_min_ps(b, self.greatest));
            _mm512_adds_epi16(_mm512_packs_epi32(a, b), self.zero_point)
        };
        let bytes = _mm512_packs_epi16(words(reals[0], reals[1]), words(reals[2], reals[3]));
        let bytes = _mm512_permutexvar_epi32(order, bytes);
        let (min, max) = (_mm512_broadcast_i64x4(self.min), _mm512_broadcast_i64x4(self.max));
        _mm512_min_epi8(_mm512_max_epi8(bytes, min), max)
    }
}
