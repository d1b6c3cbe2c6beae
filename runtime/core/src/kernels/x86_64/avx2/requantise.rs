use core::arch::x86_64::*;

use crate::kernels::generic::Output;
use crate::kernels::work::{STEP, Step};

/// [`Output::quantise`] on vectors.
///
/// Bounds are applied to int8 after the packs, which saturate; only reals past int32 are bounded
/// before. Conversion rounds to nearest even, the mode that Rust demands of the CPU.
#[derive(Clone, Copy)]
pub(in crate::kernels::x86_64) struct Requantise {
    greatest: __m256,
    zero_point: __m256i,
    min: __m128i,
    max: __m128i,
}

impl Requantise {
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in crate::kernels::x86_64) fn new(to: &Output) -> Self {
        Self {
            greatest: _mm256_set1_ps(1e9),
            zero_point: _mm256_set1_epi16(i16::from(to.zero_point)),
            min: _mm_set1_epi8(to.min),
            max: _mm_set1_epi8(to.max),
        }
    }

    /// Sums times multipliers, rounded.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn rounded(self, sums: __m256i, multiplier: __m256) -> __m256i {
        let real = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), multiplier);
        _mm256_cvtps_epi32(_mm256_min_ps(real, self.greatest))
    }

    /// 16 results as int16, in every eight four of `sums[0]` before four of `sums[1]`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn words(self, sums: [__m256i; 2], multiplier: [__m256; 2]) -> __m256i {
        let a = self.rounded(sums[0], multiplier[0]);
        let b = self.rounded(sums[1], multiplier[1]);
        _mm256_adds_epi16(_mm256_packs_epi32(a, b), self.zero_point)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn bytes(self, words: __m256i) -> __m128i {
        let (low, high) = (_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
        _mm_min_epi8(_mm_max_epi8(_mm_packs_epi16(low, high), self.min), self.max)
    }

    /// 16 results; in every eight, the first four are from `sums[0]`, the others from `sums[1]`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn interleaved(self, sums: [__m256i; 2], multiplier: [__m256; 2]) -> __m128i {
        self.bytes(self.words(sums, multiplier))
    }

    /// 32 results of channels `4i` to `4i + 3` of each 16, for sums `i`, in the channels' order.
    ///
    /// # Safety
    /// There are four vectors of multipliers.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in crate::kernels::x86_64) unsafe fn narrow(
        self,
        sums: [__m256i; 4],
        multipliers: *const __m256,
    ) -> __m256i {
        let mut rounded = sums;
        for (i, sums) in rounded.iter_mut().enumerate() {
            // SAFETY: the caller's.
            *sums = self.rounded(*sums, unsafe { multipliers.add(i).read() });
        }
        let low = _mm256_adds_epi16(_mm256_packs_epi32(rounded[0], rounded[1]), self.zero_point);
        let high = _mm256_adds_epi16(_mm256_packs_epi32(rounded[2], rounded[3]), self.zero_point);
        self.bounded(_mm256_packs_epi16(low, high))
    }

    /// 32 results, those of `sums[0]` first.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn in_order(self, sums: [__m256i; 4], multipliers: [__m256; 4]) -> __m256i {
        self.reals([
            _mm256_mul_ps(_mm256_cvtepi32_ps(sums[0]), multipliers[0]),
            _mm256_mul_ps(_mm256_cvtepi32_ps(sums[1]), multipliers[1]),
            _mm256_mul_ps(_mm256_cvtepi32_ps(sums[2]), multipliers[2]),
            _mm256_mul_ps(_mm256_cvtepi32_ps(sums[3]), multipliers[3]),
        ])
    }

    /// 32 reals, rounded.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn reals(self, reals: [__m256; 4]) -> __m256i {
        let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        let words = |a, b| {
            let a = _mm256_cvtps_epi32(_mm256_min_ps(a, self.greatest));
            let b = _mm256_cvtps_epi32(_mm256_min_ps(b, self.greatest));
            _mm256_adds_epi16(_mm256_packs_epi32(a, b), self.zero_point)
        };
        let bytes = _mm256_packs_epi16(words(reals[0], reals[1]), words(reals[2], reals[3]));
        self.bounded(_mm256_permutevar8x32_epi32(bytes, order))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn bounded(self, bytes: __m256i) -> __m256i {
        let (min, max) =
            (_mm256_broadcastsi128_si256(self.min), _mm256_broadcastsi128_si256(self.max));
        _mm256_min_epi8(_mm256_max_epi8(bytes, min), max)
    }
}

/// The numbers of a step, rounded.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn step(numbers: &Step, to: &Output) -> [i8; STEP] {
    let mut results = [0; STEP];
    // SAFETY: numbers and results are 32.
    unsafe {
        let at = numbers.as_ptr();
        let reals = [
            _mm256_loadu_ps(at),
            _mm256_loadu_ps(at.add(8)),
            _mm256_loadu_ps(at.add(16)),
            _mm256_loadu_ps(at.add(24)),
        ];
        let bytes = Requantise::new(to).reals(reals);
        _mm256_storeu_si256(results.as_mut_ptr().cast(), bytes);
    }
    results
}
