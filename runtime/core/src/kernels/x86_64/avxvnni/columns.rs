use super::AvxVnni;
use crate::kernels::x86_64::avx2;
use crate::kernels::x86_64::quads::columns_by_quads;

columns_by_quads!(AvxVnni, "avx2,avxvnni", _mm256_dpbusd_avx_epi32, load, store);

/// Up to 32 bytes; zeros behind them.
///
/// # Safety
/// `from` is readable for `count` bytes.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load(from: *const i8, count: usize) -> __m256i {
    // SAFETY: each half loads no more than is left of `count` bytes.
    unsafe {
        if count == CHANNELS {
            return _mm256_loadu_si256(from.cast());
        }
        let low = avx2::load(from, count.min(16));
        let high =
            if count > 16 { avx2::load(from.add(16), count - 16) } else { _mm_setzero_si128() };
        _mm256_set_m128i(high, low)
    }
}

/// The first `count` bytes of 32.
///
/// # Safety
/// `to` is writable for `count` bytes.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn store(bytes: __m256i, count: usize, to: *mut i8) {
    // SAFETY: each half stores no more than is left of `count` bytes.
    unsafe {
        if count == CHANNELS {
            return _mm256_storeu_si256(to.cast(), bytes);
        }
        avx2::store(_mm256_castsi256_si128(bytes), count.min(16), to);
        if count > 16 {
            avx2::store(_mm256_extracti128_si256::<1>(bytes), count - 16, to.add(16));
        }
    }
}
