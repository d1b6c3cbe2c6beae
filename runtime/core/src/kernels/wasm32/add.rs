use core::arch::wasm32::*;

use super::requantise::Requantise;
use crate::kernels::generic::{Output, Term};
use crate::kernels::steps::in_steps;

/// Elements of a step.
const STEP: usize = 16;

/// See [`generic::add`](crate::kernels::generic::add).
pub(super) fn add(a: Term<'_>, b: Term<'_>, to: &Output, out: &mut [i8]) {
    let requantise = Requantise::new(to);
    in_steps(a.data, b.data, out, |x, y| step(&requantise, (x, &a), (y, &b)));
}

#[inline(always)]
fn step(
    requantise: &Requantise,
    (x, a): (&[i8; STEP], &Term<'_>),
    (y, b): (&[i8; STEP], &Term<'_>),
) -> [i8; STEP] {
    let (x, y) = (scaled(x, a), scaled(y, b));
    let words =
        |at: usize| requantise.words([f32x4_add(x[at], y[at]), f32x4_add(x[at + 1], y[at + 1])]);
    let mut results = [0; STEP];
    // SAFETY: the array is 16 bytes.
    unsafe { v128_store(results.as_mut_ptr().cast(), i8x16_narrow_i16x8(words(0), words(2))) };
    results
}

#[inline(always)]
fn scaled(bytes: &[i8; STEP], term: &Term<'_>) -> [v128; 4] {
    // SAFETY: the array is 16 bytes.
    let bytes = unsafe { v128_load(bytes.as_ptr().cast()) };
    let (zero_point, scale) = (i16x8_splat(i16::from(term.zero_point)), f32x4_splat(term.scale));
    let low = i16x8_sub(i16x8_extend_low_i8x16(bytes), zero_point);
    let high = i16x8_sub(i16x8_extend_high_i8x16(bytes), zero_point);
    let real = |integers| f32x4_mul(f32x4_convert_i32x4(integers), scale);
    [
        real(i32x4_extend_low_i16x8(low)),
        real(i32x4_extend_high_i16x8(low)),
        real(i32x4_extend_low_i16x8(high)),
        real(i32x4_extend_high_i16x8(high)),
    ]
}
