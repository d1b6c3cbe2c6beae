use core::arch::x86_64::*;

use crate::kernels::chunk::Chunk;

/// See [`linear::dots`](crate::kernels::linear::dots).
#[target_feature(enable = "avx2")]
pub(super) fn dots(rows: [&[f32]; 4], x: &[f32]) -> [f32; 4] {
    let [a, b, c, d] = rows.map(|row| row[..x.len()].as_chunks());
    let (chunks, tail) = x.as_chunks();
    let mut lanes = [_mm256_setzero_ps(); 4];
    for ((((a, b), c), d), x) in a.0.iter().zip(b.0).zip(c.0).zip(d.0).zip(chunks) {
        lanes = add_products(lanes, [a, b, c, d].map(|row| load(row)), load(x));
    }
    let present = _mm256_cmpgt_epi32(
        _mm256_set1_epi32(tail.len() as i32),
        _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
    );
    // SAFETY: only the numbers that are there are read.
    let part = |tail: &[f32]| unsafe { _mm256_maskload_ps(tail.as_ptr(), present) };
    let [a, b, c, d] =
        add_products(lanes, [a.1, b.1, c.1, d.1].map(part), part(tail)).map(|lanes| halves(lanes));
    let (even, odd) = (_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
    let (even_next, odd_next) = (_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
    let first = _mm_add_ps(_mm_movelh_ps(even, even_next), _mm_movelh_ps(odd, odd_next));
    let second = _mm_add_ps(_mm_movehl_ps(even_next, even), _mm_movehl_ps(odd_next, odd));
    let mut sums = [0.0; 4];
    // SAFETY: the array is 16 bytes.
    unsafe { _mm_storeu_ps(sums.as_mut_ptr(), _mm_add_ps(first, second)) };
    sums
}

#[inline]
#[target_feature(enable = "avx2")]
fn add_products(lanes: [__m256; 4], rows: [__m256; 4], x: __m256) -> [__m256; 4] {
    core::array::from_fn(|row| _mm256_add_ps(lanes[row], _mm256_mul_ps(rows[row], x)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(chunk: &Chunk) -> __m256 {
    // SAFETY: a chunk is 32 bytes.
    unsafe { _mm256_loadu_ps(chunk.as_ptr()) }
}

/// Lane `i` and lane `i + 4`.
#[inline]
#[target_feature(enable = "avx2")]
fn halves(lanes: __m256) -> __m128 {
    _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes))
}
