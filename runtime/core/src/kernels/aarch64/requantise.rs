use core::arch::aarch64::*;

use crate::kernels::generic::Output;
use crate::kernels::work::{STEP, Step};

/// [`Output::quantise`] on vectors.
///
/// Conversion rounds to nearest even and saturates; so do the narrowing moves. Bounds are applied
/// to int8 at the end.
#[derive(Clone, Copy)]
pub(super) struct Requantise {
    zero_point: int16x8_t,
    min: int8x16_t,
    max: int8x16_t,
}

impl Requantise {
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn new(to: &Output) -> Self {
        Self {
            zero_point: vdupq_n_s16(i16::from(to.zero_point)),
            min: vdupq_n_s8(to.min),
            max: vdupq_n_s8(to.max),
        }
    }

    /// Eight reals as int16, the zero point added.
    #[inline]
    #[target_feature(enable = "neon")]
    fn words(self, low: float32x4_t, high: float32x4_t) -> int16x8_t {
        let words = vqmovn_high_s32(vqmovn_s32(vcvtnq_s32_f32(low)), vcvtnq_s32_f32(high));
        vqaddq_s16(words, self.zero_point)
    }

    /// 16 results in the order of the sums; always inlined, so that sums stay in registers.
    #[inline(always)]
    pub(super) fn results(self, sums: [int32x4_t; 4], multiplier: [float32x4_t; 4]) -> int8x16_t {
        // SAFETY: a `Requantise` is made where NEON is.
        unsafe {
            self.reals([
                vmulq_f32(vcvtq_f32_s32(sums[0]), multiplier[0]),
                vmulq_f32(vcvtq_f32_s32(sums[1]), multiplier[1]),
                vmulq_f32(vcvtq_f32_s32(sums[2]), multiplier[2]),
                vmulq_f32(vcvtq_f32_s32(sums[3]), multiplier[3]),
            ])
        }
    }

    /// 16 reals, rounded; always inlined.
    #[inline(always)]
    pub(super) fn reals(self, reals: [float32x4_t; 4]) -> int8x16_t {
        // SAFETY: a `Requantise` is made where NEON is.
        unsafe {
            let low = vqmovn_s16(self.words(reals[0], reals[1]));
            let bytes = vqmovn_high_s16(low, self.words(reals[2], reals[3]));
            vminq_s8(vmaxq_s8(bytes, self.min), self.max)
        }
    }
}

/// The numbers of a step, rounded.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn step(numbers: &Step, to: &Output) -> [i8; STEP] {
    let requantise = Requantise::new(to);
    let mut results = [0; STEP];
    for half in [0, 16] {
        // SAFETY: numbers and results are 32.
        unsafe {
            let bytes = requantise.reals(reals(numbers.as_ptr().add(half)));
            vst1q_s8(results.as_mut_ptr().add(half), bytes);
        }
    }
    results
}

/// 16 integers; written out, since nothing with vectors is inlined into `map`.
///
/// # Safety
/// `from` is readable for all of them.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn integers(from: *const i32) -> [int32x4_t; 4] {
    // SAFETY: the caller's.
    unsafe {
        [vld1q_s32(from), vld1q_s32(from.add(4)), vld1q_s32(from.add(8)), vld1q_s32(from.add(12))]
    }
}

/// 16 reals.
///
/// # Safety
/// `from` is readable for all of them.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn reals(from: *const f32) -> [float32x4_t; 4] {
    // SAFETY: the caller's.
    unsafe {
        [vld1q_f32(from), vld1q_f32(from.add(4)), vld1q_f32(from.add(8)), vld1q_f32(from.add(12))]
    }
}

/// The first `count` bytes of 16.
///
/// # Safety
/// `to` is writable for `count` bytes.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn store(results: int8x16_t, count: usize, to: *mut i8) {
    // SAFETY: no more than `count` bytes are written.
    unsafe {
        if count == 16 {
            vst1q_s8(to, results);
        } else {
            let mut bytes = [0_i8; 16];
            vst1q_s8(bytes.as_mut_ptr(), results);
            to.copy_from_nonoverlapping(bytes.as_ptr(), count.min(16));
        }
    }
}
