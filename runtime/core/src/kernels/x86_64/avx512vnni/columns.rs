use super::{Avx512Vnni, low_bits};
use crate::kernels::x86_64::quads::columns_by_quads;

columns_by_quads!(
    Avx512Vnni,
    "avx512f,avx512bw,avx512vl,avx512vnni",
    _mm256_dpbusd_epi32,
    load,
    store,
);

/// Up to 32 bytes; zeros behind them.
///
/// # Safety
/// `from` is readable for `count` bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn load(from: *const i8, count: usize) -> __m256i {
    // SAFETY: the mask keeps the load within `count` bytes.
    unsafe {
        if count == CHANNELS {
            _mm256_loadu_si256(from.cast())
        } else {
            _mm256_maskz_loadu_epi8(low_bits(count), from)
        }
    }
}

/// The first `count` bytes of 32.
///
/// # Safety
/// `to` is writable for `count` bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn store(bytes: __m256i, count: usize, to: *mut i8) {
    // SAFETY: the mask keeps the store within `count` bytes.
    unsafe {
        if count == CHANNELS {
            _mm256_storeu_si256(to.cast(), bytes);
        } else {
            _mm256_mask_storeu_epi8(to, low_bits(count), bytes);
        }
    }
}
