use core::arch::wasm32::*;

use crate::kernels::generic::Output;
use crate::kernels::work::{STEP, Step};

/// Adding this leaves a real's nearest integer, ties to even, in the low bits.
const MAGIC: f32 = 12_582_912.0;

/// [`Output::quantise`] on vectors, step by step: conversions that saturate are many instructions on x86-64.
#[derive(Clone, Copy)]
pub(super) struct Requantise {
    low: v128,
    high: v128,
    /// The bits of [`MAGIC`], less the zero point.
    offset: v128,
}

impl Requantise {
    #[inline(always)]
    pub(super) fn new(to: &Output) -> Self {
        let zero_point = i32::from(to.zero_point);
        let bits = MAGIC.to_bits().cast_signed();
        Self {
            low: f32x4_splat((i32::from(to.min) - zero_point) as f32),
            high: f32x4_splat((i32::from(to.max) - zero_point) as f32),
            offset: i32x4_splat(bits - zero_point),
        }
    }

    /// Four reals as int32 within the bounds. What is no number becomes the least.
    #[inline(always)]
    fn integers(self, real: v128) -> v128 {
        let bounded = f32x4_pmin(self.high, f32x4_pmax(self.low, real));
        i32x4_sub(f32x4_add(bounded, f32x4_splat(MAGIC)), self.offset)
    }

    /// Eight reals as int16.
    #[inline(always)]
    pub(super) fn words(self, reals: [v128; 2]) -> v128 {
        i16x8_narrow_i32x4(self.integers(reals[0]), self.integers(reals[1]))
    }

    /// Eight sums, times their multipliers, as int16.
    #[inline(always)]
    pub(super) fn sums(self, sums: [v128; 2], multiplier: [v128; 2]) -> v128 {
        self.words([
            f32x4_mul(f32x4_convert_i32x4(sums[0]), multiplier[0]),
            f32x4_mul(f32x4_convert_i32x4(sums[1]), multiplier[1]),
        ])
    }
}

/// The numbers of a step, rounded.
#[inline(always)]
pub(super) fn step(numbers: &Step, to: &Output) -> [i8; STEP] {
    let requantise = Requantise::new(to);
    let mut results = [0; STEP];
    let (eights, _) = numbers.as_chunks::<8>();
    let (to, _) = results.as_chunks_mut::<8>();
    for (eight, to) in eights.iter().zip(to) {
        // SAFETY: eight numbers are read, and as many bytes written.
        unsafe {
            let from = eight.as_ptr();
            let words = requantise.words([v128_load(from.cast()), v128_load(from.add(4).cast())]);
            store(words, 8, to.as_mut_ptr());
        }
    }
    results
}

/// Stores the first `count` of eight results.
///
/// # Safety
/// `to` is writable for `count` bytes.
#[inline(always)]
pub(super) unsafe fn store(words: v128, count: usize, to: *mut i8) {
    let bytes = i8x16_narrow_i16x8(words, words);
    // SAFETY: no more than `count` bytes are written.
    unsafe {
        if count >= 8 {
            v128_store64_lane::<0>(bytes, to.cast());
        } else {
            let mut all = [0_i8; 16];
            v128_store(all.as_mut_ptr().cast(), bytes);
            to.copy_from_nonoverlapping(all.as_ptr(), count);
        }
    }
}
