use core::arch::aarch64::*;

use super::requantise::Requantise;
use crate::kernels::generic::{Output, Term};
use crate::kernels::steps::in_steps;

/// Elements of a step.
const STEP: usize = 16;

/// See [`generic::add`](crate::kernels::generic::add).
#[target_feature(enable = "neon")]
pub(super) fn add(a: Term<'_>, b: Term<'_>, to: &Output, out: &mut [i8]) {
    let requantise = Requantise::new(to);
    in_steps(a.data, b.data, out, |x, y| step(&requantise, (x, &a), (y, &b)));
}

#[inline]
#[target_feature(enable = "neon")]
fn step(
    requantise: &Requantise,
    (x, a): (&[i8; STEP], &Term<'_>),
    (y, b): (&[i8; STEP], &Term<'_>),
) -> [i8; STEP] {
    let (x, y) = (scaled(x, a), scaled(y, b));
    let reals = [
        vaddq_f32(x[0], y[0]),
        vaddq_f32(x[1], y[1]),
        vaddq_f32(x[2], y[2]),
        vaddq_f32(x[3], y[3]),
    ];
    let mut results = [0; STEP];
    // SAFETY: the array is 16 bytes.
    unsafe { vst1q_s8(results.as_mut_ptr(), requantise.reals(reals)) };
    results
}

#[inline]
#[target_feature(enable = "neon")]
fn scaled(bytes: &[i8; STEP], term: &Term<'_>) -> [float32x4_t; 4] {
    // SAFETY: the array is 16 bytes.
    let bytes = unsafe { vld1q_s8(bytes.as_ptr()) };
    let zero_point = vdup_n_s8(term.zero_point);
    let low = vsubl_s8(vget_low_s8(bytes), zero_point);
    let high = vsubl_s8(vget_high_s8(bytes), zero_point);
    let real = |integers| vmulq_n_f32(vcvtq_f32_s32(integers), term.scale);
    [
        real(vmovl_s16(vget_low_s16(low))),
        real(vmovl_high_s16(low)),
        real(vmovl_s16(vget_low_s16(high))),
        real(vmovl_high_s16(high)),
    ]
}
